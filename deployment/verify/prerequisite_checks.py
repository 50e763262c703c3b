"""The checks of the prerequisites: Region, bucket, key, secrets, topic, DBA role."""

import base64
from typing import Any

from botocore.exceptions import ClientError

from deployment import stacks
from deployment.account import error_code
from deployment.environments import regions_with_a_code_bucket
from deployment.verify.findings import Answer, Check, Inspection, deploy_again, failed, passed, remark

SECRETS = ("master-credentials", "app-credentials", "kms-key")


def _region(inspection: Inspection) -> Answer:
    """Look for the prerequisites in this Region, for this environment."""
    account, environment = inspection.account, inspection.environment
    stack = stacks.find_stack(account, inspection.names.prerequisites)
    if stack is None:
        elsewhere = _regions_with_a_code_bucket(inspection)
        if elsewhere:
            return failed(
                f"no stack {inspection.names.prerequisites} in {account.region}, "
                f"but a code bucket for {', '.join(elsewhere)}",
                f"pass --region {elsewhere[0]}, if that is the target Region",
            )
        return failed(
            f"no stack {inspection.names.prerequisites} in {account.region}",
            deploy_again(inspection, "bootstrap") + ", if this is the target Region",
        )
    made_for = stack.outputs.get("Environment", "")
    if not made_for:
        return failed(f"stack {stack.name} is {stack.status}, without outputs", deploy_again(inspection, "bootstrap"))
    if made_for != environment:
        return failed(f"the prerequisites are for {made_for}, not {environment}", f"pass --env {made_for}")
    if not stack.is_ready:
        return failed(f"stack {stack.name} is {stack.status}", deploy_again(inspection, "bootstrap"))
    inspection.prerequisites = stack
    return passed(f"{account.region} has the prerequisites for {environment}")


def _regions_with_a_code_bucket(inspection: Inspection) -> list[str]:
    try:
        return regions_with_a_code_bucket(inspection.account, inspection.names)
    except ClientError:  # only a hint; who may not list buckets gets none
        return []


def _code_bucket(inspection: Inspection) -> Answer:
    name = inspection.output("CodeBucketName")
    s3 = inspection.client("s3")
    try:
        status = s3.get_bucket_versioning(Bucket=name).get("Status", "off")
        blocked = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if error_code(error) not in {"NoSuchBucket", "404", "NoSuchPublicAccessBlockConfiguration"}:
            raise
        return failed(f"{name}: {error_code(error)}", _repair(inspection, "the bucket"))
    if status != "Enabled" or not all(blocked.values()):
        return failed(
            f"{name}: versioning {status}, public access {'blocked' if all(blocked.values()) else 'not blocked'}",
            f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled "
            f"--region {inspection.account.region}; "
            "and block public access",
        )
    return passed(f"{name} is versioned and private")


def _key(inspection: Inspection) -> Answer:
    kms = inspection.client("kms")
    wanted, alias = inspection.output("KmsKeyId"), f"alias/{inspection.names.of('secrets')}"
    try:
        key = kms.describe_key(KeyId=alias)["KeyMetadata"]
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
        return failed(f"no key {alias}", _repair(inspection, "the key's alias"))
    if key["KeyId"] != wanted:
        return failed(
            f"{alias} is key {key['KeyId']}, the stack's is {wanted}",
            f"aws kms update-alias --alias-name {alias} --target-key-id {wanted} --region {inspection.account.region}",
        )
    if key["KeyState"] != "Enabled":
        where = f"--key-id {wanted} --region {inspection.account.region}"
        action = f"aws kms enable-key {where}"
        if key["KeyState"] == "PendingDeletion":
            action = f"aws kms cancel-key-deletion {where}; {action}"
        return failed(f"{alias} is {key['KeyState']}", action)
    context = {"purpose": "verify"}
    encrypted = kms.encrypt(KeyId=wanted, Plaintext=b"verify", EncryptionContext=context)["CiphertextBlob"]
    back = kms.decrypt(KeyId=wanted, CiphertextBlob=encrypted, EncryptionContext=context)["Plaintext"]
    if back not in {b"verify", base64.b64encode(b"verify")}:
        return failed(f"{alias} does not give back what it encrypted", "ask AWS")
    return passed(f"{alias} is enabled, encrypts and decrypts")


def _secrets(inspection: Inspection) -> Answer:
    problems = []
    for name in SECRETS:
        secret = f"aurora-restore/{inspection.environment}/{name}"
        try:
            described = inspection.client("secretsmanager").describe_secret(SecretId=secret)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            problems.append(f"{secret} is missing")
            continue
        if described.get("DeletedDate"):
            restore = f"aws secretsmanager restore-secret --secret-id {secret} --region {inspection.account.region}"
            problems.append(f"{secret} is scheduled for deletion ({restore})")
        elif inspection.output("KmsKeyId") not in described.get("KmsKeyId", ""):
            problems.append(f"{secret} is under another key")
    if problems:
        return failed("; ".join(problems), _repair(inspection, "the secret"))
    return passed(f"{', '.join(SECRETS)} exist under the stack's key")


def _topic(inspection: Inspection) -> Answer:
    arn = inspection.output("NotificationTopicArn")
    sns = inspection.client("sns")
    try:
        sns.get_topic_attributes(TopicArn=arn)
        subscriptions = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    except ClientError as error:
        if error_code(error) not in {"NotFound", "NotFoundException"}:
            raise
        return failed(f"no topic {arn}", _repair(inspection, "the topic"))
    waiting = [_endpoint(item) for item in subscriptions if item["SubscriptionArn"] == "PendingConfirmation"]
    if waiting:
        return remark(f"{', '.join(waiting)} not confirmed", "open the link in the mail that SNS sent")
    if not subscriptions:
        return remark(
            "nobody is subscribed: a failed night goes unnoticed",
            deploy_again(inspection, "bootstrap") + " --set NotificationEmail=ADDRESS",
        )
    return passed(f"{len(subscriptions)} subscription(s)")


def _endpoint(subscription: dict[str, Any]) -> str:
    return f"{subscription['Protocol']} {subscription['Endpoint']}"


def _dba_role(inspection: Inspection) -> Answer:
    role = inspection.output("DbaRoleArn").rpartition("/")[2]
    try:
        inspection.client("iam").get_role(RoleName=role)
    except ClientError as error:
        if error_code(error) != "NoSuchEntity":
            raise
        return failed(f"no role {role}", _repair(inspection, "the role"))
    return passed(f"{role} exists")


def _repair(inspection: Inspection, what: str) -> str:
    """CloudFormation does not make again what was deleted behind its back while the template stays the same."""
    return (
        f"somebody deleted or changed {what} that stack {inspection.names.prerequisites} made: undo that by hand, "
        "as docs/01_prerequisites.md shows (Repair)"
    )


CHECKS = (
    Check("Region", _region),
    Check("Code bucket", _code_bucket, ("Region",)),
    Check("KMS key", _key, ("Region",)),
    Check("Secrets", _secrets, ("Region",)),
    Check("Notification topic", _topic, ("Region",)),
    Check("DBA role", _dba_role, ("Region",)),
)
