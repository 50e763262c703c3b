"""The source cluster itself instead of a snapshot of it: as of a moment, or as a clone; both stay where it is.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-pitr.html and Aurora.Managing.Clone.html
"""

from datetime import datetime

from utils.aws.rds_models import Cluster, Snapshot
from utils.aws.rds_reader import ENGINE, RdsReader
from utils.errors import InvalidRequest, SnapshotNotAvailable, SnapshotNotFound, SnapshotNotRestorable
from utils.operation.planned import SourceSnapshot
from utils.plan import guards
from utils.plan.source.opted_in import check_is_opted_in
from utils.request.model import RestoreRequest
from utils.request.source import Source
from utils.restore_type import RestoreType
from utils.settings import Settings
from utils.words import counted

_MOST_CLONES = 15
_PROVISIONED = "provisioned"
_SNAPSHOT_INSTEAD = "leave restore_time and fast_clone out, which restores the newest snapshot"


def choose_moment(source: Source, rds: RdsReader, settings: Settings, now: datetime) -> Snapshot:
    """Return the source cluster as of the wanted moment, in the shape of a snapshot.

    Raises `InvalidRequest`, `SnapshotNotFound`, `SnapshotNotAvailable`, `SnapshotNotRestorable`.
    """
    _check_it_is_here(source, settings)
    cluster = rds.find_cluster(source.cluster_id)
    if cluster is None:
        raise SnapshotNotFound(
            f"no cluster {source.cluster_id} in {source.region}",
            field="source.cluster_id",
            expected="the source cluster, which a point in time and a clone are made from",
            action=f"correct it, or {_SNAPSHOT_INSTEAD}",
        )
    _check_kind(cluster)
    if source.restore_type is RestoreType.COPY_ON_WRITE:
        check_clonable(cluster, rds)
        moment = now
    else:
        moment = _restorable_moment(cluster, source.restore_to)
    return Snapshot(
        identifier=cluster.identifier,
        arn=cluster.arn,
        source_arn=None,
        cluster_id=cluster.identifier,
        cluster_resource_id=cluster.resource_id,
        created_at=moment,
        engine=cluster.engine,
        engine_version=cluster.engine_version,
        status=cluster.status,
        percent=100,
        snapshot_type=source.restore_type,
        kms_key_id=cluster.settings.kms_key_id,
        storage_gib=0,
        port=cluster.port,
        master_username=cluster.master_username,
        tags=cluster.tags,
        restore_type=source.restore_type,
    )


def check_members_of_request(request: RestoreRequest, snapshot: Snapshot) -> None:
    """Refuse what RDS does not take with a point in time; raises `InvalidRequest`."""
    wanted, target = snapshot.engine_version, request.target
    if target.engine_version not in (None, wanted):
        raise InvalidRequest(
            f"{target.engine_version}, with a point in time or a clone of a cluster of {wanted}",
            field="target.engine_version",
            expected=f"{wanted}: RDS takes no version with them",
            action=f"leave it out, or {_SNAPSHOT_INSTEAD}",
        )
    if target.availability_zones:
        raise InvalidRequest(
            ", ".join(target.availability_zones),
            field="target.availability_zones",
            expected="nothing: RDS takes no zones of the storage with a point in time or a clone",
            action=f"leave it out, name zones of the instances instead, or {_SNAPSHOT_INSTEAD}",
        )


def check_restorable_source(source: SourceSnapshot, restored_from: str, rds: RdsReader, *, unseen: bool) -> None:
    """Make sure right before a deletion that what will be restored is there; `unseen`: RDS may not show it yet.

    Raises `ResourceBusy`, `SnapshotNotAvailable`, `SnapshotNotRestorable`.
    """
    if source.restore_type is RestoreType.SNAPSHOT:
        guards.check_restorable_now(rds, restored_from, may_be_unseen=unseen)
        return
    cluster = rds.find_cluster(source.cluster_id)
    if cluster is None or cluster.resource_id != source.resource_id:
        raise SnapshotNotAvailable(
            f"cluster {source.cluster_id} with resource id {cluster.resource_id}"
            if cluster
            else f"no cluster {source.cluster_id}",
            expected=f"the source cluster of the plan, {source.resource_id}",
            action="start a new run, from a snapshot of it if there is one",
        )
    _check_kind(cluster)
    if source.restore_type is RestoreType.COPY_ON_WRITE:
        check_clonable(cluster, rds)
    else:
        _restorable_moment(cluster, source.restore_to)


