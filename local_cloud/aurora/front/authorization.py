"""Which actions on which resources a call needs (Service Authorization Reference of RDS).

A resource that the reference calls optional is asked for when the request names it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from local_cloud.aurora.engine import Call
from local_cloud.aurora.hooks import ResourceRequest
from local_cloud.aurora.operations.validate import engine_version
from local_cloud.aurora.state.describe_groups import default_parameter_group
from local_cloud.aurora.state.store import RegionState
from local_cloud.aurora.state.versions import ENGINE, VERSIONS, major_of

Arns = list[str]
Rule = Callable[[Call], Arns]


def _arn(state: RegionState, kind: str, name: str) -> str:
    return name if name.startswith("arn:") else state.arn(kind, name.lower())


def _named(kind: str, member: str, *, otherwise: str | None = None) -> Rule:
    """Return the resource that a member names; if it names none, `otherwise` (* for a Describe of all)."""

    def rule(call: Call) -> Arns:
        name = call.params.get(member, otherwise)
        return [_arn(call.state, kind, name)] if name else []

    return rule


def _all(*rules: Rule) -> Rule:
    return lambda call: [arn for rule in rules for arn in rule(call)]


def _any_resource(_: Call) -> Arns:
    return ["*"]


def _cluster_parameter_group(call: Call) -> Arns:
    name = call.params.get("DBClusterParameterGroupName") or default_parameter_group(_version(call))
    return [_arn(call.state, "cluster-pg", name)]


def _option_group(call: Call) -> Arns:
    name = call.params.get("OptionGroupName", f"default:{ENGINE}-{major_of(_version(call))}")
    return [_arn(call.state, "og", name)]


def _version(call: Call) -> str:
    """Return the version of the request; for one that does not exist, any (the operation refuses it)."""
    source = call.state.clusters.get(call.params.get("SourceDBClusterIdentifier", "").rsplit(":", 1)[-1].lower())
    if source is not None:
        return source.engine_version
    wanted = call.params.get("EngineVersion")
    known = wanted is None or wanted in VERSIONS or wanted in {str(major_of(item)) for item in VERSIONS}
    return engine_version(wanted if known else None)


def _instance_parameter_group(call: Call) -> Arns:
    """Return the group that the request names, or the default one, for which RDS asks as well."""
    cluster = call.state.clusters.get(call.params.get("DBClusterIdentifier", "").lower())
    version = cluster.engine_version if cluster else _version(call)
    return [_arn(call.state, "pg", call.params.get("DBParameterGroupName") or default_parameter_group(version))]


def _member(call: Call) -> Arns:
    return _named("cluster", "DBClusterIdentifier")(call) if "DBClusterIdentifier" in call.params else []


def _deleted_cluster(call: Call) -> Arns:
    """Return cluster and, for a final snapshot, the snapshot."""
    return _all(CLUSTER, _named("cluster-snapshot", "FinalDBSnapshotIdentifier"))(call)


def _proxy(call: Call) -> Arns:
    found = call.state.proxies.get(call.params.get("DBProxyName", "").lower())
    return [found.arn if found else "*"]


def _target_group(call: Call) -> Arns:
    found = call.state.proxies.get(call.params["DBProxyName"].lower())
    return [found.target_group_arn if found else "*"]


CLUSTER = _named("cluster", "DBClusterIdentifier")
SNAPSHOT = _named("cluster-snapshot", "DBClusterSnapshotIdentifier")
INSTANCE = _named("db", "DBInstanceIdentifier")
SUBNET_GROUP = _named("subgrp", "DBSubnetGroupName", otherwise="default")
CLUSTER_GROUP = _named("cluster-pg", "DBClusterParameterGroupName")
INSTANCE_GROUP = _named("pg", "DBParameterGroupName")
ENDPOINT = _named("cluster-endpoint", "DBClusterEndpointIdentifier")
SUBSCRIPTION = _named("es", "SubscriptionName")

RULES: dict[str, Rule] = {
    "CreateDBCluster": _all(CLUSTER, _cluster_parameter_group, _option_group, SUBNET_GROUP),
    "ModifyDBCluster": _all(CLUSTER, CLUSTER_GROUP),
    "DeleteDBCluster": _deleted_cluster,
    "StartDBCluster": CLUSTER,
    "StopDBCluster": CLUSTER,
    "DescribeDBClusters": _named("cluster", "DBClusterIdentifier", otherwise="*"),
    "DescribeDBClusterEndpoints": _named("cluster", "DBClusterIdentifier", otherwise="*"),
    "AddRoleToDBCluster": CLUSTER,
    "RemoveRoleFromDBCluster": CLUSTER,
    "EnableHttpEndpoint": _named("", "ResourceArn"),
    "DisableHttpEndpoint": _named("", "ResourceArn"),
    "CreateDBInstance": _all(INSTANCE, _member, _instance_parameter_group),
    "ModifyDBInstance": _all(INSTANCE, INSTANCE_GROUP),
    "DeleteDBInstance": INSTANCE,
    "RebootDBInstance": INSTANCE,
    "DescribeDBInstances": _named("db", "DBInstanceIdentifier", otherwise="*"),
    "CreateDBClusterSnapshot": _all(CLUSTER, SNAPSHOT),
    "CopyDBClusterSnapshot": _all(
        _named("cluster-snapshot", "SourceDBClusterSnapshotIdentifier"),
        _named("cluster-snapshot", "TargetDBClusterSnapshotIdentifier"),
    ),
    "DeleteDBClusterSnapshot": SNAPSHOT,
    "DescribeDBClusterSnapshots": _named("cluster-snapshot", "DBClusterSnapshotIdentifier", otherwise="*"),
    "DescribeDBClusterSnapshotAttributes": SNAPSHOT,
    "ModifyDBClusterSnapshotAttribute": SNAPSHOT,
    "RestoreDBClusterFromSnapshot": _all(
        CLUSTER,
        _cluster_parameter_group,
        _option_group,
        SUBNET_GROUP,
        _named("cluster-snapshot", "SnapshotIdentifier"),
    ),
    "RestoreDBClusterToPointInTime": _all(
        CLUSTER,
        _named("cluster", "SourceDBClusterIdentifier"),
        _cluster_parameter_group,
        _option_group,
        SUBNET_GROUP,
    ),
    "AddTagsToResource": _named("", "ResourceName"),
    "RemoveTagsFromResource": _named("", "ResourceName"),
    "ListTagsForResource": _named("", "ResourceName"),
    "CreateDBSubnetGroup": SUBNET_GROUP,
    "DescribeDBSubnetGroups": _named("subgrp", "DBSubnetGroupName", otherwise="*"),
    "DeleteDBSubnetGroup": SUBNET_GROUP,
    "CreateDBClusterParameterGroup": CLUSTER_GROUP,
    "DescribeDBClusterParameterGroups": _named("cluster-pg", "DBClusterParameterGroupName", otherwise="*"),
    "DescribeDBClusterParameters": CLUSTER_GROUP,
    "ModifyDBClusterParameterGroup": CLUSTER_GROUP,
    "DescribeDBParameters": INSTANCE_GROUP,
    "DeleteDBClusterParameterGroup": CLUSTER_GROUP,
    "CreateDBParameterGroup": INSTANCE_GROUP,
    "DescribeDBParameterGroups": _named("pg", "DBParameterGroupName", otherwise="*"),
    "DeleteDBParameterGroup": INSTANCE_GROUP,
    "DescribeDBEngineVersions": _any_resource,
    "DescribeDBMajorEngineVersions": _any_resource,
    "DescribeOrderableDBInstanceOptions": _any_resource,
    "DescribeEvents": _any_resource,
    "FailoverDBCluster": CLUSTER,
    "DescribeAccountAttributes": _any_resource,
    "DescribeCertificates": _any_resource,
    "DescribeGlobalClusters": _named("global-cluster", "GlobalClusterIdentifier", otherwise="*"),
    "CreateDBClusterEndpoint": _all(CLUSTER, ENDPOINT),
    "ModifyDBClusterEndpoint": ENDPOINT,
    "DeleteDBClusterEndpoint": ENDPOINT,
    "CreateEventSubscription": SUBSCRIPTION,
    "ModifyEventSubscription": SUBSCRIPTION,
    "AddSourceIdentifierToSubscription": SUBSCRIPTION,
    "RemoveSourceIdentifierFromSubscription": SUBSCRIPTION,
    "DeleteEventSubscription": SUBSCRIPTION,
    "DescribeEventSubscriptions": _named("es", "SubscriptionName", otherwise="*"),
    "DescribeEventCategories": _any_resource,
    "CreateDBProxy": _any_resource,
    "DescribeDBProxies": _proxy,
    "DeleteDBProxy": _proxy,
    "DescribeDBProxyTargetGroups": _proxy,
    "RegisterDBProxyTargets": _target_group,
    "DeregisterDBProxyTargets": _target_group,
    "DescribeDBProxyTargets": _target_group,
    "DescribeIntegrations": _any_resource,
    "DescribeBlueGreenDeployments": _any_resource,
    "DescribePendingMaintenanceActions": _named("", "ResourceIdentifier", otherwise="*"),
    "DescribeDBSnapshots": _named("snapshot", "DBSnapshotIdentifier", otherwise="*"),
    "DescribeDBClusterAutomatedBackups": _any_resource,
    "DescribeDBLogFiles": INSTANCE,
}

# The new resource that gets the Tags of a request
TAGGED: dict[str, Rule] = {
    "CreateDBCluster": CLUSTER,
    "RestoreDBClusterFromSnapshot": CLUSTER,
    "RestoreDBClusterToPointInTime": CLUSTER,
    "CreateDBInstance": INSTANCE,
    "CreateDBClusterSnapshot": SNAPSHOT,
    "CopyDBClusterSnapshot": _named("cluster-snapshot", "TargetDBClusterSnapshotIdentifier"),
    "CreateDBSubnetGroup": SUBNET_GROUP,
    "CreateDBClusterParameterGroup": CLUSTER_GROUP,
    "CreateDBParameterGroup": INSTANCE_GROUP,
    "CreateDBClusterEndpoint": ENDPOINT,
    "CreateEventSubscription": SUBSCRIPTION,
    "CreateDBProxy": _any_resource,
}

_ABOUT_THE_MASTER = {"CreateDBCluster", "CreateDBInstance", "ModifyDBCluster", "ModifyDBInstance"}


def needed(call: Call) -> list[tuple[str, list[ResourceRequest]]]:
    """Return every action that the call needs, with its resources and their condition contexts."""
    actions = [(f"rds:{call.operation}", RULES[call.operation](call))]
    if call.operation in TAGGED and call.params.get("Tags"):
        actions.append(("rds:AddTagsToResource", TAGGED[call.operation](call)))
    source = call.params.get("SourceDBClusterSnapshotIdentifier", "")
    if source.startswith("arn:") and f":rds:{call.region}:" not in source:
        actions.append(("rds:CrossRegionCommunication", [source]))
    return [(action, [_request(call, arn) for arn in arns]) for action, arns in actions]


def _request(call: Call, arn: str) -> ResourceRequest:
    context: dict[str, Sequence[str]] = {"aws:RequestedRegion": [call.region]}
    resource = call.engine.store.find(arn)
    if resource:
        for key, value in resource.tags.items():
            context[f"aws:ResourceTag/{key}"] = [value]
            context[f"rds:{resource.kind}-tag/{key}"] = [value]
    tags = {tag.get("Key", ""): tag.get("Value", "") for tag in call.params.get("Tags", [])}
    keys = [*tags, *call.params.get("TagKeys", [])]
    if keys:
        context["aws:TagKeys"] = keys
    for key, value in tags.items():
        context[f"aws:RequestTag/{key}"] = [value]
        context[f"rds:req-tag/{key}"] = [value]
    if call.operation == "CreateDBInstance":
        context["rds:DatabaseClass"] = [call.params["DBInstanceClass"]]
        context["rds:DatabaseEngine"] = [call.params["Engine"]]
    if call.operation in _ABOUT_THE_MASTER:
        context["rds:ManageMasterUserPassword"] = [str(_manages_master_password(call)).lower()]
    # This one is absent if the request leaves it out, whatever RDS will take instead.
    if "PubliclyAccessible" in call.params:
        context["rds:PubliclyAccessible"] = [str(call.params["PubliclyAccessible"]).lower()]
    return ResourceRequest(arn=arn, context=context)


def _manages_master_password(call: Call) -> bool:
    """Return what the request says, or what the cluster has.

    The Aurora User Guide's policy (Deny where it is false) meets every change of a cluster whose password RDS does not
    manage, so the key is there although such a request does not say anything.
    """
    cluster = call.state.clusters.get(call.params.get("DBClusterIdentifier", "").lower())
    managed = cluster is not None and cluster.master_secret is not None
    return bool(call.params.get("ManageMasterUserPassword", managed))
