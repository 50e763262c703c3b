"""StopDBCluster, StartDBCluster, FailoverDBCluster."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.operations.clusters import cluster_answer, require_available
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.resources import Cluster, Instance


@operation("StopDBCluster", identifier="DBClusterIdentifier")
def stop_db_cluster(call: Call) -> dict[str, Any]:
    """Answer StopDBCluster."""
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    require_available(cluster, "stop")
    require(
        not cluster.changing,
        errors.cluster_state(f"DB cluster {cluster.identifier} is being modified."),
    )
    members = call.state.members_of(cluster)
    require(
        members and all(member.status == "available" for member in members),
        errors.cluster_state(f"DB cluster {cluster.identifier} cannot be stopped: not all instances are available."),
    )
    _all_statuses(call, cluster, "stopping")

    def finish() -> None:
        _all_statuses(call, cluster, "stopped")
        call.event(cluster, "DB cluster stopped", "notification")

    call.begin(cluster, call.settings.durations.stop_cluster, finish, closing=cluster.server.stop)
    return cluster_answer(call, cluster)


@operation("StartDBCluster", identifier="DBClusterIdentifier")
def start_db_cluster(call: Call) -> dict[str, Any]:
    """Answer StartDBCluster."""
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    require(
        cluster.status in {"stopped", "inaccessible-encryption-credentials-recoverable"},
        errors.cluster_state(f"DB cluster {cluster.identifier} is not in stopped state, it is {cluster.status}."),
    )
    _all_statuses(call, cluster, "starting")

    def closing() -> None:
        cluster.server.show_old_name(old=False)
        cluster.server.start(cluster.master_username)

    def finish() -> None:
        _all_statuses(call, cluster, "available")
        for member in call.state.members_of(cluster):
            member.groups_in_use = (cluster.parameter_group, member.parameter_group)
        call.event(cluster, "DB cluster started", "notification")

    call.begin(
        cluster,
        call.settings.durations.start_cluster,
        finish,
        closing=closing,
    )
    return cluster_answer(call, cluster)


@operation("FailoverDBCluster", identifier="DBClusterIdentifier", supports="TargetDBInstanceIdentifier")
def failover_db_cluster(call: Call) -> dict[str, Any]:
    """Answer FailoverDBCluster: a reader becomes the writer, and every connection breaks off meanwhile."""
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    require_available(cluster, "fail over")
    successor = _successor(call, cluster)
    cluster.status = "failing-over"
    call.event(cluster, f"Started failover to DB instance: {successor.identifier}", "failover")

    def finish() -> None:
        cluster.members.remove(successor.identifier)
        cluster.members.insert(0, successor.identifier)
        cluster.status = "available"
        call.event(cluster, f"Completed failover to DB instance: {successor.identifier}", "failover")

    call.begin(
        cluster, call.settings.durations.reboot, finish, closing=lambda: cluster.server.restart(cluster.master_username)
    )
    return cluster_answer(call, cluster)


def _successor(call: Call, cluster: Cluster) -> Instance:
    """Return the reader that is asked for, or the one with the highest priority; it must be available."""
    readers = list(call.state.members_of(cluster))[1:]
    wanted = call.params.get("TargetDBInstanceIdentifier")
    fit = [item for item in readers if item.status == "available" and wanted in (None, item.identifier)]
    require(
        fit,
        errors.cluster_state(
            f"Cannot fail over DB cluster {cluster.identifier}: "
            + (f"{wanted} is no available reader of it." if wanted else "it has no available reader.")
        ),
    )
    return min(fit, key=lambda reader: (reader.promotion_tier, reader.identifier))


def _all_statuses(call: Call, cluster: Cluster, status: str) -> None:
    cluster.status = status
    for member in call.state.members_of(cluster):
        member.status = status
