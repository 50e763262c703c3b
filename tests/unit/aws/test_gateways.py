"""KMS, Step Functions and SNS: one question each; what SNS is sent is in test_notifier.py."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from utils.aws.executions import Executions
from utils.aws.kms import KmsGateway
from utils.aws.notifier import Notification, Notifier
from utils.aws.target.roles import RoleReader
from utils.errors import (
    AccessDenied,
    AwsRequestRejected,
    AwsThrottled,
    AwsUnavailable,
    KeyNotUsable,
    ResourceBusy,
    RetryableError,
)

ARN = "arn:aws:states:us-west-2:123456789012:execution:aurora-restore-pipeline:nightly-1"

A_NOTIFICATION = Notification(subject="s", text="t", detail={}, chat={}, labels={})


@mock_aws
def test_a_key_is_usable_by_id_arn_or_alias() -> None:
    client = boto3.client("kms", region_name="us-west-2")
    key = client.create_key(KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]
    client.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    for name in (key["KeyId"], key["Arn"], "alias/mine"):
        assert KmsGateway(client).usable_key_arn(name) == key["Arn"]


@mock_aws
def test_an_unknown_key_is_not_usable() -> None:
    with pytest.raises(KeyNotUsable, match="NotFoundException from kms:DescribeKey"):
        KmsGateway(boto3.client("kms", region_name="us-west-2")).usable_key_arn("alias/nobody")


def test_a_key_of_which_kms_says_nothing_is_not_usable() -> None:
    client = boto3.client("kms", region_name="us-west-2")
    with Stubber(client) as stub:
        stub.add_client_error("describe_key", "AccessDeniedException", http_status_code=400)
        with pytest.raises(KeyNotUsable, match="alias/nobody, which is missing or not open"):
            KmsGateway(client).usable_key_arn("alias/nobody")


@pytest.mark.parametrize("code", ["ThrottlingException", "KMSInternalException"])
def test_any_other_refusal_of_kms_keeps_its_meaning(code: str) -> None:
    client = boto3.client("kms", region_name="us-west-2")
    with Stubber(client) as stub:
        stub.add_client_error("describe_key", code, http_status_code=500)
        with pytest.raises(RetryableError):
            KmsGateway(client).usable_key_arn("alias/mine")


@mock_aws
def test_a_role_has_its_arn_or_is_not_there() -> None:
    client = boto3.client("iam", region_name="us-west-2")
    made = client.create_role(RoleName="monitoring", Path="/rds/", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    assert RoleReader(client).arn_of("monitoring") == made == "arn:aws:iam::123456789012:role/rds/monitoring"
    assert RoleReader(client).arn_of("nobodys") is None


@pytest.mark.parametrize(
    ("code", "error"),
    [("AccessDenied", AccessDenied), ("Throttling", AwsThrottled), ("ServiceFailure", AwsUnavailable)],
)
def test_what_iam_does_not_tell_is_not_taken_for_an_absence(code: str, error: type[Exception]) -> None:
    client = boto3.client("iam", region_name="us-west-2")
    with Stubber(client) as stub:
        stub.add_client_error("get_role", code, http_status_code=500 if code == "ServiceFailure" else 403)
        with pytest.raises(error, match="iam:GetRole"):
            RoleReader(client).arn_of("monitoring")


@mock_aws
def test_a_disabled_key_is_not_usable() -> None:
    client = boto3.client("kms", region_name="us-west-2")
    key_id = client.create_key(KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    client.disable_key(KeyId=key_id)
    with pytest.raises(KeyNotUsable, match=f"KMS key {key_id} in state Disabled"):
        KmsGateway(client).usable_key_arn(key_id)


@mock_aws
def test_a_key_for_signing_is_not_usable() -> None:
    client = boto3.client("kms", region_name="us-west-2")
    key = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]
    with pytest.raises(KeyNotUsable, match="for SIGN_VERIFY"):
        KmsGateway(client).usable_key_arn(key["KeyId"])


@pytest.mark.parametrize(
    ("key_id", "do"),
    [
        ("arn:aws:kms:us-east-1:123456789012:key/mrk-1a2b", "name its replica there, or replicate it"),
        (
            "arn:aws:kms:us-east-1:123456789012:key/1a2b",
            "name a key there: a snapshot that is copied is encrypted anew",
        ),
        (
            "arn:aws:kms:us-east-1:123456789012:alias/prod",
            "name a key there: a snapshot that is copied is encrypted anew",
        ),
    ],
)
def test_a_key_of_another_region_is_refused_without_asking_kms_which_would_only_not_find_it(
    key_id: str, do: str
) -> None:
    with pytest.raises(KeyNotUsable, match=f"of the Region us-east-1; expected a key in .*us-west-2; what to do: {do}"):
        KmsGateway(boto3.client("kms", region_name="us-west-2")).usable_key_arn(key_id)


@pytest.mark.parametrize("state", ["Creating", "Updating"])
def test_a_multi_region_key_that_is_being_made_or_moved_is_waited_for(state: str) -> None:
    client = boto3.client("kms", region_name="us-west-2")
    key: Any = {"KeyId": "mrk-1", "KeyState": state, "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": True}
    with Stubber(client) as stub:
        stub.add_response("describe_key", {"KeyMetadata": key}, {"KeyId": "alias/mine"})
        with pytest.raises(ResourceBusy, match=f"in state {state}"):
            KmsGateway(client).usable_key_arn("alias/mine")


@pytest.mark.parametrize("state", ["PendingDeletion", "PendingImport", "PendingReplicaDeletion", "Unavailable"])
def test_a_key_on_its_way_out_is_not_usable(state: str) -> None:
    client = boto3.client("kms", region_name="us-west-2")
    key: Any = {"KeyId": "mrk-1", "KeyState": state, "KeyUsage": "ENCRYPT_DECRYPT"}
    with Stubber(client) as stub:
        stub.add_response("describe_key", {"KeyMetadata": key}, {"KeyId": "alias/mine"})
        with pytest.raises(KeyNotUsable, match=f"in state {state}"):
            KmsGateway(client).usable_key_arn("alias/mine")


@pytest.mark.parametrize(("alias", "usable"), [("alias/aws/rds", True), ("alias/aws/secretsmanager", False)])
def test_of_awss_own_keys_rds_may_use_its_own_only(alias: str, usable: bool) -> None:
    client = boto3.client("kms", region_name="us-west-2")
    key: Any = {"KeyId": "1", "Arn": f"{ARN}:1", "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT"}
    with Stubber(client) as stub:
        stub.add_response("describe_key", {"KeyMetadata": key | {"KeyManager": "AWS"}}, {"KeyId": alias})
        if usable:
            assert KmsGateway(client).usable_key_arn(alias) == f"{ARN}:1"
            return
        with pytest.raises(KeyNotUsable, match="AWS's own for another service"):
            KmsGateway(client).usable_key_arn(alias)


@pytest.mark.parametrize(
    ("status", "running"),
    [("RUNNING", True), ("PENDING_REDRIVE", True), ("SUCCEEDED", False), ("FAILED", False), ("ABORTED", False)],
)
def test_an_execution_runs_or_not(status: Any, running: bool) -> None:
    client = boto3.client("stepfunctions", region_name="us-west-2")
    answer: dict[str, Any] = {"executionArn": ARN, "stateMachineArn": ARN, "startDate": 0, "status": status}
    with Stubber(client) as stub:
        stub.add_response("describe_execution", answer, {"executionArn": ARN})
        assert Executions(client).is_running(ARN) is running
        stub.add_response("describe_execution", answer, {"executionArn": ARN})
        assert Executions(client).has_begun(ARN)


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "InvalidArn"])
def test_an_execution_that_aws_does_not_know_does_not_run_and_never_began(code: str) -> None:
    client = boto3.client("stepfunctions", region_name="us-west-2")
    with Stubber(client) as stub:
        for look in (Executions(client).is_running, Executions(client).has_begun):
            stub.add_client_error("describe_execution", code)
            assert not look(ARN)


def test_a_step_that_was_invoked_by_hand_has_no_execution_that_runs() -> None:
    client = boto3.client("stepfunctions", region_name="us-west-2")
    assert not Executions(client).is_running("")


def test_not_being_allowed_to_look_is_not_knowing() -> None:
    client = boto3.client("stepfunctions", region_name="us-west-2")
    with Stubber(client) as stub:
        stub.add_client_error("describe_execution", "AccessDeniedException")
        with pytest.raises(AccessDenied):
            Executions(client).is_running(ARN)


@mock_aws
def test_a_topic_that_is_gone_is_an_error_of_ours() -> None:
    client = boto3.client("sns", region_name="us-west-2")
    with pytest.raises(AwsRequestRejected, match="sns:Publish"):
        Notifier(client, "arn:aws:sns:us-west-2:123456789012:gone").publish(A_NOTIFICATION)
