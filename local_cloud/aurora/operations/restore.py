"""RestoreDBClusterFromSnapshot."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.cluster_door import ClusterDoor
from local_cloud.aurora.engine import Call, new_resource_id
from local_cloud.aurora.errors import NotSupportedError, invalid_combination, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.cluster_settings import MEMBERS, ORDINARY, cluster_settings, settle
from local_cloud.aurora.operations.clusters import cluster_answer, new_cluster_allowed
from local_cloud.aurora.operations.copies import source_key_usable, visible_snapshot
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.resources import Cluster, Encryption, Snapshot
from local_cloud.aurora.state.versions import ENGINE, major_of, order_of


@operation(
    "RestoreDBClusterFromSnapshot",
    identifier="DBClusterIdentifier",
    supports="SnapshotIdentifier " + MEMBERS,
    only=ORDINARY
    | {"PubliclyAccessible": (False,), "EnableVPCNetworking": (True,), "EnableInternetAccessGateway": (False,)},
)
def restore_db_cluster_from_snapshot(call: Call) -> dict[str, Any]:
    """Answer RestoreDBClusterFromSnapshot: a cluster without instances; what is not passed gets its default."""
    params = call.params
    identifier = validate.identifier(params, "DBClusterIdentifier")
    validate.engine(params)
    snapshot = _restorable_snapshot(call)
    version = _version(call, snapshot)
    settings = cluster_settings(call, version, default_retention=snapshot.backup_retention)
    new_cluster_allowed(call, identifier)
    encryption = _encryption(call, snapshot)
    cluster = restored_cluster(
        call, identifier, params.get("Port", snapshot.port), snapshot, encryption=encryption, **settings
    )
    call.begin(
        cluster,
        call.settings.durations.restore_cluster,
        lambda: settle(call, cluster),
        work=lambda: cluster.volume.copy_from(snapshot.volume),
    )
    return cluster_answer(call, cluster)


def restored_cluster(
    call: Call, identifier: str, port: int, origin: Snapshot | Cluster, *, engine_version: str, **settings: Any
) -> Cluster:
    """Make a cluster of the origin's master and database, whose data is still to come."""
    resource_id = new_resource_id("cluster")
    volume = call.engine.farm.new_volume(resource_id)
    cluster = Cluster(
        identifier=identifier,
        arn=call.state.arn("cluster", identifier),
        account_id=call.caller.account_id,
        region=call.region,
        resource_id=resource_id,
        create_time=call.now,
        master_username=origin.master_username,
        volume=volume,
        server=call.engine.farm.new_server(
            volume,
            validate.installed_major(engine_version, call.engine.farm.host.majors),
            f"{call.region}-{identifier}-{resource_id}",
            port,
            ClusterDoor(call.engine, call.caller.account_id, call.region, resource_id),
            engine_version=engine_version,
        ),
        engine_version=engine_version,
        database_name=origin.database_name,
        **settings,
    )
    call.state.clusters[identifier] = cluster
    return cluster


def _restorable_snapshot(call: Call) -> Snapshot:
    name = call.params["SnapshotIdentifier"]
    if ":snapshot:" in name:
        raise NotSupportedError("A restore from a DB instance snapshot")
    snapshot = visible_snapshot(call, name)
    if snapshot.region != call.region:
        raise invalid_value(f"The snapshot {name} is not in the Region {call.region}.")
    require(
        snapshot.status == "available",
        errors.snapshot_state(
            f"Cannot restore from the snapshot {snapshot.identifier}: it is not in the available state, "
            f"its status is {snapshot.status}."
        ),
    )
    return snapshot


def _version(call: Call, snapshot: Snapshot) -> str:
    """Return the version to restore with: the Region's default if none is given, never one before the snapshot's."""
    version = validate.engine_version(call.params.get("EngineVersion"))
    if order_of(version) < order_of(snapshot.engine_version):
        raise invalid_combination(
            f"The engine version you requested for your restored DB cluster ({version}) is earlier than the engine "
            f"version of the DB cluster snapshot ({snapshot.engine_version})."
        )
    if major_of(version) != major_of(snapshot.engine_version):
        raise NotSupportedError(f"A restore of {ENGINE} {snapshot.engine_version} as {version} (major upgrade)")
    return version


def _encryption(call: Call, snapshot: Snapshot) -> Encryption:
    key_id = call.params.get("KmsKeyId")
    if key_id:
        source_key_usable(call, snapshot)
        key = call.key(key_id)
        return Encryption(kms_key_arn=key.arn, aws_managed_key=key.aws_managed)
    if snapshot.encryption.kms_key_arn:
        call.key(snapshot.encryption.kms_key_arn)
    return snapshot.encryption
