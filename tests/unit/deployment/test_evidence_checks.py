"""deploy.sh verify looks at the key that signs the evidence, and at the bucket that keeps it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deployment.account import Account
from deployment.stacks import Stack
from deployment.verify.evidence_checks import CHECKS
from deployment.verify.findings import Answer, Inspection, Outcome

KEY_ALIAS = "alias/aurora-restore-evidence"

BUCKET = "aurora-restore-evidence-123456789012-us-west-2"
PRIVATE: Any = {
    "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
}  # fmt: skip
KEY, OF_BUCKET = (check.look for check in CHECKS)


@pytest.fixture
def inspection() -> Iterator[Inspection]:
    """An account with key and bucket as the prerequisites make them."""
    with mock_aws():
        session = boto3.session.Session(region_name="us-west-2")
        kms, s3 = session.client("kms"), session.client("s3")
        key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        kms.create_alias(AliasName=KEY_ALIAS, TargetKeyId=key["KeyId"])
        place: Any = {"LocationConstraint": "us-west-2"}
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=PRIVATE)
        account = Account("us-west-2", "123456789012", "arn:aws:iam::123456789012:user/ops", session)
        outputs = {"EvidenceKeyArn": key["Arn"], "EvidenceBucketName": BUCKET}
        yield Inspection(account, "dev", Stack("aurora-restore-prerequisites", "CREATE_COMPLETE", {}, outputs))


def answer(look: Any, inspection: Inspection) -> Answer:
    found: Answer = look(inspection)
    return found


def test_what_the_prerequisites_made_passes_and_says_that_nothing_is_locked(inspection: Inspection) -> None:
    assert answer(KEY, inspection)[0] is Outcome.PASS
    assert answer(OF_BUCKET, inspection)[:2] == (
        Outcome.PASS, f"{BUCKET} is versioned and private; Object Lock keeps nothing",
    )  # fmt: skip


def test_for_how_long_object_lock_keeps_it_is_said(inspection: Inspection) -> None:
    rule: Any = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}}}
    inspection.client("s3").put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=rule)

    assert answer(OF_BUCKET, inspection)[1].endswith("Object Lock keeps 400 days (COMPLIANCE)")


def test_a_key_that_does_not_sign_is_named_with_the_command_that_makes_it(inspection: Inspection) -> None:
    kms, arn = inspection.client("kms"), inspection.output("EvidenceKeyArn")
    key_id = arn.rpartition("/")[2]
    kms.disable_key(KeyId=key_id)
    outcome, found, action = answer(KEY, inspection)
    assert (outcome, found) == (Outcome.FAIL, f"{KEY_ALIAS} is Disabled: no evidence is signed")
    assert action == f"aws kms enable-key --key-id {arn} --region us-west-2"

    kms.schedule_key_deletion(KeyId=key_id)
    assert answer(KEY, inspection)[2].startswith(f"aws kms cancel-key-deletion --key-id {arn} --region us-west-2; ")

    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName=KEY_ALIAS, TargetKeyId=other)
    assert "the stack's is" in answer(KEY, inspection)[1]

    kms.delete_alias(AliasName=KEY_ALIAS)
    assert answer(KEY, inspection)[1] == f"no key {KEY_ALIAS}"


def test_a_key_of_another_kind_is_refused(inspection: Inspection) -> None:
    kms = inspection.client("kms")
    other = kms.create_key()["KeyMetadata"]
    kms.update_alias(AliasName=KEY_ALIAS, TargetKeyId=other["KeyId"])
    assert inspection.prerequisites is not None
    inspection.prerequisites.outputs["EvidenceKeyArn"] = other["Arn"]  # type: ignore[index]

    assert "expected ECC_NIST_P256 for SIGN_VERIFY" in answer(KEY, inspection)[1]


def test_a_bucket_that_is_open_unversioned_or_gone_fails(inspection: Inspection) -> None:
    s3 = inspection.client("s3")
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration={**PRIVATE, "BlockPublicAcls": False})
    assert answer(OF_BUCKET, inspection)[:2] == (
        Outcome.FAIL, f"{BUCKET}: versioning Enabled, public access not blocked",
    )  # fmt: skip

    s3.delete_bucket(Bucket=BUCKET)
    outcome, found, action = answer(OF_BUCKET, inspection)
    assert (outcome, found) == (Outcome.FAIL, f"{BUCKET}: NoSuchBucket")
    assert "their evidence was not written" in action
