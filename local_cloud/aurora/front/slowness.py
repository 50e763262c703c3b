"""What RDS does in its own time: it shows things late or as they were, and its autoscaling adds members."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError
from local_cloud.aurora.faults import Fault
from local_cloud.aurora.operations.autoscaled import add_autoscaled_reader

_SHOWN = {
    "DescribeDBClusters": ("DBClusters", "Status"),
    "DescribeDBInstances": ("DBInstances", "DBInstanceStatus"),
    "DescribeDBClusterSnapshots": ("DBClusterSnapshots", "Status"),
}


def not_shown(operation: str, identifier: str) -> ApiError:
    """Return the error with which RDS answers for what it does not show (yet)."""
    not_found = {
        "DescribeDBClusters": errors.cluster_not_found,
        "DescribeDBInstances": errors.instance_not_found,
        "DescribeDBClusterSnapshots": errors.snapshot_not_found,
    }
    return not_found[operation](identifier)


def shown_as(operation: str, result: dict[str, Any], status: str) -> dict[str, Any]:
    """Return a description in which everything has this status."""
    items, field = _SHOWN[operation]
    return result | {items: [item | {field: status} for item in result[items]]}


def member_added(call: Call, fault: Fault) -> None:
    """Add a member to the cluster that the call is about, as Aurora's autoscaling does: without the cluster's tags.

    `add-tagged-member`: somebody's automation has given it the cluster's tags since.
    """
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    add_autoscaled_reader(call, cluster, cluster.tags if fault.kind == "add-tagged-member" else None)
