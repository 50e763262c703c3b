"""CreateDBCluster."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.cluster_door import ClusterDoor
from local_cloud.aurora.engine import Call, new_resource_id
from local_cloud.aurora.errors import invalid_combination, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.clusters import (
    chosen_parameter_group,
    chosen_subnet_group,
    cluster_answer,
    create_master_secret,
    generated_password,
    new_cluster_allowed,
)
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.postgres.bootstrap import Master
from local_cloud.aurora.state.resources import Cluster, Encryption
from local_cloud.aurora.state.tagging import requested_tags
from local_cloud.aurora.state.versions import ENGINE, LOG_EXPORTS, STORAGE_TYPES

PORTS = range(1150, 65536)
DEFAULT_PORT = 5432
# Members that mean "nothing special" with these values
ORDINARY: dict[str, tuple[object, ...]] = {
    "EngineMode": ("provisioned",),
    "NetworkType": ("IPV4",),
    "MonitoringInterval": (0,),
    "EnablePerformanceInsights": (False,),
    "BacktrackWindow": (0,),
    "OptionGroupName": tuple(f"default:{ENGINE}-{major}" for major in (14, 15, 16, 17)),
}


@operation(
    "CreateDBCluster",
    identifier="DBClusterIdentifier",
    supports="AvailabilityZones BackupRetentionPeriod DatabaseName DBClusterParameterGroupName VpcSecurityGroupIds "
    "DBSubnetGroupName Engine EngineVersion Port MasterUsername MasterUserPassword PreferredBackupWindow "
    "PreferredMaintenanceWindow Tags StorageEncrypted KmsKeyId EnableIAMDatabaseAuthentication "
    "EnableCloudwatchLogsExports DeletionProtection CopyTagsToSnapshot StorageType AutoMinorVersionUpgrade "
    "ServerlessV2ScalingConfiguration ManageMasterUserPassword MasterUserSecretKmsKeyId EngineLifecycleSupport",
    only=ORDINARY | {"PubliclyAccessible": (False,), "EnableHttpEndpoint": (False,)},
)
def create_db_cluster(call: Call) -> dict[str, Any]:
    """Answer CreateDBCluster: a new PostgreSQL data directory; the server starts with the first instance."""
    params, state = call.params, call.state
    identifier = validate.identifier(params, "DBClusterIdentifier")
    validate.engine(params)
    version = validate.engine_version(params.get("EngineVersion"))
    username = _master_username(params)
    password = _master_password(params)
    settings = cluster_settings(call, version, default_retention=1, default_window="07:00-07:30")
    encryption = _encryption(call)
    database = validate.database_name(params.get("DatabaseName"))
    new_cluster_allowed(call, identifier)
    major = validate.installed_major(version, call.engine.farm.host.majors)
    secret = (
        create_master_secret(call, identifier, username, password) if params.get("ManageMasterUserPassword") else None
    )
    resource_id = new_resource_id("cluster")
    volume = call.engine.farm.new_volume(resource_id)
    cluster = Cluster(
        identifier=identifier,
        arn=state.arn("cluster", identifier),
        account_id=state.account_id,
        region=state.region,
        resource_id=resource_id,
        create_time=call.now,
        master_username=username,
        volume=volume,
        server=call.engine.farm.new_server(
            volume,
            major,
            f"{call.region}-{identifier}-{resource_id}",
            params.get("Port"),
            ClusterDoor(call.engine, state.account_id, state.region, resource_id),
        ),
        encryption=encryption,
        database_name=database,
        master_secret=secret,
        **settings,
    )
    state.clusters[identifier] = cluster
    master = Master(username, password, database)

    def finish() -> None:
        cluster.status = "available"
        call.event(cluster, "DB cluster created", "creation")

    call.begin(
        cluster,
        call.settings.durations.create_cluster,
        finish,
        work=lambda: call.engine.farm.furnish(cluster.server, major, master),
    )
    return cluster_answer(call, cluster)


def cluster_settings(call: Call, version: str, *, default_retention: int, default_window: str) -> dict[str, Any]:
    """Return the checked settings that CreateDBCluster and RestoreDBClusterFromSnapshot have in common."""
    params, state = call.params, call.state
    if "Port" in params:
        validate.number(params, "Port", DEFAULT_PORT, PORTS)
    zones = params.get("AvailabilityZones") or state.zones
    for zone in zones:
        if zone not in state.zones:
            raise invalid_value(f"Invalid availability zones: {zone}")
    return {
        "engine_version": version,
        "tags": requested_tags(params),
        "subnet_group": chosen_subnet_group(call),
        "parameter_group": chosen_parameter_group(call, version),
        "security_groups": validate.security_groups(params, [state.default_security_group]),
        "availability_zones": zones,
        "backup_retention": validate.number(params, "BackupRetentionPeriod", default_retention, range(1, 36)),
        "backup_window": validate.backup_window(params, default_window),
        "maintenance_window": params.get("PreferredMaintenanceWindow", "sun:08:00-sun:08:30"),
        "iam_auth": params.get("EnableIAMDatabaseAuthentication", False),
        "log_exports": log_exports(params.get("EnableCloudwatchLogsExports", [])),
        "deletion_protection": params.get("DeletionProtection", False),
        "copy_tags": params.get("CopyTagsToSnapshot", False),
        "storage_type": validate.one_of(params, "StorageType", "aurora", STORAGE_TYPES),
        "serverless_scaling": validate.serverless_scaling(params),
        "lifecycle_support": validate.one_of(
            params,
            "EngineLifecycleSupport",
            "open-source-rds-extended-support",
            ("open-source-rds-extended-support", "open-source-rds-extended-support-disabled"),
        ),
        "auto_minor_upgrade": params.get("AutoMinorVersionUpgrade", True),
    }


def log_exports(names: list[str]) -> list[str]:
    """Return log types that Aurora PostgreSQL can export; raise InvalidParameterCombination."""
    wrong = [name for name in names if name not in LOG_EXPORTS]
    if wrong:
        raise invalid_combination(
            f"You cannot use the log types '{', '.join(wrong)}' with engine version {ENGINE}. "
            f"For supported log types, see the documentation."
        )
    return sorted(set(names))


def _master_username(params: dict[str, Any]) -> str:
    if "MasterUsername" not in params:
        raise invalid_value("The parameter MasterUsername must be provided and must not be blank.")
    return validate.master_username(params["MasterUsername"])


def _master_password(params: dict[str, Any]) -> str:
    managed = params.get("ManageMasterUserPassword", False)
    if managed and "MasterUserPassword" in params:
        raise invalid_combination(
            "You can't specify MasterUserPassword for an instance with ManageMasterUserPassword enabled."
        )
    if "MasterUserSecretKmsKeyId" in params and not managed:
        raise invalid_combination("MasterUserSecretKmsKeyId needs ManageMasterUserPassword.")
    if managed:
        return generated_password()
    if "MasterUserPassword" not in params:
        raise invalid_value("The parameter MasterUserPassword must be provided and must not be blank.")
    return validate.password(params["MasterUserPassword"])


def _encryption(call: Call) -> Encryption:
    """Return the storage encryption: sse-rds unless a KMS key is asked for."""
    key_id = call.params.get("KmsKeyId")
    if not call.params.get("StorageEncrypted", False):
        if key_id:
            raise invalid_combination("KmsKeyId can only be specified with StorageEncrypted.")
        return Encryption()
    key = call.key(key_id or "alias/aws/rds")
    return Encryption(kms_key_arn=key.arn, aws_managed_key=key.aws_managed)
