"""The guide's key with its alias, its secrets and the DBA role, as they are."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from deployment.account import Account, if_there
from deployment.adoption.existing import Existing, changed

_AN_HOUR = 3600  # what IAM takes where the template says nothing
_DESCRIPTION_OF_ROLE = "Keeps the master credentials of restored clusters"
# Its logical id in the template, and what the template says it is.
SECRETS = {
    "master-credentials": (
        "MasterCredentials", "Master user of the restored cluster; written by the DBA role, read by setup-db-users",
    ),
    "app-credentials": ("AppCredentials", "Application, read-only and devops users of the restored cluster"),
    "kms-key": ("KmsKeySecret", "Id of the key that encrypts the restored data"),
}  # fmt: skip


def find_key(account: Account, prefix: str) -> list[Existing]:
    """Return the alias and the key that it is of, if they are there."""
    client, alias = account.client("kms"), f"alias/{prefix}-secrets"
    described = if_there(client.describe_key, "NotFoundException", KeyId=alias)
    if described is None:
        return []
    key = described["KeyMetadata"]
    obstacle = _obstacle_of_key(account, alias, key)
    policy = {} if obstacle else json.loads(client.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    rotates = False if obstacle else client.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    return [
        Existing(
            title=f"key {key['KeyId']}",
            stays="its id, and all that is encrypted under it",
            changes=[
                *changed("rotation each year", bool(rotates), True),
                *changed("description", key.get("Description", ""), "the template's"),
                *changed("policy", _statements(policy), "the template's"),
            ],
            obstacle=obstacle,
            logical_id="SecretsKey",
            type="AWS::KMS::Key",
            identifier={"KeyId": key["KeyId"]},
            properties={"KeyPolicy": policy},
        ),
        Existing(
            title=alias,
            stays="the key that it names",
            logical_id="SecretsKeyAlias",
            type="AWS::KMS::Alias",
            identifier={"AliasName": alias},
            properties={"AliasName": alias, "TargetKeyId": key["KeyId"]},
        ),
    ]


def _statements(policy: Mapping[str, Any]) -> str:
    names = [statement.get("Sid") or "a statement without a name" for statement in policy.get("Statement", [])]
    return ", ".join(names)


def _obstacle_of_key(account: Account, alias: str, key: Mapping[str, Any]) -> str | None:
    where = f"--key-id {key['KeyId']} --region {account.region}"
    if key["KeyState"] == "PendingDeletion":
        return (
            f"({alias}) will be deleted: take that back with aws kms cancel-key-deletion {where} and "
            f"aws kms enable-key {where}, then run this again"
        )
    if key["KeyState"] != "Enabled":
        return f"({alias}) is {key['KeyState']}: aws kms enable-key {where}, then run this again"
    kind = (key["KeyManager"], key.get("KeySpec"), key["KeyUsage"], key["Origin"], bool(key.get("MultiRegion")))
    if kind != ("CUSTOMER", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS", False):
        return (
            f"({alias}) is another kind of key ({', '.join(map(str, kind[:4]))}{', multi-Region' if kind[4] else ''}), "
            "expected a symmetric one of KMS's own, for encryption, in one Region: give the alias another name with "
            f"aws kms create-alias and aws kms delete-alias --alias-name {alias} --region {account.region}, "
            "then run this again; the template makes a key"
        )
    return None


def find_secrets(account: Account, environment: str) -> list[Existing]:
    """Return the environment's secrets that are there; their values are not read."""
    client = account.client("secretsmanager")
    found = []
    for part, (logical_id, description) in SECRETS.items():
        name = f"aurora-restore/{environment}/{part}"
        secret = if_there(client.describe_secret, "ResourceNotFoundException", SecretId=name)
        if secret is None:
            continue
        found.append(
            Existing(
                title=f"secret {name}",
                stays="its value and every version of it",
                changes=[
                    *changed("description", secret.get("Description", ""), description),
                    *changed("key", secret.get("KmsKeyId") or "aws/secretsmanager", "the pipeline's"),
                    *_told_of_policy(secret),
                ],
                obstacle=_obstacle_of_secret(account, client, secret),
                logical_id=logical_id,
                type="AWS::SecretsManager::Secret",
                identifier={"Id": secret["ARN"]},
                # No SecretString: what a template has of it, CloudFormation writes over the value.
                properties={"Name": name},
            )
        )
    return found


