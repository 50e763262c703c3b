"""ModifyDBCluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, NotSupportedError
from local_cloud.aurora.operations import observation, validate
from local_cloud.aurora.operations.cluster_settings import (
    ORDINARY,
    domain,
    join_domain,
    lifecycle_support,
    log_exports,
)
from local_cloud.aurora.operations.clusters import (
    chosen_parameter_group,
    cluster_answer,
    require_available,
)
from local_cloud.aurora.operations.maintenance import wait_for_window
from local_cloud.aurora.operations.master_password import password_stage
from local_cloud.aurora.operations.network import chosen_network_type, chosen_security_groups
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.stages import Stage, run_stages
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.operations.windows import windows
from local_cloud.aurora.state.observation import Observation
from local_cloud.aurora.state.resources import Cluster
from local_cloud.aurora.state.versions import STORAGE_TYPES
from local_cloud.aurora.wire.response import iso

IAM_AUTH = "IAMDatabaseAuthenticationEnabled"
NEW_IDENTIFIER = "DBClusterIdentifier"
STALE = "stale-certificate"
IOPT = "aurora-iopt1"
BETWEEN_IOPT_CHANGES = timedelta(days=30)


@operation(
    "ModifyDBCluster",
    identifier="DBClusterIdentifier",
    supports="NewDBClusterIdentifier ApplyImmediately BackupRetentionPeriod DBClusterParameterGroupName "
    "VpcSecurityGroupIds Port EngineVersion AllowMajorVersionUpgrade MasterUserPassword PreferredBackupWindow "
    "PreferredMaintenanceWindow EnableIAMDatabaseAuthentication CloudwatchLogsExportConfiguration "
    "DeletionProtection CopyTagsToSnapshot StorageType AutoMinorVersionUpgrade ServerlessV2ScalingConfiguration "
    "ManageMasterUserPassword RotateMasterUserPassword MasterUserSecretKmsKeyId EnableLocalWriteForwarding Domain "
    "DomainIAMRoleName EngineLifecycleSupport NetworkType DatabaseInsightsMode "
    "MasterUserAuthenticationType " + observation.MEMBERS,
    only=ORDINARY | {"EnableHttpEndpoint": (False,)},
)
def modify_db_cluster(call: Call) -> dict[str, Any]:
    """Answer ModifyDBCluster: all at once, but a rename or IAM waits for ApplyImmediately or the window."""
    cluster = call.state.cluster(call.params["DBClusterIdentifier"])
    require_available(cluster, "modify")
    require(
        not cluster.changing,
        errors.cluster_state(f"DB cluster {cluster.identifier} is being modified already."),
    )
    _refuse_unsupported_change(call, cluster)
    at_once = _settings_without_interruption(call, cluster)
    settings = _settings(call, cluster)
    deferred = _deferred(call)
    stages = [stage for stage in (password_stage(call, cluster),) if stage]
    if settings:
        stages.append(Stage("modifying", call.settings.durations.modify, lambda: _apply(call, cluster, settings)))
        _show_pending(cluster, settings)
    cluster.pending |= deferred
    if call.params.get("ApplyImmediately", False):
        stages += _deferred_stages(call, cluster, stale=call.fault is not None and call.fault.kind == STALE)
    elif deferred:
        wait_for_window(call, cluster, lambda: run_stages(call, cluster, _deferred_stages(call, cluster)))
    _set(cluster, at_once)
    if stages:
        run_stages(call, cluster, stages)
    return cluster_answer(call, cluster)


def _refuse_unsupported_change(call: Call, cluster: Cluster) -> None:
    if call.params.get("Port", cluster.server.port) != cluster.server.port:
        raise NotSupportedError("A change of the port")
    version = call.params.get("EngineVersion")
    if version is not None and validate.engine_version(version) != cluster.engine_version:
        raise NotSupportedError("An upgrade of the engine version")


def _settings_without_interruption(call: Call, cluster: Cluster) -> dict[str, Any]:
    """Return the settings that change at once, without a status."""
    params = call.params
    names = {
        "DeletionProtection": "deletion_protection",
        "CopyTagsToSnapshot": "copy_tags",
        "AutoMinorVersionUpgrade": "auto_minor_upgrade",
    }
    settings = {attribute: params[name] for name, attribute in names.items() if name in params}
    settings["backup_window"], settings["maintenance_window"] = windows(
        params, backup=cluster.backup_window, maintenance=cluster.maintenance_window
    )
    settings["lifecycle_support"] = lifecycle_support(params, cluster.lifecycle_support)
    return settings


def _settings(call: Call, cluster: Cluster) -> dict[str, Any]:
    """Return the settings that are applied while the cluster is `modifying`."""
    params = call.params
    group = call.state.subnet_groups[cluster.subnet_group]
    makers: dict[str, tuple[str, Callable[[], Any]]] = {
        "BackupRetentionPeriod": (
            "backup_retention",
            lambda: validate.number(params, "BackupRetentionPeriod", 1, range(1, 36)),
        ),
        "DBClusterParameterGroupName": (
            "parameter_group",
            lambda: chosen_parameter_group(call, cluster.engine_version),
        ),
        "VpcSecurityGroupIds": (
            "security_groups",
            lambda: chosen_security_groups(call, group, cluster.security_groups),
        ),
        "NetworkType": ("network_type", lambda: chosen_network_type(params, group, cluster.network_type)),
        "StorageType": ("storage_type", lambda: _storage_type(call, cluster)),
        "ServerlessV2ScalingConfiguration": ("serverless_scaling", lambda: validate.serverless_scaling(params)),
        "CloudwatchLogsExportConfiguration": ("log_exports", lambda: _log_exports(params, cluster)),
        "EnableLocalWriteForwarding": (
            "local_write_forwarding",
            lambda: "enabled" if params["EnableLocalWriteForwarding"] else "disabled",
        ),
        "Domain": ("domain", lambda: domain(call, cluster.domain)),
    }
    settings = {attribute: make() for member, (attribute, make) in makers.items() if member in params}
    if observation.asks_for_observation(params):
        settings["observation"] = observation.requested_observation(call, cluster.observation)
    return settings


def _log_exports(params: dict[str, Any], cluster: Cluster) -> list[str]:
    change = params["CloudwatchLogsExportConfiguration"]
    enabled = set(cluster.log_exports) | set(log_exports(change.get("EnableLogTypes", [])))
    return sorted(enabled - set(change.get("DisableLogTypes", [])))


def _storage_type(call: Call, cluster: Cluster) -> str:
    """Return the storage type; to I/O-Optimized, even from it, at most once in 30 days (aws/aws-cdk#27212)."""
    wanted = validate.one_of(call.params, "StorageType", "aurora", STORAGE_TYPES)
    allowed = cluster.next_iopt_change
    if wanted == IOPT and allowed and call.now < allowed:
        raise ApiError(
            "StorageTypeNotAvailableFault",
            f"You can't modify the storage type of this DB cluster yet. Try again after {iso(allowed)}.",
        )
    return wanted


def _show_pending(cluster: Cluster, settings: dict[str, Any]) -> None:
    """Show of the settings that are being applied those that RDS shows."""
    if "backup_retention" in settings:
        cluster.pending["BackupRetentionPeriod"] = settings["backup_retention"]
    if settings.get("storage_type", cluster.storage_type) != cluster.storage_type:
        cluster.pending["StorageType"] = settings["storage_type"]
    if "local_write_forwarding" in settings:
        cluster.local_write_forwarding = settings["local_write_forwarding"].removesuffix("ed") + "ing"


def _apply(call: Call, cluster: Cluster, settings: dict[str, Any]) -> None:
    if settings.get("storage_type") == IOPT != cluster.storage_type:
        cluster.next_iopt_change = call.now + BETWEEN_IOPT_CHANGES
    if "observation" in settings:
        _hand_down(call, cluster, settings["observation"])
    _set(cluster, settings)
    if settings.get("domain"):
        join_domain(call, cluster)
    for name in ("BackupRetentionPeriod", "StorageType"):
        cluster.pending.pop(name, None)


def _hand_down(call: Call, cluster: Cluster, new: Observation) -> None:
    """Give the members what changes of the cluster's observation."""
    before = asdict(cluster.observation)
    changed = {name: value for name, value in asdict(new).items() if value != before[name]}
    for member in call.state.members_of(cluster):
        member.observation = replace(member.observation, **changed)


def _deferred(call: Call) -> dict[str, Any]:
    """Return what waits until somebody applies immediately, or the maintenance window comes."""
    params = call.params
    deferred: dict[str, Any] = {}
    if "NewDBClusterIdentifier" in params:
        name = validate.identifier(params, "NewDBClusterIdentifier")
        require(name not in call.state.clusters, errors.cluster_exists())
        deferred[NEW_IDENTIFIER] = name
    if "EnableIAMDatabaseAuthentication" in params:
        deferred[IAM_AUTH] = params["EnableIAMDatabaseAuthentication"]
    return deferred


def _deferred_stages(call: Call, cluster: Cluster, *, stale: bool = False) -> list[Stage]:
    stages = []
    durations = call.settings.durations
    if IAM_AUTH in cluster.pending:
        stages.append(Stage("update-iam-db-auth", durations.modify, lambda: _set_iam_auth(cluster)))
    if NEW_IDENTIFIER in cluster.pending:
        stages.append(Stage("renaming", durations.rename, lambda: _rename(call, cluster, stale=stale)))
    return stages


def _set(cluster: Cluster, settings: dict[str, Any]) -> None:
    for attribute, value in settings.items():
        setattr(cluster, attribute, value)


def _set_iam_auth(cluster: Cluster) -> None:
    cluster.iam_auth = cluster.pending.pop(IAM_AUTH)


def _rename(call: Call, cluster: Cluster, *, stale: bool) -> None:
    """Give the cluster its new name; its instances keep theirs, and a stale certificate the old one."""
    if stale:
        cluster.server.show_old_name(old=True)
    old = cluster.identifier
    cluster.identifier = cluster.pending.pop(NEW_IDENTIFIER)
    cluster.arn = call.state.arn("cluster", cluster.identifier)
    call.state.clusters[cluster.identifier] = call.state.clusters.pop(old)
    for member in call.state.members_of(cluster):
        member.cluster_identifier = cluster.identifier
    call.event(cluster, f"Renamed cluster from {old} to {cluster.identifier}", "notification")
