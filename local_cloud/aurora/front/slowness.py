"""What RDS does in its own time: it shows things late or as they were, and its autoscaling adds members."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError
from local_cloud.aurora.faults import Fault
from local_cloud.aurora.operations.registry import OPERATIONS
from local_cloud.aurora.state.tagging import describe_tags

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
    params: dict[str, Any] = {
        "DBInstanceIdentifier": f"application-autoscaling-{cluster.identifier}-{fault.fault_id}",
        "DBInstanceClass": "db.r8g.large",
        "Engine": "aurora-postgresql",
        "DBClusterIdentifier": cluster.identifier,
    }
    if fault.kind == "add-tagged-member":
        params["Tags"] = describe_tags(cluster.tags)
    OPERATIONS["CreateDBInstance"].handler(replace(call, operation="CreateDBInstance", params=params, fault=None))