def _is_masters(secret: Mapping[str, Any]) -> bool:
    return str(secret["Name"]).endswith("/master-credentials")


def _told_of_policy(secret: Mapping[str, Any]) -> list[str]:
    if not _is_masters(secret):
        return []
    shut_out = ", and not the function that rotates it" if secret.get("RotationEnabled") else ""
    return [f"policy: none -> only the DBA role and setup-db-users{shut_out}"]


def _obstacle_of_secret(account: Account, client: Any, secret: Mapping[str, Any]) -> str | None:
    where = f"--secret-id {secret['Name']} --region {account.region}"
    primary = secret.get("PrimaryRegion", account.region)
    if primary != account.region:
        return (
            f"is a replica of {primary}'s, which is changed there only: make it one of its own with "
            f"aws secretsmanager stop-replication-to-replica {where}, then run this again"
        )
    if not _is_masters(secret) or not client.get_resource_policy(SecretId=secret["Name"]).get("ResourcePolicy"):
        return None
    return (
        f"has a resource policy of its own: keep it (aws secretsmanager get-resource-policy {where}), then "
        f"aws secretsmanager delete-resource-policy {where}, and run this again; the template's takes its place"
    )


def find_dba_role(account: Account, name: str, policy: str) -> list[Existing]:
    """Return the DBA role, if it is there, and what becomes of its inline policy of the template's name."""
    client = account.client("iam")
    found = if_there(client.get_role, "NoSuchEntity", RoleName=name)
    if found is None:
        return []
    role = found["Role"]
    has_policy = policy in client.list_role_policies(RoleName=name)["PolicyNames"]
    document = client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] if has_policy else {}
    trust = role["AssumeRolePolicyDocument"]
    ours = f"arn:{account.partition}:iam::{account.account_id}:root"
    return [
        Existing(
            title=f"role {name}",
            stays="its policies of other names, and what is attached to it",
            changes=[
                *changed("description", role.get("Description", ""), _DESCRIPTION_OF_ROLE),
                *changed("who may assume it", _trusted(trust), ours),
                *changed("longest session, in seconds", role.get("MaxSessionDuration", _AN_HOUR), _AN_HOUR),
                *([f"policy {policy}: as it is -> the template's"] if has_policy else []),
            ],
            obstacle=_obstacle_of_role(account, role, policy, document),
            logical_id="DbaRole",
            type="AWS::IAM::Role",
            identifier={"RoleName": name},
            properties={"RoleName": name, "AssumeRolePolicyDocument": trust},
        )
    ]


def _trusted(trust: Mapping[str, Any]) -> str:
    names: list[str] = []
    for statement in _listed(trust.get("Statement", [])):
        principals = statement.get("Principal", {})
        for kind in principals.values() if isinstance(principals, Mapping) else [principals]:
            names += map(str, _listed(kind))
        names += [f"under {condition}" for condition in statement.get("Condition", {})]
    return ", ".join(names)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _obstacle_of_role(
    account: Account, role: Mapping[str, Any], policy: str, document: Mapping[str, Any]
) -> str | None:
    name = role["RoleName"]
    if role["Path"] != "/":
        return (
            f"has the path {role['Path']}, expected /: CloudFormation would make it anew. Delete it (keep what "
            f"aws iam list-role-policies and list-attached-role-policies --role-name {name} tell), then run this again"
        )
    served = {part.split(":")[3] for part in _texts(document) if part.startswith("arn:") and ":secretsmanager:" in part}
    if served and account.region not in served:
        return (
            f"keeps the secrets of {', '.join(sorted(served))}, not of {account.region}: its policy {policy} would be "
            "overwritten, and its people shut out there. Run this again with --set DbaRoleNamedAfterRegion=true, which "
            f"makes another role; or, if that Region is given up, after aws iam delete-role-policy --role-name {name} "
            f"--policy-name {policy} --region {account.region}"
        )
    return None


def _texts(value: Any) -> list[str]:
    """Return every text in a document."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []
