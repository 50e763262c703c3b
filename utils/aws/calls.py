"""From botocore's exceptions to the pipeline's own, by wire code.

Codes: botocore service models; note that some instance and quota faults drop their `Fault` suffix on the wire.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.parsers import ResponseParserError

from utils.errors import (
    AccessDenied,
    AuroraRestoreError,
    AwsRequestRejected,
    AwsThrottled,
    AwsUnavailable,
    CapacityUnavailable,
    KeyNotUsable,
    QuotaReached,
    ResourceBusy,
)

_THROTTLED = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "KMSThrottling",
    "KmsThrottlingException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
}
_BUSY = {
    "ConcurrentUpdateException",
    "InvalidDBClusterEndpointStateFault",
    "InvalidDBClusterSnapshotStateFault",
    "InvalidDBClusterStateFault",
    "InvalidDBInstanceState",
    "InvalidDBProxyStateFault",
    "InvalidResourceStateFault",
    "TransactionInProgressException",
}
_QUOTA = {
    "DBClusterQuotaExceededFault",
    "InstanceQuotaExceeded",
    "LimitExceededException",  # botocore takes it for a throttle; to KMS and Application Auto Scaling it is a quota
    "SnapshotQuotaExceeded",
    "StorageQuotaExceeded",
}
_CAPACITY = {
    "InsufficientDBClusterCapacityFault",
    "InsufficientDBInstanceCapacity",
    "InsufficientStorageClusterCapacity",
}
_KEY = {
    "DisabledException",
    "KMSInvalidStateException",
    "KMSKeyNotAccessibleFault",
    "KMSNotFoundException",
    "NotFoundException",
}

_Refusal = Callable[[str], AuroraRestoreError]
_AGAIN = "nothing, the step is tried again"


def _refusals() -> dict[str, _Refusal]:
    """Say by wire code which error it is, from what was found."""
    by_kind: tuple[tuple[set[str], _Refusal], ...] = (
        (_THROTTLED, lambda found: AwsThrottled(found, expected="the call to pass", action=_AGAIN)),
        (
            _DENIED,
            lambda found: AccessDenied(
                found,
                expected="the function's role to allow the call",
                action="compare the role with infrastructure/lambda.yaml, and look for a policy or boundary that "
                "denies it",
            ),
        ),
        (
            _BUSY,
            lambda found: ResourceBusy(found, expected="a state that allows the call", action=f"{_AGAIN} for a while"),
        ),
        (
            _QUOTA,
            lambda found: QuotaReached(
                found,
                expected="room in the quota",
                action="delete what is not needed or ask AWS to raise the quota",
            ),
        ),
        (
            _CAPACITY,
            lambda found: CapacityUnavailable(
                found, expected="free capacity", action=f"{_AGAIN}; else take another instance class"
            ),
        ),
        (
            _KEY,
            lambda found: KeyNotUsable(
                found,
                expected="an enabled KMS key that the function's role and RDS may use",
                action="enable the key, or name another one in target.kms_key_id",
            ),
        ),
    )
    return {code: refusal for codes, refusal in by_kind for code in codes}


_REFUSALS = _refusals()


def error_code(error: ClientError) -> str:
    """Return the wire code of an AWS error."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def aws_call(name: str) -> Iterator[None]:
    """Turn every botocore exception of the call `name` (as in IAM, `rds:CopyDBClusterSnapshot`) into our own."""
    try:
        yield
    except ClientError as error:
        raise _translated(name, error) from error
    except (BotocoreConnectionError, HTTPClientError, ResponseParserError) as error:
        raise AwsUnavailable(
            f"no answer from AWS to {name} ({type(error).__name__})",
            expected="an answer",
            action="nothing, the step is tried again; if it goes on, check the function's network",
        ) from error
    except (CredentialRetrievalError, NoCredentialsError, PartialCredentialsError) as error:
        raise AccessDenied(
            f"no credentials for {name}",
            expected="the credentials of the function's role",
            action="run the step as a Lambda function, or set AWS credentials",
        ) from error
    except BotoCoreError as error:
        # A refused parameter is repeated in botocore's text, and a parameter may be a password.
        raise AwsRequestRejected(
            f"{type(error).__name__} from botocore for {name}",
            expected="parameters that botocore accepts",
            action="look at the settings of the request that this call uses, correct them, then start a new run",
        ) from None


@contextmanager
def answer_of(name: str) -> Iterator[None]:
    """Turn what an answer of the call `name` lacks, although AWS always gives it, into an error of our own."""
    try:
        yield
    except KeyError as missing:
        raise AwsUnavailable(
            f"an answer to {name} without {missing.args[0]}",
            expected="it in every answer",
            action=f"{_AGAIN}; if it goes on, ask AWS",
        ) from None


def _translated(name: str, error: ClientError) -> AuroraRestoreError:
    code = error_code(error)
    http_status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    found = f"{code} from {name}: {error.response.get('Error', {}).get('Message', '')}"
    if code in _REFUSALS:
        return _REFUSALS[code](found)
    if http_status >= 500:
        return AwsUnavailable(found, expected="an answer", action=_AGAIN)
    return AwsRequestRejected(
        found,
        expected="AWS to accept the call",
        action="correct what AWS names; what is in the request is corrected by a new run alone",
    )
