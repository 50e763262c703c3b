"""What all cluster operations share, and DescribeDBClusters."""

from __future__ import annotations

import json
import secrets
import string
import uuid
from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, invalid_combination
from local_cloud.aurora.hooks import ResourceRequest
from local_cloud.aurora.operations.paging import by_identifier, keep_matching, page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.describe import describe_cluster
from local_cloud.aurora.state.describe_groups import default_parameter_group
from local_cloud.aurora.state.resources import Cluster, MasterSecret
from local_cloud.aurora.state.versions import ENGINE, family_of

GENERATED_PASSWORD_LENGTH = 32


def cluster_answer(call: Call, cluster: Cluster) -> dict[str, Any]:
    """Return the answer that shows one cluster."""
    return {"DBCluster": describe_cluster(cluster, call.state, call.now)}


def require_available(cluster: Cluster, doing: str) -> None:
    """Refuse what needs an available cluster."""
    require(
        cluster.status == "available",
        errors.cluster_state(
            f"Cannot {doing} DB cluster {cluster.identifier}: it is not in the available state, its status is "
            f"{cluster.status}."
        ),
    )


def new_cluster_allowed(call: Call, identifier: str) -> None:
    """Refuse a taken identifier and one cluster too many."""
    require(identifier not in call.state.clusters, errors.cluster_exists())
    require(
        len(call.state.clusters) < call.settings.quotas.clusters,
        ApiError("DBClusterQuotaExceededFault", "DB Cluster quota exceeded.", 403),
    )


def chosen_subnet_group(call: Call) -> str:
    """Return the requested subnet group, or the default one; raise DBSubnetGroupNotFoundFault."""
    name: str = call.params.get("DBSubnetGroupName", "default").lower()
    require(
        name in call.state.subnet_groups,
        ApiError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.", 404),
    )
    return name


def chosen_parameter_group(call: Call, engine_version: str) -> str:
    """Return the requested cluster parameter group, or the version's default; it must be of the version's family."""
    name: str = call.params.get("DBClusterParameterGroupName", default_parameter_group(engine_version)).lower()
    group = call.state.cluster_parameter_groups.get(name)
    if group is None:
        raise ApiError("DBClusterParameterGroupNotFound", f"DBClusterParameterGroup not found: {name}", 404)
    if group.family != family_of(engine_version):
        raise invalid_combination(
            f"The Parameter Group {name} with DBParameterGroupFamily {group.family} cannot be used for this "
            f"instance. Please use a Parameter Group with DBParameterGroupFamily {family_of(engine_version)}"
        )
    return name


def generated_password() -> str:
    """Return a password for a managed master secret."""
    alphabet = string.ascii_letters + string.digits + "-_.!#$%&*+=~"
    return "".join(secrets.choice(alphabet) for _ in range(GENERATED_PASSWORD_LENGTH))


def create_master_secret(call: Call, identifier: str, username: str, password: str) -> MasterSecret:
    """Create the Secrets Manager secret of a managed master password."""
    name = f"rds!cluster-{uuid.uuid4()}"
    request = ResourceRequest(
        arn=f"arn:aws:secretsmanager:{call.region}:{call.caller.account_id}:secret:{name}",
        context={"aws:RequestedRegion": [call.region]},
    )
    for action in ("secretsmanager:CreateSecret", "secretsmanager:TagResource"):
        call.authorize(action, [request])
    key_id = call.params.get("MasterUserSecretKmsKeyId")
    found = call.key_of_a_secret(key_id or "alias/aws/secretsmanager")
    arn = call.engine.hooks.secrets.create(
        call.caller.account_id,
        call.region,
        name,
        secret_value(username, password),
        found.arn if key_id else None,
        {
            "aws:rds:primaryDBClusterArn": call.state.arn("cluster", identifier),
            "aws:secretsmanager:owningService": "rds",
        },
    )
    return MasterSecret(arn=arn, kms_key_arn=found.arn)


def secret_value(username: str, password: str) -> str:
    """Return the document of a managed master secret."""
    return json.dumps({"username": username, "password": password})


@operation(
    "DescribeDBClusters",
    identifier="DBClusterIdentifier",
    supports="Filters MaxRecords Marker",
    only={"IncludeShared": (False,)},
)
def describe_db_clusters(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusters."""
    name = call.params.get("DBClusterIdentifier")
    clusters = [call.state.cluster(name)] if name else list(call.state.clusters.values())
    clusters = keep_matching(
        clusters,
        call.params,
        {
            "db-cluster-id": by_identifier,
            "db-cluster-resource-id": lambda cluster, values: cluster.resource_id in values,
            "engine": lambda _, values: ENGINE in values,
            "clone-group-id": lambda cluster, values: cluster.clone_group in values,
            "domain": lambda *_: False,
        },
    )
    shown, marker = page(clusters, call.params)
    return {
        "DBClusters": [describe_cluster(cluster, call.state, call.now) for cluster in shown],
        "Marker": marker,
    }
