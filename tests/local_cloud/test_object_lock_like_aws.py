"""The evidence that is written once: the bucket of the prerequisites' template, locked as its parameters say."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud
from tests.conventions.cfn_yaml import load_template
from tests.waiting import wait_for

pytestmark = pytest.mark.local_cloud
TEMPLATE = load_template("infrastructure/prerequisites.yaml")


def deploy(cloud: LocalCloud, name: str, **parameters: str) -> str:
    """Deploy the evidence's bucket of the template alone, under another name; return it."""
    bucket = json.loads(json.dumps(TEMPLATE["Resources"]["EvidenceBucket"]))
    bucket["Properties"]["BucketName"] = name
    used = ("EvidenceLockMode", "EvidenceRetentionDays", "DataDeletionPolicy")
    template: dict[str, Any] = {
        "Parameters": {key: TEMPLATE["Parameters"][key] for key in used},
        "Conditions": {"LocksEvidence": TEMPLATE["Conditions"]["LocksEvidence"]},
        "Resources": {"EvidenceBucket": bucket},
        "Transform": "AWS::LanguageExtensions",  # DeletionPolicy names a parameter
    }
    cloudformation = cloud.client("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloudformation.create_stack(
        StackName=name, TemplateBody=json.dumps(template), Parameters=given, Capabilities=["CAPABILITY_AUTO_EXPAND"]
    )
    wait_for(
        lambda: cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE",
        "the bucket", seconds=30, every=0.1,
    )  # fmt: skip
    return name


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_version_of_the_evidence_is_kept_for_its_days_and_another_is_put_beside(cloud: LocalCloud, mode: str) -> None:
    s3 = cloud.client("s3")
    bucket = deploy(cloud, f"evidence-{mode.lower()}", EvidenceLockMode=mode, EvidenceRetentionDays="30")

    before = datetime.now(UTC)
    first = s3.put_object(Bucket=bucket, Key="staging/nightly-1/report.json", Body=b"{}")

    kept = s3.get_object_retention(Bucket=bucket, Key="staging/nightly-1/report.json")["Retention"]
    assert kept["Mode"] == mode
    assert timedelta(days=30, minutes=5) > kept["RetainUntilDate"] - before >= timedelta(days=30, seconds=-1)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="staging/nightly-1/report.json", VersionId=first["VersionId"])
    second = s3.put_object(Bucket=bucket, Key="staging/nightly-1/report.json", Body=b"{ }")
    assert second["VersionId"] != first["VersionId"]


def test_without_a_mode_nothing_is_kept_and_a_version_may_go(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    bucket = deploy(cloud, "evidence-unlocked")

    assert "Rule" not in s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    written = s3.put_object(Bucket=bucket, Key="report.json", Body=b"{}")
    s3.delete_object(Bucket=bucket, Key="report.json", VersionId=written["VersionId"])
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
