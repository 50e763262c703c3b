"""CreateDBCluster."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.cluster_door import ClusterDoor
from local_cloud.aurora.engine import Call, new_resource_id
from local_cloud.aurora.errors import invalid_combination, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.cluster_settings import MEMBERS, ORDINARY, cluster_settings, settle
from local_cloud.aurora.operations.clusters import (
    cluster_answer,
    create_master_secret,
    generated_password,
    new_cluster_allowed,
)
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.postgres.bootstrap import Master
from local_cloud.aurora.state.resources import Cluster, Encryption


@operation(
    "CreateDBCluster",
    identifier="DBClusterIdentifier",
    supports="DatabaseName MasterUsername MasterUserPassword PreferredMaintenanceWindow StorageEncrypted "
    "AutoMinorVersionUpgrade ManageMasterUserPassword MasterUserSecretKmsKeyId EnableHttpEndpoint "
    "EnableLocalWriteForwarding DatabaseInsightsMode " + MEMBERS,
    only=ORDINARY
    | {
        "PubliclyAccessible": (False,),
        "ClusterScalabilityType": ("standard",),
        "MasterUserAuthenticationType": ("password",),
    },
)
def create_db_cluster(call: Call) -> dict[str, Any]:
    """Answer CreateDBCluster: a new PostgreSQL data directory; the server starts with the first instance."""
    params, state = call.params, call.state
    identifier = validate.identifier(params, "DBClusterIdentifier")
    validate.engine(params)
    version = validate.engine_version(params.get("EngineVersion"))
    username = _master_username(params)
    password = _master_password(params)
    settings = cluster_settings(call, version, default_retention=1)
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
            engine_version=version,
        ),
        encryption=encryption,
        database_name=database,
        master_secret=secret,
        http_endpoint=params.get("EnableHttpEndpoint", False),
        local_write_forwarding="enabled" if params.get("EnableLocalWriteForwarding") else "disabled",
        **settings,
    )
    state.clusters[identifier] = cluster
    master = Master(username, password, database)

    call.begin(
        cluster,
        call.settings.durations.create_cluster,
        lambda: settle(call, cluster),
        work=lambda: call.engine.farm.furnish(cluster.server, major, master),
    )
    return cluster_answer(call, cluster)


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
