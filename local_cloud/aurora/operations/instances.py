"""DescribeDBInstances, RebootDBInstance, DeleteDBInstance, and what all instance operations share."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import invalid_combination, invalid_value
from local_cloud.aurora.operations.paging import by_identifier, keep_matching, page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.stages import Stage
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.describe import describe_instance
from local_cloud.aurora.state.resources import Cluster, Instance
from local_cloud.aurora.state.versions import ENGINE, INSTANCE_CLASSES, OTHER_CLASSES, family_of

PROMOTION_TIERS = range(16)
FINAL_SNAPSHOT_SKIPPED_IN = frozenset({"failed", "incompatible-restore", "incompatible-network"})


def instance_answer(call: Call, instance: Instance) -> dict[str, Any]:
    """Return the answer that shows one instance."""
    return {"DBInstance": describe_instance(instance, cluster_of(call, instance), call.state)}


def checked_class(call: Call, cluster: Cluster) -> str:
    """Return the instance class; raise InvalidParameterValue/-Combination."""
    name: str = call.params["DBInstanceClass"]
    if name not in INSTANCE_CLASSES and not OTHER_CLASSES.fullmatch(name):
        raise invalid_value(f"Invalid DB Instance class: {name}")
    if name not in INSTANCE_CLASSES or not call.state.zones_of(name):
        raise invalid_combination(
            "RDS does not support creating a DB instance with the following combination: "
            f"DBInstanceClass={name}, Engine={ENGINE}, EngineVersion={cluster.engine_version}, "
            "LicenseModel=postgresql-license. For supported combinations of instance class and database engine "
            "version, see the documentation."
        )
    if name == "db.serverless" and cluster.serverless_scaling is None:
        raise invalid_combination(
            "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless v2 "
            "DB instance."
        )
    return name


@operation("DescribeDBInstances", identifier="DBInstanceIdentifier", supports="Filters MaxRecords Marker")
def describe_db_instances(call: Call) -> dict[str, Any]:
    """Answer DescribeDBInstances."""
    name = call.params.get("DBInstanceIdentifier")
    instances = [call.state.instance(name)] if name else list(call.state.instances.values())
    prefix = call.state.arn("cluster", "")
    instances = keep_matching(
        instances,
        call.params,
        {
            "db-instance-id": by_identifier,
            "db-cluster-id": lambda item, values: (
                item.cluster_identifier in [value.removeprefix(prefix).lower() for value in values]
            ),
            "dbi-resource-id": lambda item, values: item.resource_id in values,
            "engine": lambda _, values: ENGINE in values,
            "domain": lambda *_: False,
        },
    )
    shown, marker = page(instances, call.params)
    return {
        "DBInstances": [describe_instance(instance, cluster_of(call, instance), call.state) for instance in shown],
        "Marker": marker,
    }


@operation("RebootDBInstance", identifier="DBInstanceIdentifier", only={"ForceFailover": (False,)})
def reboot_db_instance(call: Call) -> dict[str, Any]:
    """Answer RebootDBInstance: the writer's reboot restarts the cluster's server, a reader's does not."""
    instance = call.state.instance(call.params["DBInstanceIdentifier"])
    cluster = cluster_of(call, instance)
    require_available_instance(instance)
    instance.status = "rebooting"
    stage = reboot_stage(call, instance, cluster)

    def finish() -> None:
        stage.apply()
        instance.status = "available"

    call.begin(instance, stage.seconds, finish, closing=stage.closing)
    return instance_answer(call, instance)


def reboot_stage(call: Call, instance: Instance, cluster: Cluster) -> Stage:
    """Return the stage in which an instance reboots; afterwards its parameter groups are in use."""

    def closing() -> None:
        if cluster.members[0] == instance.identifier:
            cluster.server.restart(cluster.master_username)

    def apply() -> None:
        instance.groups_in_use = (cluster.parameter_group, instance.parameter_group)
        call.event(instance, "DB instance restarted", "availability")

    return Stage("rebooting", call.settings.durations.reboot, apply, closing=closing)


@operation(
    "DeleteDBInstance",
    identifier="DBInstanceIdentifier",
    supports="SkipFinalSnapshot",
    only={"DeleteAutomatedBackups": (True,)},
)
def delete_db_instance(call: Call) -> dict[str, Any]:
    """Answer DeleteDBInstance: cluster protection does not matter; the server stops with the last instance."""
    instance = call.state.instance(call.params["DBInstanceIdentifier"])
    cluster = cluster_of(call, instance)
    if instance.status == "deleting":
        raise errors.instance_state(f"Instance {instance.identifier} is already being deleted.")
    if instance.status in {"creating", "stopped", "stopping", "starting"}:
        raise errors.instance_state(f"Instance {instance.identifier} is currently {instance.status}.")
    if instance.status in FINAL_SNAPSHOT_SKIPPED_IN and not call.params.get("SkipFinalSnapshot", False):
        raise invalid_combination(
            f"Instance {instance.identifier} is {instance.status}: it can only be deleted with SkipFinalSnapshot."
        )
    instance.status = "deleting"

    def finish() -> None:
        cluster.members.remove(instance.identifier)
        for endpoint in call.state.custom_endpoints.values():
            endpoint.static_members = [name for name in endpoint.static_members if name != instance.identifier]
            endpoint.excluded_members = [name for name in endpoint.excluded_members if name != instance.identifier]
        del call.state.instances[instance.identifier]
        call.event(instance, "DB instance deleted", "deletion")

    call.begin(
        instance,
        call.settings.durations.delete_instance,
        finish,
        closing=lambda: cluster.server.leave(instance.resource_id),
    )
    return instance_answer(call, instance)


def checked_parameter_group(call: Call, name: str, cluster: Cluster) -> str:
    """Return the name of a DB parameter group; it must exist and be of the family of the cluster's version."""
    group = call.state.parameter_groups.get(name.lower())
    if group is None:
        raise errors.ApiError("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}", 404)
    family = family_of(cluster.engine_version)
    require(
        group.family == family,
        invalid_combination(
            f"The Parameter Group {name} with DBParameterGroupFamily {group.family} cannot be used for this "
            f"instance. Please use a Parameter Group with DBParameterGroupFamily {family}"
        ),
    )
    return group.identifier


def require_available_instance(instance: Instance) -> None:
    """Refuse what needs an available instance that nobody is changing."""
    require(
        not instance.changing,
        errors.instance_state(f"Database instance {instance.identifier} is being modified already."),
    )
    require(
        instance.status == "available",
        errors.instance_state(f"Database instance is not in available state: {instance.status}."),
    )


def cluster_of(call: Call, instance: Instance) -> Cluster:
    """Return the cluster that an instance belongs to."""
    return call.state.clusters[instance.cluster_identifier]
