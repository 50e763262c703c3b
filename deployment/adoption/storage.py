"""The guide's bucket and topic, and a bucket of evidence that an earlier stack left, as they are."""

import json
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from deployment.account import Account, error_code, if_there
from deployment.adoption.existing import Existing, changed

_PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_NOT_THERE = ("404", "NoSuchBucket", "NotFound")
_SNS_OWN_POLICY = "__default_policy_ID"


def find_buckets(account: Account, prefix: str) -> list[Existing]:
    """Return the bucket of the packages and the one of the evidence, those that are there."""
    where = f"{account.account_id}-{account.region}"
    client = account.client("s3")
    packages, evidence = f"{prefix}-lambda-code-{where}", f"{prefix}-evidence-{where}"
    found = []
    if _is_there(client, packages):
        ours = "OldPackages (versions that were replaced go after 90 days, unfinished uploads after 7)"
        found.append(_existing(account, packages, "CodeBucket", ours))
    if _is_there(client, evidence):
        ours = "UnfinishedUploads (they go after 7 days)"
        one = _existing(account, evidence, "EvidenceBucket", ours, ObjectLockEnabled=True)
        if not _told(client.get_object_lock_configuration, evidence):
            lock = "--object-lock-configuration ObjectLockEnabled=Enabled"
            one = replace(
                one,
                obstacle="has no Object Lock, which the template's has: aws s3api put-object-lock-configuration "
                f"--bucket {evidence} {lock} --region {account.region} (it needs versioning), then run this again",
            )
        found.append(one)
    return found


def _is_there(client: Any, bucket: str) -> bool:
    return if_there(client.head_bucket, *_NOT_THERE, Bucket=bucket) is not None


def _existing(account: Account, name: str, logical_id: str, lifecycle: str, **more: Any) -> Existing:
    client = account.client("s3")
    return Existing(
        title=f"bucket {name}",
        stays="every object and every version of it",
        changes=_changes_of_bucket(client, name, lifecycle),
        obstacle=_obstacle_of_bucket(account, client, name),
        logical_id=logical_id,
        type="AWS::S3::Bucket",
        identifier={"BucketName": name},
        properties={"BucketName": name, **more},
    )


def _changes_of_bucket(client: Any, name: str, lifecycle: str) -> list[str]:
    encryption = _told(client.get_bucket_encryption, name).get("ServerSideEncryptionConfiguration", {})
    algorithms = [
        rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for rule in encryption.get("Rules", [])
    ]
    blocked = _told(client.get_public_access_block, name).get("PublicAccessBlockConfiguration", {})
    owner = _told(client.get_bucket_ownership_controls, name).get("OwnershipControls", {}).get("Rules", [])
    rules = _told(client.get_bucket_lifecycle_configuration, name).get("Rules", [])
    return [
        *changed("versioning", client.get_bucket_versioning(Bucket=name).get("Status", "off"), "Enabled"),
        *changed("encryption", " ".join(filter(None, algorithms)), "AES256"),
        *changed("public access blocked", all(blocked.get(part) for part in _PUBLIC_ACCESS), True),
        *changed("object ownership", " ".join(rule["ObjectOwnership"] for rule in owner), "BucketOwnerEnforced"),
        *changed("lifecycle", ", ".join(rule.get("ID", "a rule") for rule in rules), lifecycle),
        *changed("bucket policy", "", "the template's; only over TLS"),
    ]


def _obstacle_of_bucket(account: Account, client: Any, name: str) -> str | None:
    region = client.get_bucket_location(Bucket=name).get("LocationConstraint") or "us-east-1"
    if region != account.region:
        return f"is in {region}, not in {account.region}: move what is in it, delete it, then run this again"
    if _told(client.get_bucket_policy, name).get("Policy"):
        return (
            "has a policy of its own, and CloudFormation makes none over it: keep it "
            f"(aws s3api get-bucket-policy --bucket {name}), then aws s3api delete-bucket-policy --bucket {name} "
            f"--region {account.region}, and run this again; the template's policy refuses what comes without TLS"
        )
    return None


def _told(ask: Any, bucket: str) -> dict[str, Any]:
    """Return an answer, empty where S3 says that the bucket has no such configuration."""
    try:
        answer: dict[str, Any] = ask(Bucket=bucket)
    except ClientError as error:
        if error_code(error).startswith("NoSuch") or error_code(error).endswith("NotFoundError"):
            return {}
        raise
    return answer


def find_topic(account: Account, prefix: str) -> list[Existing]:
    """Return the topic of the notifications, if it is there."""
    name = f"{prefix}-notifications"
    arn = f"arn:{account.partition}:sns:{account.region}:{account.account_id}:{name}"
    client = account.client("sns")
    found = if_there(client.get_topic_attributes, "NotFound", "NotFoundException", TopicArn=arn)
    if found is None:
        return []
    attributes = found["Attributes"]
    own_policy = json.loads(attributes.get("Policy") or "{}").get("Id") == _SNS_OWN_POLICY
    return [
        Existing(
            title=f"topic {name}",
            stays="its ARN and its subscriptions",
            changes=[
                *changed("display name", attributes.get("DisplayName", ""), "Aurora Restore"),
                *changed("encryption", attributes.get("KmsMasterKeyId", ""), "the pipeline's key"),
                *changed(
                    "policy", "SNS's own, for everybody in the account" if own_policy else "one of its own",
                    "the account's IAM policies and the pipeline's alarms",
                ),
            ],
            logical_id="NotificationTopic",
            type="AWS::SNS::Topic",
            identifier={"TopicArn": arn},
            properties={"TopicName": name},
        )
    ]  # fmt: skip
