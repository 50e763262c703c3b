"""ModifyDBInstance."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, invalid_combination
from local_cloud.aurora.operations import observation, validate
from local_cloud.aurora.operations.account import checked_certificate
from local_cloud.aurora.operations.instances import (
    PROMOTION_TIERS,
    checked_class,
    checked_parameter_group,
    cluster_of,
    instance_answer,
    reboot_stage,
    require_available_instance,
)
from local_cloud.aurora.operations.maintenance import wait_for_window
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.stages import Stage, run_stages
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.operations.windows import maintenance_window
from local_cloud.aurora.state.observation import Observation
from local_cloud.aurora.state.resources import Cluster, Instance

CLASS, CERTIFICATE = "DBInstanceClass", "CACertificateIdentifier"
NEW_IDENTIFIER = "DBInstanceIdentifier"
# The cluster manages these: RDS refuses them for a member
OF_THE_CLUSTER = (
    "BackupRetentionPeriod CloudwatchLogsExportConfiguration DBPortNumber DeletionProtection Domain DomainIAMRoleName "
    "EnableIAMDatabaseAuthentication EngineLifecycleSupport EngineVersion ManageMasterUserPassword MasterUserPassword "
    "MasterUserSecretKmsKeyId NetworkType PreferredBackupWindow RotateMasterUserPassword StorageType "
    "VpcSecurityGroupIds"
)


@operation(
    "ModifyDBInstance",
    identifier="DBInstanceIdentifier",
    supports="DBInstanceClass PromotionTier DBParameterGroupName PreferredMaintenanceWindow AutoMinorVersionUpgrade "
    "CACertificateIdentifier CertificateRotationRestart PubliclyAccessible ApplyImmediately NewDBInstanceIdentifier "
    f"DBCapacityReservationIdentifier DatabaseInsightsMode {observation.MEMBERS} {OF_THE_CLUSTER}",
    only={"MultiAZ": (False,), "LicenseModel": ("postgresql-license",)},
)
def modify_db_instance(call: Call) -> dict[str, Any]:
    """Answer ModifyDBInstance: class, certificate and name wait for ApplyImmediately or the maintenance window."""
    instance = call.state.instance(call.params["DBInstanceIdentifier"])
    cluster = cluster_of(call, instance)
    require_available_instance(instance)
    _refuse_cluster_members(call.params)
    settings = _settings(call, instance, cluster)
    deferred = _deferred(call, cluster)
    stages = _observation_stages(call, instance, cluster)
    for attribute, value in settings.items():
        setattr(instance, attribute, value)
    instance.pending |= deferred
    if call.params.get("ApplyImmediately", False):
        stages += _deferred_stages(call, instance, cluster)
    elif deferred:
        wait_for_window(call, instance, lambda: run_stages(call, instance, _deferred_stages(call, instance, cluster)))
    if stages:
        run_stages(call, instance, stages)
    return instance_answer(call, instance)


def refuse_capacity_reservation(params: dict[str, Any]) -> None:
    """Refuse a capacity reservation: nobody can make one here, so there is none."""
    if name := params.get("DBCapacityReservationIdentifier"):
        raise ApiError("DBCapacityReservationNotFound", f"DB capacity reservation {name} not found.", 404)


def _refuse_cluster_members(params: dict[str, Any]) -> None:
    for name in OF_THE_CLUSTER.split():
        if name in params:
            raise invalid_combination(
                f"The specified DB Instance is a member of a cluster. Modify {name} for the DB Cluster using the "
                "ModifyDbCluster API"
            )
    refuse_capacity_reservation(params)


def _settings(call: Call, instance: Instance, cluster: Cluster) -> dict[str, Any]:
    """Return the settings that change at once."""
    params = call.params
    names = {"AutoMinorVersionUpgrade": "auto_minor_upgrade", "PubliclyAccessible": "publicly_accessible"}
    settings = {attribute: params[name] for name, attribute in names.items() if name in params}
    if "DBParameterGroupName" in params:
        settings["parameter_group"] = checked_parameter_group(call, params["DBParameterGroupName"], cluster)
    if "PromotionTier" in params:
        settings["promotion_tier"] = validate.number(params, "PromotionTier", 1, PROMOTION_TIERS)
    settings["maintenance_window"] = maintenance_window(
        params, instance.maintenance_window, backup=cluster.backup_window
    )
    return settings


def _deferred(call: Call, cluster: Cluster) -> dict[str, Any]:
    deferred: dict[str, Any] = {}
    if CLASS in call.params:
        deferred[CLASS] = checked_class(call, cluster)
    if CERTIFICATE in call.params:
        deferred[CERTIFICATE] = checked_certificate(call.params[CERTIFICATE])
    if "NewDBInstanceIdentifier" in call.params:
        name = validate.identifier(call.params, "NewDBInstanceIdentifier")
        require(name not in call.state.instances, errors.instance_exists())
        deferred[NEW_IDENTIFIER] = name
    return deferred


def _observation_stages(call: Call, instance: Instance, cluster: Cluster) -> list[Stage]:
    if not observation.asks_for_observation(call.params):
        return []
    new = member_observation(call, cluster, instance.observation)
    status = "modifying"
    if new.monitoring_interval != instance.observation.monitoring_interval:
        status = "configuring-enhanced-monitoring"

    def apply() -> None:
        instance.observation = new

    return [Stage(status, call.settings.durations.modify, apply)]


def member_observation(call: Call, cluster: Cluster, now: Observation) -> Observation:
    """Return what a request asks for an instance; its mode of Database Insights is the cluster's."""
    require(
        call.params.get("DatabaseInsightsMode", cluster.observation.mode) == cluster.observation.mode,
        invalid_combination("Aurora DB instances inherit DatabaseInsightsMode from the DB cluster."),
    )
    return observation.requested_observation(call, now)


def _deferred_stages(call: Call, instance: Instance, cluster: Cluster) -> list[Stage]:
    stages = []
    if CLASS in instance.pending:
        stages.append(Stage("modifying", call.settings.durations.modify, lambda: _change_class(call, instance)))
    if CERTIFICATE in instance.pending:
        stages.append(Stage("modifying", call.settings.durations.modify, lambda: _change_certificate(instance)))
        if call.params.get("CertificateRotationRestart", True):
            stages.append(reboot_stage(call, instance, cluster))
    if NEW_IDENTIFIER in instance.pending:
        stages.append(Stage("renaming", call.settings.durations.rename, lambda: _rename(call, instance, cluster)))
        stages.append(reboot_stage(call, instance, cluster))
    return stages


def _rename(call: Call, instance: Instance, cluster: Cluster) -> None:
    """Give the instance its new name, also where its cluster and custom endpoints name it."""
    old, new = instance.identifier, instance.pending.pop(NEW_IDENTIFIER)
    instance.identifier, instance.arn = new, call.state.arn("db", new)
    call.state.instances[new] = call.state.instances.pop(old)
    named = [cluster.members]
    for endpoint in call.state.custom_endpoints.values():
        named += [endpoint.static_members, endpoint.excluded_members]
    for names in named:
        names[:] = [new if name == old else name for name in names]
    call.event(instance, f"Renamed instance from {old} to {new}", "notification")


def _change_class(call: Call, instance: Instance) -> None:
    instance.instance_class = instance.pending.pop(CLASS)
    call.event(instance, "Finished applying modification to DB instance class", "configuration change")


def _change_certificate(instance: Instance) -> None:
    instance.ca_certificate = instance.pending.pop(CERTIFICATE)
