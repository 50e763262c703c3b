"""`source.snapshot: "new"`: a snapshot that the run is to take of its source, before it is copied or restored."""

from datetime import datetime

from utils.aws.rds_models import Cluster, Snapshot
from utils.aws.rds_reader import ENGINE, RdsReader
from utils.errors import InvalidRequest, SnapshotNotAvailable, SnapshotNotFound, SnapshotNotRestorable
from utils.identifiers import derived_identifier
from utils.plan.source.opted_in import check_is_opted_in
from utils.request.model import RestoreRequest
from utils.settings import Settings

_INSTEAD = 'use "latest", the newest snapshot that is there'


def snapshot_to_take(
    request: RestoreRequest, operation_id: str, rds: RdsReader, settings: Settings, now: datetime
) -> Snapshot:
    """Return the snapshot that will be taken, as far as its cluster tells what it will be like.

    Raises `InvalidRequest`, `SnapshotNotFound`, `SnapshotNotAvailable`, `SnapshotNotRestorable`.
    """
    source = request.source
    if source.account_id not in (None, settings.account_id):
        raise InvalidRequest(
            f'"new" of a cluster of account {source.account_id}',
            field="source.snapshot",
            expected=f"a cluster of account {settings.account_id}: nobody takes snapshots in another account",
            action=f"{_INSTEAD}; infrastructure/source-account.yaml has that account share one every night",
        )
    check_is_opted_in(
        source.cluster_id,
        settings.new_snapshot_sources,
        parameter="NewSnapshotSources",
        field="source.snapshot",
        instead=_INSTEAD,
    )
    cluster = rds.find_cluster(source.cluster_id)
    if cluster is None:
        raise SnapshotNotFound(
            f"no cluster {source.cluster_id} in {source.region}",
            field="source.cluster_id",
            expected="the source cluster, of which a snapshot is to be taken",
            action=f"correct it, or {_INSTEAD}",
        )
    _check_can_be_taken(cluster)
    name = derived_identifier("aurora-restore-source", request.target.cluster_id, operation_id)
    return Snapshot(
        identifier=name,
        arn=f"{cluster.arn.rsplit(':', 2)[0]}:cluster-snapshot:{name}",
        source_arn=None,
        cluster_id=cluster.identifier,
        cluster_resource_id=cluster.resource_id,
        created_at=now,
        engine=cluster.engine,
        engine_version=cluster.engine_version,
        status="creating",
        percent=0,
        snapshot_type="manual",
        kms_key_id=cluster.settings.kms_key_id,
        storage_gib=0,
        port=cluster.port,
        master_username=cluster.master_username,
        tags={},
    )


def _check_can_be_taken(cluster: Cluster) -> None:
    if cluster.engine != ENGINE:
        raise SnapshotNotRestorable(
            f"cluster {cluster.identifier} of engine {cluster.engine}",
            field="source.cluster_id",
            expected=ENGINE,
            action="name a cluster of Aurora PostgreSQL",
        )
    if cluster.status != "available":
        raise SnapshotNotAvailable(
            f"cluster {cluster.identifier} with status {cluster.status}",
            field="source.snapshot",
            expected="status available, in which RDS takes a snapshot",
            action=f"wait for it or start it, or {_INSTEAD}",
        )
