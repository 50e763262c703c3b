"""IAM roles of a cluster (s3Import and the like): AddRoleToDBCluster, RemoveRoleFromDBCluster."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, invalid_value
from local_cloud.aurora.operations.clusters import require_available
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.resources import AssociatedRole, Cluster

# SupportedFeatureNames of DescribeDBEngineVersions for Aurora PostgreSQL
FEATURES = ("Bedrock", "Comprehend", "Lambda", "SageMaker", "s3Export", "s3Import")
RDS = "rds.amazonaws.com"


def requested_roles(call: Call) -> list[AssociatedRole]:
    """Return the AssociatedRoles of a request that makes a cluster."""
    roles: list[AssociatedRole] = []
    for item in call.params.get("AssociatedRoles", []):
        roles.append(_new_role(call, roles, item["RoleArn"], item.get("FeatureName", "")))
    return roles


def settle_roles(call: Call, cluster: Cluster) -> None:
    """End the association of the cluster's new roles: it fails for a role that RDS may not take on."""
    for role in cluster.roles:
        if role.status == "PENDING":
            role.status = "ACTIVE" if call.role_trusts(role.arn, RDS) else "INVALID"
            if role.status == "INVALID":
                call.event(cluster, f"Amazon RDS isn't able to associate the IAM role {role.arn}.", "notification")


@operation("AddRoleToDBCluster", identifier="DBClusterIdentifier", supports="RoleArn FeatureName")
def add_role_to_db_cluster(call: Call) -> dict[str, Any]:
    """Answer AddRoleToDBCluster: PENDING, then ACTIVE or INVALID."""
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    require_available(cluster, "add a role to")
    cluster.roles.append(_new_role(call, cluster.roles, call.params["RoleArn"], call.params.get("FeatureName", "")))
    call.later(cluster, call.settings.durations.associate_role, lambda: settle_roles(call, cluster))
    return {}


@operation("RemoveRoleFromDBCluster", identifier="DBClusterIdentifier", supports="RoleArn FeatureName")
def remove_role_from_db_cluster(call: Call) -> dict[str, Any]:
    """Answer RemoveRoleFromDBCluster: PENDING, then gone."""
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    require_available(cluster, "remove a role from")
    arn, feature = call.params["RoleArn"], call.params.get("FeatureName", "")
    found = next((role for role in cluster.roles if (role.arn, role.feature) == (arn, feature)), None)
    if found is None:
        raise ApiError(
            "DBClusterRoleNotFound",
            f"Role ARN {arn} cannot be found for DB Cluster: {cluster.identifier}. Verify your role ARN and try again.",
            404,
        )
    leaving = found
    leaving.status = "REMOVING"

    def gone() -> None:
        cluster.roles.remove(leaving)

    call.later(cluster, call.settings.durations.associate_role, gone)
    return {}


def _new_role(call: Call, present: list[AssociatedRole], arn: str, feature: str) -> AssociatedRole:
    if feature and feature not in FEATURES:
        raise invalid_value(f"The feature-name {feature} is not supported. Valid values: {', '.join(FEATURES)}")
    require(arn.startswith("arn:aws:iam::") and ":role/" in arn, invalid_value(f"Invalid role ARN: {arn}"))
    require(
        (arn, feature) not in [(role.arn, role.feature) for role in present],
        ApiError(
            "DBClusterRoleAlreadyExists",
            f"Role ARN {arn} is already associated with DB Cluster: {call.params['DBClusterIdentifier']}. "
            "Verify your role ARN and try again.",
        ),
    )
    most = call.settings.quotas.roles_of_a_cluster
    require(
        len(present) < most,
        ApiError("DBClusterRoleQuotaExceeded", f"You have exceeded the maximum of {most} IAM roles for a DB cluster."),
    )
    call.pass_role(arn, RDS)
    return AssociatedRole(arn=arn, feature=feature)