def check_clonable(cluster: Cluster, rds: RdsReader) -> None:
    """Refuse a cluster that RDS clones not now, or not once more; raises `SnapshotNotAvailable` and the like."""
    if cluster.status != "available" or not cluster.member_ids:
        raise SnapshotNotAvailable(
            f"cluster {cluster.identifier} with status {cluster.status} and "
            f"{counted(len(cluster.member_ids), 'instance')}",
            field="source.fast_clone",
            expected="status available and an instance at least, without which RDS clones nothing",
            action="start it or wait for it, or leave fast_clone out, which restores the newest snapshot",
        )
    clones = [item for item in rds.clone_group(cluster.clone_group_id) if item != cluster.identifier]
    if len(clones) >= _MOST_CLONES:
        raise SnapshotNotRestorable(
            f"{len(clones)} clusters that share the storage of {cluster.identifier} ({', '.join(clones)})",
            field="source.fast_clone",
            expected=f"fewer than {_MOST_CLONES}, the most copy-on-write clones there may be",
            action='delete one of them, or use "restore_time": "latest", which makes a full copy',
        )


def _check_it_is_here(source: Source, settings: Settings) -> None:
    account = source.account_id or settings.account_id
    if (source.region, account) != (settings.target_region, settings.account_id):
        raise InvalidRequest(
            f"a source in {source.region} of account {account}",
            field="source.fast_clone" if source.fast_clone else "source.restore_time",
            expected=f"one in {settings.target_region} of account {settings.account_id}, the target's: RDS brings no "
            "point in time and no clone anywhere else",
            action=f"{_SNAPSHOT_INSTEAD}; take one first if the newest is too old; nothing was changed",
        )
    check_is_opted_in(
        source.cluster_id,
        settings.point_in_time_sources,
        parameter="PointInTimeSources",
        field="source.fast_clone" if source.fast_clone else "source.restore_time",
        instead=_SNAPSHOT_INSTEAD,
    )


def _check_kind(cluster: Cluster) -> None:
    if cluster.engine != ENGINE or cluster.engine_mode != _PROVISIONED or "limitless" in cluster.engine_version:
        raise SnapshotNotRestorable(
            f"cluster {cluster.identifier} of engine {cluster.engine} {cluster.engine_version}, mode "
            f"{cluster.engine_mode}",
            field="source.cluster_id",
            expected=f"{ENGINE}, {_PROVISIONED} (which Serverless v2 is)",
            action="name a cluster of Aurora PostgreSQL",
        )
    if cluster.settings.kms_key_id is None:
        raise SnapshotNotRestorable(
            f"cluster {cluster.identifier} without a KMS key",
            field="source.cluster_id",
            expected="a cluster under a KMS key: RDS gives a point in time or a clone of another no key, and what this "
            "pipeline restores has one",
            action=f"{_SNAPSHOT_INSTEAD} and encrypts it",
        )


def _restorable_moment(cluster: Cluster, wanted: datetime | None) -> datetime:
    earliest, latest = cluster.earliest_restorable, cluster.latest_restorable
    if earliest is None or latest is None:
        raise SnapshotNotAvailable(
            f"cluster {cluster.identifier} with status {cluster.status}, of which RDS tells no restorable time",
            field="source.restore_time",
            expected="a cluster that has been backed up",
            action=f"wait for its first backup, or {_SNAPSHOT_INSTEAD}",
        )
    if wanted is not None and not earliest <= wanted <= latest:
        raise SnapshotNotAvailable(
            f"{wanted:%Y-%m-%d %H:%M:%S} UTC",
            field="source.restore_time",
            expected=f"a time from {earliest:%Y-%m-%d %H:%M:%S} to {latest:%Y-%m-%d %H:%M:%S} UTC, within which RDS "
            f"can restore {cluster.identifier}",
            action='correct it, or use "latest"; what is older is in snapshots only',
        )
    return wanted or latest
