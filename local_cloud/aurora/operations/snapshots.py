"""CreateDBClusterSnapshot, DeleteDBClusterSnapshot, DescribeDBClusterSnapshots."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import invalid_combination, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.clusters import require_available
from local_cloud.aurora.operations.paging import by_identifier, keep_matching, page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.describe_snapshots import describe_snapshot
from local_cloud.aurora.state.resources import Cluster, Snapshot, Tags
from local_cloud.aurora.state.store import RegionState
from local_cloud.aurora.state.tagging import requested_tags
from local_cloud.aurora.state.versions import ENGINE

AUTOMATED = "automated"
TYPES = (AUTOMATED, "manual", "shared", "public")


def new_snapshot_allowed(call: Call, identifier: str) -> None:
    """Refuse a taken identifier and one manual snapshot too many."""
    require(identifier not in call.state.snapshots, errors.snapshot_exists(identifier))
    manual = [item for item in call.state.snapshots.values() if item.snapshot_type == "manual"]
    most = call.settings.quotas.manual_snapshots
    require(len(manual) < most, errors.snapshot_quota(f"Cannot create more than {most} manual snapshots"))


def take_snapshot(call: Call, cluster: Cluster, identifier: str, tags: Tags, snapshot_type: str = "manual") -> Snapshot:
    """Start to take a snapshot: a consistent copy of the data directory, also while clients write."""
    snapshot = Snapshot(
        identifier=identifier,
        arn=call.state.arn("cluster-snapshot", identifier),
        tags=(cluster.tags if cluster.copy_tags else {}) | tags,
        account_id=cluster.account_id,
        region=cluster.region,
        cluster_identifier=cluster.identifier,
        cluster_resource_id=cluster.resource_id,
        cluster_create_time=cluster.create_time,
        create_time=call.now,
        engine_version=cluster.engine_version,
        master_username=cluster.master_username,
        volume=call.engine.farm.new_volume(f"snapshot-{call.region}-{identifier.replace(':', '-')}-{id(call):x}"),
        encryption=cluster.encryption,
        port=cluster.server.port,
        database_name=cluster.database_name,
        snapshot_type=snapshot_type,
        availability_zones=cluster.availability_zones,
        iam_auth=cluster.iam_auth,
        backup_retention=cluster.backup_retention,
        backup_window=cluster.backup_window,
        storage_type=cluster.storage_type,
        vpc_id=call.state.subnet_groups[cluster.subnet_group].vpc_id,
    )
    call.state.snapshots[identifier] = snapshot
    call.event(snapshot, f"Creating {snapshot_type} cluster snapshot", "backup")

    def work() -> None:
        if snapshot_type == AUTOMATED:
            cluster.server.keep_wal()
        cluster.server.copy_to(snapshot.volume)
        snapshot.allocated_gib = snapshot.volume.size_gib()
        if snapshot_type == AUTOMATED:
            snapshot.restorable_since = call.now

    def finish() -> None:
        snapshot.status = "available"
        call.event(snapshot, f"{snapshot_type.capitalize()} cluster snapshot created", "backup")

    call.begin(snapshot, call.settings.durations.create_snapshot, finish, work=work)
    return snapshot


@operation("CreateDBClusterSnapshot", identifier="DBClusterSnapshotIdentifier", supports="DBClusterIdentifier Tags")
def create_db_cluster_snapshot(call: Call) -> dict[str, Any]:
    """Answer CreateDBClusterSnapshot."""
    identifier = validate.identifier(call.params, "DBClusterSnapshotIdentifier")
    tags = requested_tags(call.params)
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    new_snapshot_allowed(call, identifier)
    require_available(cluster, "create a snapshot of")
    return {"DBClusterSnapshot": describe_snapshot(take_snapshot(call, cluster, identifier, tags), call.now)}


@operation("DeleteDBClusterSnapshot", identifier="DBClusterSnapshotIdentifier")
def delete_db_cluster_snapshot(call: Call) -> dict[str, Any]:
    """Answer DeleteDBClusterSnapshot: at once; a snapshot that is being copied to is cancelled."""
    snapshot = call.state.snapshot(call.params["DBClusterSnapshotIdentifier"])
    require(
        snapshot.snapshot_type == "manual",
        errors.snapshot_state(f"Cannot delete the snapshot {snapshot.identifier}: it is not a manual snapshot."),
    )
    require(
        snapshot.status != "creating",
        errors.snapshot_state(
            f"Cannot delete the snapshot {snapshot.identifier} because it is not currently in the available or "
            "failed state."
        ),
    )
    if snapshot.task and snapshot.status == "copying":
        call.engine.timeline.cancel(snapshot.task)
    del call.state.snapshots[snapshot.identifier]
    call.engine.timeline.run(snapshot.volume.remove)
    return {"DBClusterSnapshot": describe_snapshot(snapshot, call.now)}


@operation(
    "DescribeDBClusterSnapshots",
    identifier="DBClusterSnapshotIdentifier",
    supports="DBClusterIdentifier SnapshotType Filters MaxRecords Marker IncludeShared IncludePublic "
    "DbClusterResourceId",
)
def describe_db_cluster_snapshots(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterSnapshots; nobody makes snapshots public here."""
    found = keep_matching(
        _selected(call),
        call.params,
        {
            "db-cluster-id": lambda item, values: _cluster_is(call.state, item, values),
            "db-cluster-snapshot-id": by_identifier,
            "snapshot-type": lambda item, values: _type_of(call.state, item) in values,
            "engine": lambda _, values: ENGINE in values,
        },
    )
    shown, marker = page(found, call.params)
    return {
        "DBClusterSnapshots": [
            describe_snapshot(item, call.now, shared=_type_of(call.state, item) == "shared") for item in shown
        ],
        "Marker": marker,
    }


