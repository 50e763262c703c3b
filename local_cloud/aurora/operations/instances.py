"""DescribeDBInstances, ModifyDBInstance, RebootDBInstance, DeleteDBInstance."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import invalid_combination, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.paging import by_identifier, keep_matching, page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.describe import describe_instance
from local_cloud.aurora.state.resources import Cluster, Instance
from local_cloud.aurora.state.versions import ENGINE, INSTANCE_CLASSES

PROMOTION_TIERS = range(16)
FINAL_SNAPSHOT_SKIPPED_IN = frozenset({"failed", "incompatible-restore", "incompatible-network"})


def instance_answer(call: Call, instance: Instance) -> dict[str, Any]:
    """Return the answer that shows one instance."""
    return {"DBInstance": describe_instance(instance, _cluster_of(call, instance), call.state)}


def checked_class(params: dict[str, Any], cluster: Cluster) -> str:
    """Return the instance class; raise InvalidParameterValue/-Combination."""
    name: str = params["DBInstanceClass"]
    if name not in INSTANCE_CLASSES:
        raise invalid_value(f"Invalid DB Instance class: {name}")
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
        "DBInstances": [describe_instance(instance, _cluster_of(call, instance), call.state) for instance in shown],
        "Marker": marker,
    }


@operation(
    "ModifyDBInstance",
    identifier="DBInstanceIdentifier",
    supports="DBInstanceClass PromotionTier DBParameterGroupName PreferredMaintenanceWindow AutoMinorVersionUpgrade "
    "CACertificateIdentifier PubliclyAccessible ApplyImmediately",
    only={"MonitoringInterval": (0,), "EnablePerformanceInsights": (False,)},
)
def modify_db_instance(call: Call) -> dict[str, Any]:
    """Answer ModifyDBInstance; a class change waits for ApplyImmediately (no maintenance window comes here)."""
    params = call.params
    instance = call.state.instance(params["DBInstanceIdentifier"])
    cluster = _cluster_of(call, instance)
    _require_available(instance)
    if "DBParameterGroupName" in params:
        instance.parameter_group = checked_parameter_group(call, params["DBParameterGroupName"])
    if "PromotionTier" in params:
        instance.promotion_tier = validate.number(params, "PromotionTier", 1, PROMOTION_TIERS)
    instance.maintenance_window = params.get("PreferredMaintenanceWindow", instance.maintenance_window)
    instance.auto_minor_upgrade = params.get("AutoMinorVersionUpgrade", instance.auto_minor_upgrade)
    instance.publicly_accessible = params.get("PubliclyAccessible", instance.publicly_accessible)
    instance.ca_certificate = params.get("CACertificateIdentifier", instance.ca_certificate)
    if "DBInstanceClass" in params:
        instance.pending["DBInstanceClass"] = checked_class(params, cluster)
    if params.get("ApplyImmediately", False) and instance.pending:
        _apply_pending(call, instance)
    return instance_answer(call, instance)


@operation("RebootDBInstance", identifier="DBInstanceIdentifier", only={"ForceFailover": (False,)})
def reboot_db_instance(call: Call) -> dict[str, Any]:
    """Answer RebootDBInstance: the writer's reboot restarts the cluster's server, a reader's does not."""
    instance = call.state.instance(call.params["DBInstanceIdentifier"])
    cluster = _cluster_of(call, instance)
    _require_available(instance)
    instance.status = "rebooting"

    def closing() -> None:
        if cluster.members[0] == instance.identifier:
            cluster.server.restart(cluster.master_username)

    def finish() -> None:
        instance.status = "available"
        call.event(instance, "DB instance restarted", "availability")

    call.begin(instance, call.settings.durations.reboot, finish, closing=closing)
    return instance_answer(call, instance)


@operation(
    "DeleteDBInstance",
    identifier="DBInstanceIdentifier",
    supports="SkipFinalSnapshot",
    only={"DeleteAutomatedBackups": (True,)},
)
def delete_db_instance(call: Call) -> dict[str, Any]:
    """Answer DeleteDBInstance: cluster protection does not matter; the server stops with the last instance."""
    instance = call.state.instance(call.params["DBInstanceIdentifier"])
    cluster = _cluster_of(call, instance)
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
        del call.state.instances[instance.identifier]
        call.event(instance, "DB instance deleted", "deletion")

    call.begin(
        instance,
        call.settings.durations.delete_instance,
        finish,
        closing=lambda: cluster.server.leave(instance.resource_id),
    )
    return instance_answer(call, instance)


def checked_parameter_group(call: Call, name: str) -> str:
    """Return the name of a DB parameter group that exists; raise DBParameterGroupNotFound."""
    require(
        name.lower() in call.state.parameter_groups,
        errors.ApiError("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}", 404),
    )
    return name.lower()


def _apply_pending(call: Call, instance: Instance) -> None:
    instance.status = "modifying"

    def finish() -> None:
        instance.instance_class = instance.pending.pop("DBInstanceClass", instance.instance_class)
        instance.status = "available"
        call.event(instance, "Finished applying modification to DB instance class", "configuration change")

    call.begin(instance, call.settings.durations.modify, finish)


def _require_available(instance: Instance) -> None:
    require(
        instance.status == "available",
        errors.instance_state(f"Database instance is not in available state: {instance.status}."),
    )


def _cluster_of(call: Call, instance: Instance) -> Cluster:
    return call.state.clusters[instance.cluster_identifier]
