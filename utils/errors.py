"""Every error a step can raise; the class names are what the state machine's Retry lists.

AuroraRestoreError
├── RetryableError: the state machine tries the same step again
│   ├── AwsThrottled, AwsUnavailable
│   ├── ResourceBusy, QuotaReached, CapacityUnavailable, OperationRowConflict
│   └── DatabaseUnavailable
└── PermanentError: the run stops, nothing more is touched
    ├── request:  InvalidRequest, OutsideStartWindow, OperationInProgress, OperationNotFound, OperationClosed,
    │             OperationNotResumable
    ├── snapshot: SnapshotNotFound, SnapshotNotAvailable, SnapshotTooOld, SnapshotNotRestorable
    ├── target:   TargetIsSource, TargetNotReplaceable, TargetProtected, TargetInGlobalCluster, TargetChanged,
    │             TargetNotDeletable, TargetNotBuildable
    ├── settings: KeyNotUsable, EngineVersionNotRestorable, SettingNotFound, IdentifierTaken, ConfigurationMissing
    ├── phases:   CopyFailed, DeleteFailed, RestoreFailed, PhaseTimedOut, SnapshotQuotaFull, UnknownStatus
    ├── ends:     ExecutionStopped, ExecutionTimedOut, FunctionsNotReady, ApprovalRejected, ApprovalTimedOut
    ├── users:    SecretInvalid, DatabaseNotTrusted, DatabaseLoginRefused, DatabaseChangeRefused, UsersNotProven
    ├── data:     PostRestoreSqlFailed, CheckFailed
    └── AWS:      AccessDenied, AwsRequestRejected
"""

from utils.error_base import SO_FAR as SO_FAR
from utils.error_base import AuroraRestoreError as AuroraRestoreError
from utils.error_base import PermanentError as PermanentError
from utils.error_base import RetryableError as RetryableError


class AwsThrottled(RetryableError):
    """AWS refused the call because of its rate."""


class AwsUnavailable(RetryableError):
    """AWS answered 5xx, or did not answer."""


class ResourceBusy(RetryableError):
    """The cluster, instance or snapshot is in a state that does not allow the call now."""


class QuotaReached(RetryableError):
    """A quota that frees itself, such as five copies in progress, is used up."""


class CapacityUnavailable(RetryableError):
    """AWS has no capacity for the instance class at the moment."""


class OperationRowConflict(RetryableError):
    """Another invocation wrote the operation row since it was read."""


class DatabaseUnavailable(RetryableError):
    """The restored database does not accept connections yet, or the connection broke."""


class InvalidRequest(PermanentError):
    """The request does not fit the model `RestoreRequest`."""


class OutsideStartWindow(PermanentError):
    """The run was started outside the hours that its request allows."""


class ConfigurationMissing(PermanentError):
    """An environment variable of the function is missing or malformed."""


class OperationInProgress(PermanentError):
    """Another operation holds the lock on the target cluster."""


class OperationNotFound(PermanentError):
    """No operation row has this operation id."""


class OperationClosed(PermanentError):
    """The operation has ended, or was a dry run: no step may act on it, or close it as a success, any more."""


class ApprovalRejected(PermanentError):
    """A person was asked and did not approve the plan."""


class ApprovalTimedOut(PermanentError):
    """Nobody answered in time whether the plan may be carried out."""


class OperationNotResumable(PermanentError):
    """The operation has no plan, is over, or its row does not fit this version: it cannot be resumed."""


class ExecutionStopped(PermanentError):
    """Somebody stopped the execution before its last step."""


class ExecutionTimedOut(PermanentError):
    """The execution took longer than the whole state machine may."""


class SnapshotNotFound(PermanentError):
    """No snapshot fits the request."""


class SnapshotNotAvailable(PermanentError):
    """The named snapshot exists but is not `available`."""


class SnapshotTooOld(PermanentError):
    """The snapshot is older than the request allows."""


class SnapshotNotRestorable(PermanentError):
    """The snapshot is of another engine, or its encryption key cannot leave its account."""


class TargetIsSource(PermanentError):
    """The target cluster is the source cluster."""


class TargetNotReplaceable(PermanentError):
    """The target cluster exists and is not tagged `aurora-restore:replaceable=true`."""


class TargetProtected(PermanentError):
    """The target cluster has deletion protection."""


class TargetInGlobalCluster(PermanentError):
    """The target cluster is a member of a global cluster."""


class TargetChanged(PermanentError):
    """The target cluster is not the one that was planned for."""


class TargetNotDeletable(PermanentError):
    """AWS neither snapshots nor deletes the target cluster as it is."""


class TargetNotBuildable(PermanentError):
    """RDS would refuse to build the target as it is wanted: a class, a family, a zone or a quota does not fit."""


class KeyNotUsable(PermanentError):
    """The KMS key is missing, disabled, or not open to the pipeline."""


class EngineVersionNotRestorable(PermanentError):
    """The engine version is older than the snapshot's, not offered in the target Region, or would not stay."""


class SettingNotFound(PermanentError):
    """A group, an IAM role or something else that the settings name does not exist."""


class IdentifierTaken(PermanentError):
    """A resource with the planned identifier exists and belongs to somebody else."""


class CopyFailed(PermanentError):
    """AWS ended the snapshot copy with a failure status."""


class DeleteFailed(PermanentError):
    """The final snapshot or the deletion of the old target ended with a failure status."""


class RestoreFailed(PermanentError):
    """The restored cluster or one of its instances ended with a failure status."""


class PhaseTimedOut(PermanentError):
    """A phase took longer than its budget."""


class FunctionsNotReady(PermanentError):
    """A function does not answer, or does not reach what its step needs; the state machine itself fails with it."""


class SnapshotQuotaFull(PermanentError):
    """The Region holds as many manual snapshots as its quota allows, and none of ours may be pruned."""


class UnknownStatus(PermanentError):
    """AWS answered a status that the pipeline does not know."""


class SecretInvalid(PermanentError):
    """A secret is missing, a placeholder, or not of the documented shape."""


class DatabaseNotTrusted(PermanentError):
    """The server at the cluster's endpoint has no TLS, or no certificate of a trusted CA for that host name."""


class DatabaseLoginRefused(PermanentError):
    """The restored database refused a login."""


class DatabaseChangeRefused(PermanentError):
    """The restored database refused a statement of the user set-up."""


class UsersNotProven(PermanentError):
    """A database user can do less or more than its profile says."""


class PostRestoreSqlFailed(PermanentError):
    """A script of `post_restore_sql` could not be read, is not allowed, or failed; the users stay locked out."""


class CheckFailed(PermanentError):
    """A check of the request does not hold; the users stay locked out."""


class AccessDenied(PermanentError):
    """IAM refused a call of the pipeline."""


class AwsRequestRejected(PermanentError):
    """AWS rejected a call for a reason that trying again does not change."""