def shared_with_caller(call: Call) -> list[Snapshot]:
    """Return the manual snapshots that other accounts share with the caller in this Region."""
    return [
        snapshot
        for state in call.engine.store.states()
        if state.region == call.region and state.account_id != call.caller.account_id
        for snapshot in state.snapshots.values()
        if call.caller.account_id in snapshot.shared_with
    ]


def _selected(call: Call) -> list[Snapshot]:
    params = call.params
    name, cluster = params.get("DBClusterSnapshotIdentifier"), params.get("DBClusterIdentifier")
    if name and cluster:
        raise invalid_combination("DBClusterIdentifier and DBClusterSnapshotIdentifier can't be used in conjunction.")
    wanted = params.get("SnapshotType")
    if wanted is not None and wanted not in TYPES:
        raise invalid_value(f"Invalid snapshot type: {wanted}. Valid values: {', '.join(TYPES)}")
    if name and name.lower().startswith("rds:") and wanted is None:
        raise invalid_value("SnapshotType must be specified to describe an automated snapshot.")
    found = [item for item in _of_type(call, wanted) if _is_about(call.state, item, params)]
    if name and not found:
        raise errors.snapshot_not_found(name)
    return found


def _of_type(call: Call, wanted: str | None) -> list[Snapshot]:
    own = list(call.state.snapshots.values())
    if wanted in {"automated", "manual"}:
        return [item for item in own if item.snapshot_type == wanted]
    if wanted == "public":
        return []
    shared = shared_with_caller(call)
    if wanted == "shared":
        return shared
    return own + (shared if call.params.get("IncludeShared") else [])


def _is_about(state: RegionState, item: Snapshot, params: dict[str, Any]) -> bool:
    name, cluster = params.get("DBClusterSnapshotIdentifier"), params.get("DBClusterIdentifier")
    resource_id = params.get("DbClusterResourceId")
    own = item.account_id == state.account_id
    return (
        (not name or item.arn == name or (own and item.identifier == name.lower()))
        and (not cluster or _cluster_is(state, item, [cluster]))
        and (not resource_id or item.cluster_resource_id == resource_id)
    )


def _cluster_is(state: RegionState, item: Snapshot, values: list[str]) -> bool:
    names = [value.removeprefix(state.arn("cluster", "")).lower() for value in values]
    return item.cluster_identifier in names


def _type_of(state: RegionState, item: Snapshot) -> str:
    return item.snapshot_type if item.account_id == state.account_id else "shared"
