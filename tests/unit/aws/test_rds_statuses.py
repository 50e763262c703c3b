"""Every status that AWS documents is filed once in every phase that may meet it; no status is ever guessed at."""

import pytest

from utils.aws.rds_statuses import (
    MASTER_SECRET,
    OLD_TARGET_BEFORE_DELETE,
    RESTORED_CLUSTER,
    RESTORED_INSTANCE,
    SNAPSHOT,
    StatusSets,
    Verdict,
)
from utils.errors import UnknownStatus


def words(text: str) -> list[str]:
    return text.split()


# Aurora User Guide, "Viewing DB cluster status", and those that AWS's own code handles beside them.
CLUSTER = words("""
    available backing-up backtracking cloning-failed creating deleting failing-over inaccessible-encryption-credentials
    inaccessible-encryption-credentials-recoverable maintenance migrating migration-failed modifying
    preparing-data-migration promoting renaming resetting-master-credentials starting stopped stopping
    storage-optimization update-iam-db-auth upgrading upgrade_failed rebooting configuring-iam-database-auth
    configuring-enhanced-monitoring scaling-compute scaling-storage incompatible-network incompatible-parameters
    incompatible-restore restore-failed failed deleted
""")
# Aurora User Guide, "Viewing DB instance status", and the CloudFormation provider's terminal ones.
INSTANCE = words("""
    available backing-up backtracking configuring-enhanced-monitoring configuring-iam-database-auth
    configuring-log-exports converting-to-vpc creating delete-precheck deleting failed
    inaccessible-encryption-credentials inaccessible-encryption-credentials-recoverable incompatible-create
    incompatible-network incompatible-option-group incompatible-parameters incompatible-restore insufficient-capacity
    maintenance modifying moving-to-vpc rebooting resetting-master-credentials renaming restore-error starting stopped
    stopping storage-config-upgrade storage-full storage-initialization storage-optimization upgrading upgrade_failed
    incompatible-credentials modify-failed upgrade-failed
""")
# DescribeDBClusterSnapshots, and what botocore's waiter fails on.
SNAPSHOTS = words("available copying creating deleted deleting failed incompatible-restore incompatible-parameters")

# A cluster shows what an instance of it is in as well.
EITHER = sorted({*CLUSTER, *INSTANCE})
KNOWN = [(RESTORED_CLUSTER, EITHER), (OLD_TARGET_BEFORE_DELETE, EITHER), (RESTORED_INSTANCE, INSTANCE)]
KNOWN += [(SNAPSHOT, SNAPSHOTS), (MASTER_SECRET, ["active", "creating", "impaired", "rotating"])]


@pytest.mark.parametrize(("sets", "status"), [(sets, status) for sets, known in KNOWN for status in known])
def test_every_documented_status_is_filed_exactly_once(sets: StatusSets, status: str) -> None:
    assert [status in filed for filed in (sets.ready, sets.in_progress, sets.failed)].count(True) == 1


@pytest.mark.parametrize(("sets", "known"), KNOWN)
def test_nothing_is_filed_that_aws_does_not_know(sets: StatusSets, known: list[str]) -> None:
    assert (sets.ready | sets.in_progress | sets.failed) <= set(known)


@pytest.mark.parametrize("status", ["", "AVAILABLE", "half-failed", "available "])
def test_an_unknown_status_is_an_error_that_names_it(status: str) -> None:
    with pytest.raises(UnknownStatus) as unknown:
        RESTORED_CLUSTER.judge(status, "staging")
    assert f"found status {status!r} of DB cluster staging" in str(unknown.value)


def test_a_verdict_is_what_the_phase_acts_on() -> None:
    assert RESTORED_CLUSTER.judge("available", "staging") is Verdict.READY
    assert RESTORED_CLUSTER.judge("failing-over", "staging") is Verdict.IN_PROGRESS
    assert RESTORED_CLUSTER.judge("deleting", "staging") is Verdict.FAILED
    assert OLD_TARGET_BEFORE_DELETE.judge("deleting", "staging") is Verdict.IN_PROGRESS
    assert RESTORED_INSTANCE.judge("storage-full", "staging-1") is Verdict.IN_PROGRESS
    assert OLD_TARGET_BEFORE_DELETE.judge("delete-precheck", "staging") is Verdict.IN_PROGRESS
    assert RESTORED_CLUSTER.judge("configuring-log-exports", "staging") is Verdict.IN_PROGRESS
    assert RESTORED_CLUSTER.judge("insufficient-capacity", "staging") is Verdict.FAILED
