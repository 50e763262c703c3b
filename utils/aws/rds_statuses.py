"""Every status of RDS that the pipeline knows, filed under what it means for the phase that looks.

Sources: Aurora User Guide, "Viewing DB cluster status" and "Viewing DB instance status"; terminal statuses as in the
CloudFormation provider (aws-cloudformation-resource-providers-rds).
"""

from dataclasses import dataclass
from enum import StrEnum

from utils.errors import UnknownStatus


class Verdict(StrEnum):
    """What a status means for a phase."""

    IN_PROGRESS = "IN_PROGRESS"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, kw_only=True)
class StatusSets:
    """The statuses of one kind of resource in one phase; they do not overlap."""

    kind: str
    ready: frozenset[str]
    in_progress: frozenset[str]
    failed: frozenset[str]

    def judge(self, status: str, identifier: str) -> Verdict:
        """Say what `status` means; raises `UnknownStatus` for one that is in no set."""
        if status in self.ready:
            return Verdict.READY
        if status in self.in_progress:
            return Verdict.IN_PROGRESS
        if status in self.failed:
            return Verdict.FAILED
        raise UnknownStatus(
            f"status {status!r} of {self.kind} {identifier}",
            expected=f"one of {', '.join(sorted(self.ready | self.in_progress | self.failed))}",
            action="look at the resource in the RDS console; if it is well, start the run again and report the status",
        )


_CHANGING_INSTANCE = frozenset(
    {
        "backing-up",
        "backtracking",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "converting-to-vpc",
        "creating",
        "maintenance",
        "modifying",
        "moving-to-vpc",
        "rebooting",
        "renaming",
        "resetting-master-credentials",
        "starting",
        "storage-config-upgrade",
        "storage-full",
        "storage-initialization",
        "upgrading",
    }
)
_FAILED_INSTANCE = frozenset(
    {
        "delete-precheck",
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-create",
        "incompatible-credentials",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "modify-failed",
        "restore-error",
        "stopped",
        "stopping",
        "upgrade-failed",
        "upgrade_failed",
    }
)
# A cluster shows an instance's statuses as well.
_CHANGING_CLUSTER = _CHANGING_INSTANCE | {
    "failing-over",
    "migrating",
    "preparing-data-migration",
    "promoting",
    "scaling-compute",
    "scaling-storage",
    "storage-optimization",
    "update-iam-db-auth",
}
_FAILED_CLUSTER = _FAILED_INSTANCE | {"cloning-failed", "migration-failed", "restore-failed"}
_ON_ITS_WAY = frozenset({"delete-precheck", "deleting", "deleted", "stopped", "stopping"})

SNAPSHOT = StatusSets(
    kind="DB cluster snapshot",
    ready=frozenset({"available"}),
    in_progress=frozenset({"creating", "copying"}),
    failed=frozenset({"deleted", "deleting", "failed", "incompatible-parameters", "incompatible-restore"}),
)

RESTORED_CLUSTER = StatusSets(
    kind="DB cluster",
    ready=frozenset({"available"}),
    in_progress=_CHANGING_CLUSTER,
    failed=_FAILED_CLUSTER | {"deleted", "deleting", "stopped", "stopping"},
)

RESTORED_INSTANCE = StatusSets(
    kind="DB instance",
    ready=frozenset({"available", "storage-optimization"}),
    in_progress=_CHANGING_INSTANCE,
    failed=_FAILED_INSTANCE,
)

# Of a restored cluster: what it shows before its first login, and what a restore that fails ends in.
NEVER_ANSWERED = frozenset(
    {
        "cloning-failed",
        "creating",
        "failed",
        "incompatible-create",
        "incompatible-restore",
        "migrating",
        "migration-failed",
        "preparing-data-migration",
        "restore-error",
        "restore-failed",
    }
)

# MasterUserSecret.SecretStatus, in the RDS API Reference.
MASTER_SECRET = StatusSets(
    kind="the master user's secret",
    ready=frozenset({"active"}),
    in_progress=frozenset({"creating", "rotating"}),
    failed=frozenset({"impaired"}),
)


OLD_TARGET_BEFORE_DELETE = StatusSets(
    kind="DB cluster",
    ready=frozenset({"available"}),
    # A stopped one is started by Delete RDS.
    in_progress=_CHANGING_CLUSTER | _ON_ITS_WAY,
    failed=_FAILED_CLUSTER - _ON_ITS_WAY,
)
