"""DeleteDBCluster."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import invalid_combination
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.blue_green import refuse_in_deployment
from local_cloud.aurora.operations.clusters import cluster_answer
from local_cloud.aurora.operations.integrations import refuse_with_integration
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.snapshots import new_snapshot_allowed, take_snapshot
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.resources import Cluster

# In these a cluster cannot be deleted; in failed ones it can
BUSY = frozenset(
    {"creating", "deleting", "stopped", "stopping", "starting", "modifying", "renaming"}
    | {"resetting-master-credentials", "backing-up", "upgrading", "rebooting", "promoting", "migrating"}
)
LOOK_AGAIN_SECONDS = 10


@operation(
    "DeleteDBCluster",
    identifier="DBClusterIdentifier",
    supports="SkipFinalSnapshot FinalDBSnapshotIdentifier",
    only={"DeleteAutomatedBackups": (True,)},
)
def delete_db_cluster(call: Call) -> dict[str, Any]:
    """Answer DeleteDBCluster: allowed as soon as all members are being deleted."""
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    final_snapshot = _final_snapshot(call)
    _refuse_delete(call, cluster)
    refuse_with_integration(call, cluster)
    refuse_in_deployment(call, cluster)
    if final_snapshot:
        require(
            cluster.status == "available",
            errors.cluster_state(
                f"Cluster {cluster.identifier} is not currently in the available state. "
                "A final snapshot can only be taken of an available cluster."
            ),
        )
        new_snapshot_allowed(call, final_snapshot)
    cluster.status = "deleting"
    call.begin(cluster, call.settings.durations.delete_cluster, lambda: _when_alone(call, cluster))
    if final_snapshot:
        take_snapshot(call, cluster, final_snapshot, {})
    return cluster_answer(call, cluster)


def _final_snapshot(call: Call) -> str | None:
    skip = call.params.get("SkipFinalSnapshot", False)
    if skip and "FinalDBSnapshotIdentifier" in call.params:
        raise invalid_combination("FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is enabled.")
    if skip:
        return None
    if "FinalDBSnapshotIdentifier" not in call.params:
        raise invalid_combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    return validate.identifier(call.params, "FinalDBSnapshotIdentifier")


def _refuse_delete(call: Call, cluster: Cluster) -> None:
    require(
        not cluster.deletion_protection,
        invalid_combination("Cannot delete protected Cluster, please disable deletion protection and try again."),
    )
    require(
        cluster.status not in BUSY,
        errors.cluster_state(f"DB cluster {cluster.identifier} cannot be deleted in its status {cluster.status}."),
    )
    require(
        all(member.status == "deleting" for member in call.state.members_of(cluster)),
        errors.cluster_state("Cluster cannot be deleted, it still contains DB instances in non-deleting state."),
    )


def _when_alone(call: Call, cluster: Cluster) -> None:
    """Remove the cluster once its last member is gone."""
    if cluster.members:
        call.begin(cluster, LOOK_AGAIN_SECONDS, lambda: _when_alone(call, cluster))
        return
    call.begin(cluster, 0, lambda: _gone(call, cluster), closing=lambda: call.engine.farm.remove_server(cluster.server))


def _gone(call: Call, cluster: Cluster) -> None:
    for endpoint in list(call.state.custom_endpoints.values()):
        if endpoint.cluster_resource_id == cluster.resource_id:
            del call.state.custom_endpoints[endpoint.identifier]
    del call.state.clusters[cluster.identifier]
    call.event(cluster, "DB cluster deleted", "deletion")
    secret = cluster.master_secret
    if secret:
        call.engine.timeline.run(lambda: call.engine.hooks.secrets.delete(secret.arn))
