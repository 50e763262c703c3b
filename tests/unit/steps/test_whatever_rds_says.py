"""Whatever happens in RDS between two calls, and whatever it answers: a step ends well or with an error of ours.

What that error claims to have changed is compared with the journal each time (`FakeAws.run`).
"""

import contextlib
import copy
import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.aws import FakeAws
from tests.fakes.rds_items import Item
from utils.errors import AuroraRestoreError
from utils.runtime.contract import StepStatus
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot

CODES = [
    "InvalidDBClusterStateFault",
    "InvalidDBInstanceState",
    "DBClusterNotFoundFault",
    "DBInstanceNotFound",
    "ThrottlingException",
    "KMSKeyNotAccessibleFault",
    "InvalidParameterValue",
    "AccessDenied",
    "InternalFailure",
    "SnapshotQuotaExceeded",
    "RequestExpired",
    "InsufficientStorageClusterCapacity",
    "DBClusterSnapshotNotFoundFault",
    "SomethingNewFault",
]
CALLS = [
    "copy_db_cluster_snapshot",
    "create_db_cluster_snapshot",
    "delete_db_cluster",
    "delete_db_instance",
    "modify_db_cluster",
    "restore_db_cluster_from_snapshot",
    "create_db_instance",
    "add_tags_to_resource",
    "describe_db_clusters",
    "describe_db_instances",
    "describe_db_cluster_snapshots",
    "describe_account_attributes",
    "describe_db_engine_versions",
    "describe_db_major_engine_versions",
]
STATUSES = [
    "deleting",
    "creating",
    "stopped",
    "stopping",
    "starting",
    "failed",
    "maintenance",
    "inaccessible-encryption-credentials",
    "upgrading",
    "inaccessible-encryption-credentials-recoverable",
    "incompatible-network",
    "incompatible-restore",
    "storage-full",
    "renaming",
    "backing-up",
    "modifying",
    "resetting-master-credentials",
    "brand-new",
    "Available",
    "update-iam-db-auth",
]
DESCRIBED = {
    "cluster": ("describe_db_clusters", "DBClusters"),
    "instance": ("describe_db_instances", "DBInstances"),
    "snapshot": ("describe_db_cluster_snapshots", "DBClusterSnapshots"),
}
WORDS = ("planned by the test", "", "x" * 3000, "Der Schlüssel fehlt.\n")


class Chance:
    """What may happen to an account, picked by a number that repeats it."""

    def __init__(self, seed: int, aws: FakeAws) -> None:
        self._pick = random.Random(seed)  # noqa: S311 - a story
        self._aws = aws
        self.happened: list[str] = []

    def happens(self, *, percent: int) -> bool:
        return self._pick.random() * 100 < percent

    def strikes(self) -> None:
        if not self.happens(percent=30):
            return
        kinds: list[Callable[[], str]] = [self._refusal, self._refusal, self._member_less, self._odd_status, self._loss]
        self.happened.append(self._pick.choice(kinds)())

    def _refusal(self) -> str:
        call, code = self._pick.choice(CALLS), self._pick.choice(CODES)
        region = self._aws.west if self.happens(percent=80) else self._aws.east
        region.fail(call, code, self._pick.choice(WORDS))
        return f"{call} refused: {code}"

    def _member_less(self) -> str:
        kind, pool, name = self._thing()
        call, answer_key = DESCRIBED[kind]
        member, region = self._pick.choice(sorted(pool[name])), self._aws.west
        whole = getattr(region, call)

        def without(**params: Any) -> Item:
            setattr(region, call, whole)
            answer: Item = copy.deepcopy(whole(**params))
            for item in answer[answer_key]:
                item.pop(member, None)
            return answer

        setattr(region, call, without)
        return f"an answer of {call} without {member}"

    def _odd_status(self) -> str:
        kind, pool, name = self._thing()
        status = self._pick.choice(STATUSES)
        pool[name]["DBInstanceStatus" if kind == "instance" else "Status"] = status
        return f"{kind} {name}: {status}"

    def _loss(self) -> str:
        kind, pool, name = self._thing()
        if self.happens(percent=30):
            pool[f"{name}-x"] = copy.deepcopy(pool[name])
            return f"{kind} {name} twice"
        del pool[name]
        return f"{kind} {name} gone"

    def _thing(self) -> tuple[str, dict[str, Item], str]:
        west = self._aws.west
        pools = {"cluster": west.clusters, "instance": west.instances, "snapshot": west.snapshots}
        full = {kind: pool for kind, pool in pools.items() if pool} or {"snapshot": self._aws.east.snapshots}
        kind = self._pick.choice(list(full))
        return kind, full[kind], self._pick.choice(list(full[kind]))


@given(seed=st.integers(0, 2**32))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_step_ends_well_or_with_an_error_of_ours_that_tells_what_was_done(seed: int) -> None:
    aws = FakeAws()
    aws.has_production()
    aws.has_old_target()
    chance = Chance(seed, aws)
    with contextlib.suppress(AuroraRestoreError):
        whole_run(aws, chance)


def whole_run(aws: FakeAws, chance: Chance) -> None:
    chance.strikes()
    aws.start(override_deletion_protection=True, final_snapshot=chance.happens(percent=80))
    phases = (
        (copy_snapshot, check_copy_status),
        (delete_rds, check_delete_status),
        (restore_snapshot, check_restore_status),
    )
    for act, look in phases:
        for _ in range(12):
            chance.strikes()
            if aws.run(act).status is StepStatus.READY:
                break
            aws.west.settle()
            chance.strikes()
            if chance.happens(percent=50):
                forget_what_is_deleted(aws)
            aws.clock.advance(minutes=600 if chance.happens(percent=20) else 1)
            if aws.run(look).status is StepStatus.READY:
                break
    chance.strikes()
    aws.run(archive_snapshot)


def forget_what_is_deleted(aws: FakeAws) -> None:
    for name, cluster in list(aws.west.clusters.items()):
        if cluster.get("Status") == "deleting":
            members = [key for key, item in aws.west.instances.items() if item.get("DBClusterIdentifier") == name]
            aws.west.forget_cluster(name, members)
