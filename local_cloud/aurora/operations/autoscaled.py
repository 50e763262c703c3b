"""The readers that Application Auto Scaling adds to a cluster."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.operations.instance_create import create_db_instance
from local_cloud.aurora.state.resources import Cluster, Tags
from local_cloud.aurora.state.tagging import describe_tags
from local_cloud.aurora.state.versions import ENGINE

PREFIX = "application-autoscaling-"
LAST_TIER = 15
CLASS_OF_AN_EMPTY_CLUSTER = "db.r8g.large"


def add_autoscaled_reader(call: Call, cluster: Cluster, tags: Tags | None = None) -> str:
    """Add a reader with the writer's class and groups, but without the cluster's tags; return its identifier."""
    members = call.state.members_of(cluster)
    params: dict[str, Any] = {
        "DBInstanceIdentifier": f"{PREFIX}{uuid.uuid4()}",
        "DBInstanceClass": members[0].instance_class if members else CLASS_OF_AN_EMPTY_CLUSTER,
        "Engine": ENGINE,
        "DBClusterIdentifier": cluster.identifier,
        "PromotionTier": LAST_TIER,
    }
    if members:
        params["DBParameterGroupName"] = members[0].parameter_group
    if tags:
        params["Tags"] = describe_tags(tags)
    create_db_instance(replace(call, operation="CreateDBInstance", params=params, fault=None))
    return str(params["DBInstanceIdentifier"])
