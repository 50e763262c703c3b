"""ModifyDBCluster."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import NotSupportedError
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.cluster_create import ORDINARY, log_exports
from local_cloud.aurora.operations.clusters import (
    chosen_parameter_group,
    cluster_answer,
    require_available,
)
from local_cloud.aurora.operations.master_password import password_stage
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.stages import Stage, run_stages
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.resources import Cluster
from local_cloud.aurora.state.versions import STORAGE_TYPES

IAM_AUTH = "IAMDatabaseAuthenticationEnabled"
NEW_IDENTIFIER = "DBClusterIdentifier"


@operation(
    "ModifyDBCluster",
    identifier="DBClusterIdentifier",
    supports="NewDBClusterIdentifier ApplyImmediately BackupRetentionPeriod DBClusterParameterGroupName "
    "VpcSecurityGroupIds Port EngineVersion AllowMajorVersionUpgrade MasterUserPassword PreferredBackupWindow "
    "PreferredMaintenanceWindow EnableIAMDatabaseAuthentication CloudwatchLogsExportConfiguration "
    "DeletionProtection CopyTagsToSnapshot StorageType AutoMinorVersionUpgrade ServerlessV2ScalingConfiguration "
    "ManageMasterUserPassword RotateMasterUserPassword MasterUserSecretKmsKeyId",
    only=ORDINARY | {"EnableHttpEndpoint": (False,)},
)
def modify_db_cluster(call: Call) -> dict[str, Any]:
    """Answer ModifyDBCluster: everything applies at once, but a rename or IAM needs ApplyImmediately."""
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    require_available(cluster, "modify")
    require(
        not cluster.changing,
        errors.cluster_state(f"DB cluster {cluster.identifier} is being modified already."),
    )
    _refuse_unsupported_change(call, cluster)
    at_once = _settings_without_interruption(call)
    settings = _settings(call, cluster)
    stages = [stage for stage in (password_stage(call, cluster),) if stage]
    if settings:
        stages.append(Stage("modifying", call.settings.durations.modify, lambda: _set(cluster, settings)))
    stages += _deferrable_stages(call, cluster)
    _set(cluster, at_once)
    if "BackupRetentionPeriod" in call.params:
        cluster.pending["BackupRetentionPeriod"] = call.params["BackupRetentionPeriod"]
    if stages:
        run_stages(call, cluster, stages)
    return cluster_answer(call, cluster)


def _refuse_unsupported_change(call: Call, cluster: Cluster) -> None:
    if call.params.get("Port", cluster.server.port) != cluster.server.port:
        raise NotSupportedError("A change of the port")
    version = call.params.get("EngineVersion")
    if version is not None and validate.engine_version(version) != cluster.engine_version:
        raise NotSupportedError("An upgrade of the engine version")


def _settings_without_interruption(call: Call) -> dict[str, Any]:
    """Return the settings that change at once, without a status."""
    params = call.params
    names = {
        "DeletionProtection": "deletion_protection",
        "CopyTagsToSnapshot": "copy_tags",
        "PreferredMaintenanceWindow": "maintenance_window",
        "AutoMinorVersionUpgrade": "auto_minor_upgrade",
    }
    settings = {attribute: params[name] for name, attribute in names.items() if name in params}
    if "PreferredBackupWindow" in params:
        settings["backup_window"] = validate.backup_window(params, "")
    return settings


def _settings(call: Call, cluster: Cluster) -> dict[str, Any]:
    """Return the settings that are applied while the cluster is `modifying`."""
    params = call.params
    settings: dict[str, Any] = {}
    if "BackupRetentionPeriod" in params:
        settings["backup_retention"] = validate.number(params, "BackupRetentionPeriod", 1, range(1, 36))
    if "DBClusterParameterGroupName" in params:
        settings["parameter_group"] = chosen_parameter_group(call, cluster.engine_version)
    if "VpcSecurityGroupIds" in params:
        settings["security_groups"] = validate.security_groups(params, [])
    if "StorageType" in params:
        settings["storage_type"] = validate.one_of(params, "StorageType", "aurora", STORAGE_TYPES)
    if "ServerlessV2ScalingConfiguration" in params:
        settings["serverless_scaling"] = validate.serverless_scaling(params)
    if "CloudwatchLogsExportConfiguration" in params:
        change = params["CloudwatchLogsExportConfiguration"]
        enabled = set(cluster.log_exports) | set(log_exports(change.get("EnableLogTypes", [])))
        settings["log_exports"] = sorted(enabled - set(change.get("DisableLogTypes", [])))
    return settings


def _deferrable_stages(call: Call, cluster: Cluster) -> list[Stage]:
    """Put rename and IAM off until somebody applies immediately; then return all that waited."""
    params = call.params
    if "NewDBClusterIdentifier" in params:
        name = validate.identifier(params, "NewDBClusterIdentifier")
        require(name not in call.state.clusters, errors.cluster_exists())
        cluster.pending[NEW_IDENTIFIER] = name
    if "EnableIAMDatabaseAuthentication" in params:
        cluster.pending[IAM_AUTH] = params["EnableIAMDatabaseAuthentication"]
    if not params.get("ApplyImmediately", False):
        return []
    stages = []
    durations = call.settings.durations
    if IAM_AUTH in cluster.pending:
        stages.append(Stage("update-iam-db-auth", durations.modify, lambda: _set_iam_auth(cluster)))
    if NEW_IDENTIFIER in cluster.pending:
        stages.append(Stage("renaming", durations.rename, lambda: _rename(call, cluster)))
    return stages


def _set(cluster: Cluster, settings: dict[str, Any]) -> None:
    for attribute, value in settings.items():
        setattr(cluster, attribute, value)
    if "backup_retention" in settings:
        cluster.pending.pop("BackupRetentionPeriod", None)


def _set_iam_auth(cluster: Cluster) -> None:
    cluster.iam_auth = cluster.pending.pop(IAM_AUTH)


def _rename(call: Call, cluster: Cluster) -> None:
    """Give the cluster its new name; its instances keep theirs."""
    old = cluster.identifier
    cluster.identifier = cluster.pending.pop(NEW_IDENTIFIER)
    cluster.arn = call.state.arn("cluster", cluster.identifier)
    call.state.clusters[cluster.identifier] = call.state.clusters.pop(old)
    for member in call.state.members_of(cluster):
        member.cluster_identifier = cluster.identifier
    call.event(cluster, f"Renamed cluster from {old} to {cluster.identifier}", "notification")
