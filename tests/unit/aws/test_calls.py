"""Every AWS error becomes one of ours: retried when that helps, and permanent when it does not."""

from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from tests.fakes.rds_items import aws_error
from utils.aws.calls import aws_call, error_code
from utils.errors import (
    AccessDenied,
    AuroraRestoreError,
    AwsRequestRejected,
    AwsThrottled,
    AwsUnavailable,
    CapacityUnavailable,
    KeyNotUsable,
    PermanentError,
    QuotaReached,
    ResourceBusy,
)

WIRE_CODES = {
    AwsThrottled: """
        BandwidthLimitExceeded EC2ThrottledException KMSThrottling KmsThrottlingException PriorRequestNotComplete
        ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled
        RequestThrottledException SlowDown Throttled ThrottledException Throttling ThrottlingException
        TooManyRequestsException
    """,
    AccessDenied: """
        AccessDenied AccessDeniedException AuthorizationError AuthorizationErrorException ExpiredToken
        ExpiredTokenException InvalidClientTokenId UnauthorizedOperation UnrecognizedClientException
    """,
    ResourceBusy: """
        ConcurrentUpdateException InvalidDBClusterEndpointStateFault InvalidDBClusterSnapshotStateFault
        InvalidDBClusterStateFault InvalidDBInstanceState InvalidDBProxyStateFault InvalidResourceStateFault
        TransactionInProgressException
    """,
    QuotaReached: """
        DBClusterQuotaExceededFault InstanceQuotaExceeded LimitExceededException SnapshotQuotaExceeded
        StorageQuotaExceeded
    """,
    CapacityUnavailable: """
        InsufficientDBClusterCapacityFault InsufficientDBInstanceCapacity InsufficientStorageClusterCapacity
    """,
    KeyNotUsable: """
        DisabledException KMSInvalidStateException KMSKeyNotAccessibleFault KMSNotFoundException NotFoundException
    """,
    AwsRequestRejected: "InvalidParameterCombination ValidationException DBSubnetGroupDoesNotCoverEnoughAZs ''",
}
SERVICES = (
    *("application-autoscaling", "dynamodb", "ec2", "events", "iam", "kms"),
    *("lambda", "rds", "s3", "secretsmanager", "sns", "stepfunctions"),
)
# What the pipeline changes in RDS, by operation.
CHANGES = [
    "CopyDBClusterSnapshot",
    "CreateDBClusterSnapshot",
    "DeleteDBClusterSnapshot",
    "ModifyDBCluster",
    "DeleteDBInstance",
    "DeleteDBCluster",
    "RestoreDBClusterFromSnapshot",
    "CreateDBInstance",
]


def translated(error: Exception) -> AuroraRestoreError:
    with pytest.raises(AuroraRestoreError) as raised, aws_call("rds:CopyDBClusterSnapshot"):
        raise error
    return raised.value


@cache
def faults() -> dict[str, str]:
    """The faults that RDS's changing calls declare: class name to wire code."""
    model = botocore.session.get_session().get_service_model("rds")
    shapes: list[Any] = [shape for name in CHANGES for shape in model.operation_model(name).error_shapes]
    return {shape.name: shape.error_code or shape.name for shape in shapes}


@pytest.mark.parametrize(
    ("ours", "code"), [(ours, code) for ours, codes in WIRE_CODES.items() for code in codes.split()]
)
def test_a_wire_code_is_one_of_our_errors(ours: type[AuroraRestoreError], code: str) -> None:
    assert type(translated(aws_error(code.strip("'")))) is ours


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_a_service_declares_as_throttling_is_known_by_its_wire_code(service: str) -> None:
    shapes: list[Any] = botocore.session.get_session().get_service_model(service).error_shapes
    codes = {shape.error_code or shape.name for shape in shapes if "Throttl" in shape.name}
    assert {code: type(translated(aws_error(code))) for code in codes} == dict.fromkeys(codes, AwsThrottled)


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("QuotaExceeded", QuotaReached),
        ("Insufficient", CapacityUnavailable),
        ("InvalidDBCluster", ResourceBusy),
        ("InvalidDBInstanceState", ResourceBusy),
        ("KMSKeyNotAccessible", KeyNotUsable),
    ],
)
def test_every_such_fault_that_rds_declares_is_known_by_its_wire_code(
    word: str, ours: type[AuroraRestoreError]
) -> None:
    # Quotas of roles, tenants and automated backups do not free themselves.
    unasked = ("DBClusterRole", "Tenant", "AutomatedBackup")
    declared = [code for name, code in faults().items() if word in name and not any(part in name for part in unasked)]
    assert declared
    assert {code: type(translated(aws_error(code))) for code in declared} == dict.fromkeys(declared, ours)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_tried_again(status: int) -> None:
    assert type(translated(aws_error("InternalFailure", status=status))) is AwsUnavailable


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosedError(endpoint_url="https://rds"),
        ConnectTimeoutError(endpoint_url="https://rds"),
        EndpointConnectionError(endpoint_url="https://rds"),
        ReadTimeoutError(endpoint_url="https://rds"),
        SSLError(endpoint_url="https://rds", error=OSError("handshake")),
        ProxyConnectionError(proxy_url="http://proxy"),
        ResponseParserError("<html>"),
    ],
)
def test_a_broken_connection_is_tried_again(error: Exception) -> None:
    ours = translated(error)
    assert type(ours) is AwsUnavailable
    assert f"no answer from AWS to rds:CopyDBClusterSnapshot ({type(error).__name__})" in str(ours)


@pytest.mark.parametrize(
    "error",
    [
        NoCredentialsError(),
        PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        CredentialRetrievalError(provider="sso", error_msg="expired"),
    ],
)
def test_missing_credentials_are_no_mystery(error: BotoCoreError) -> None:
    assert type(translated(error)) is AccessDenied


def test_a_parameter_that_botocore_refuses_is_not_repeated() -> None:
    error = translated(ParamValidationError(report="Invalid type for parameter MasterUserPassword, value: hunter2"))
    assert isinstance(error, PermanentError)
    assert "ParamValidationError" in str(error)
    assert "hunter2" not in str(error)


def test_the_message_names_the_call_the_code_and_what_aws_said() -> None:
    error = translated(aws_error("AccessDenied", "User x is not authorized"))
    assert str(error).startswith(
        "found AccessDenied from rds:CopyDBClusterSnapshot: User x is not authorized; expected"
    )
    assert isinstance(error.__cause__, ClientError)


def test_an_answer_without_an_error_has_no_code() -> None:
    assert error_code(ClientError({}, "Operation")) == ""


def test_what_is_not_from_aws_passes() -> None:
    with pytest.raises(KeyError), aws_call("rds:CopyDBClusterSnapshot"):
        raise KeyError("ours")
