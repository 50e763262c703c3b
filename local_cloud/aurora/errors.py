"""The errors of the RDS API: wire code, HTTP status, message.

The wire codes are those of the service model; some differ from the name of the exception class
(DBInstanceNotFoundFault travels as `DBInstanceNotFound`).
"""

from __future__ import annotations


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, code: str, message: str, http_status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.http_status = http_status


class AccessDeniedError(ApiError):
    """The caller may not do this to this resource."""

    def __init__(self, caller_arn: str, action: str, resource_arn: str) -> None:
        super().__init__(
            "AccessDenied",
            f"User: {caller_arn} is not authorized to perform: {action} on resource: {resource_arn} "
            f"because no identity-based policy allows the {action} action",
            403,
        )


class NotSupportedError(ApiError):
    """Aurora may do this; the local Aurora does not."""

    def __init__(self, what: str) -> None:
        super().__init__("NotSupportedByLocalAurora", f"{what} is not supported by the local Aurora")


def missing_parameter(name: str) -> ApiError:
    """Return the refusal of a request without a required member."""
    return ApiError("MissingParameter", f"The request must contain the parameter {name}.")


def invalid_value(message: str) -> ApiError:
    """Return the refusal of a value that is wrong by itself."""
    return ApiError("InvalidParameterValue", message)


def invalid_combination(message: str) -> ApiError:
    """Return the refusal of values that do not go together."""
    return ApiError("InvalidParameterCombination", message)


def cluster_not_found(identifier: str) -> ApiError:
    """Return the answer for a cluster that does not exist."""
    return ApiError("DBClusterNotFoundFault", f"DBCluster {identifier} not found.", 404)


def cluster_exists() -> ApiError:
    """Return the refusal of a cluster identifier that is taken."""
    return ApiError("DBClusterAlreadyExistsFault", "DB Cluster already exists")


def cluster_state(message: str) -> ApiError:
    """Return the refusal of a call that the cluster's status does not allow."""
    return ApiError("InvalidDBClusterStateFault", message)


def instance_not_found(identifier: str) -> ApiError:
    """Return the answer for an instance that does not exist."""
    return ApiError("DBInstanceNotFound", f"DBInstance {identifier} not found.", 404)


def instance_exists() -> ApiError:
    """Return the refusal of an instance identifier that is taken."""
    return ApiError("DBInstanceAlreadyExists", "DB instance already exists")


def instance_state(message: str) -> ApiError:
    """Return the refusal of a call that the instance's status does not allow."""
    return ApiError("InvalidDBInstanceState", message)


def snapshot_not_found(identifier: str) -> ApiError:
    """Return the answer for a cluster snapshot that does not exist."""
    return ApiError("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot not found: {identifier}", 404)


def snapshot_exists(identifier: str) -> ApiError:
    """Return the refusal of a cluster snapshot identifier that is taken."""
    return ApiError(
        "DBClusterSnapshotAlreadyExistsFault",
        f"Cannot create the cluster snapshot because one with the identifier {identifier} already exists.",
    )


def snapshot_state(message: str) -> ApiError:
    """Return the refusal of a call that the snapshot's status does not allow."""
    return ApiError("InvalidDBClusterSnapshotStateFault", message)


def snapshot_quota(message: str) -> ApiError:
    """Return the refusal of one snapshot too many."""
    return ApiError("SnapshotQuotaExceeded", message)


def key_not_accessible(key_id: str) -> ApiError:
    """Return the refusal of a KMS key that is missing, disabled or closed to the caller."""
    return ApiError(
        "KMSKeyNotAccessibleFault",
        f"Specified KMS key [{key_id}] does not exist, is not enabled or you do not have permissions to access it.",
    )
