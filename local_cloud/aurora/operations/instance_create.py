"""CreateDBInstance, for members of a cluster."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call, new_resource_id
from local_cloud.aurora.errors import NotSupportedError, invalid_combination
from local_cloud.aurora.operations import observation, validate
from local_cloud.aurora.operations.account import CA_CERTIFICATE, checked_certificate
from local_cloud.aurora.operations.clusters import require_available
from local_cloud.aurora.operations.instance_modify import member_observation, refuse_capacity_reservation
from local_cloud.aurora.operations.instances import (
    PROMOTION_TIERS,
    checked_class,
    checked_parameter_group,
    instance_answer,
)
from local_cloud.aurora.operations.network import chosen_zone, has_free_address
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.operations.windows import maintenance_window
from local_cloud.aurora.state.describe_groups import default_parameter_group
from local_cloud.aurora.state.resources import Cluster, Instance
from local_cloud.aurora.state.tagging import requested_tags

# The cluster manages these: RDS refuses them for a member
OF_THE_CLUSTER = (
    "AllocatedStorage BackupRetentionPeriod CopyTagsToSnapshot DBName DeletionProtection Domain DomainIAMRoleName "
    "EnableCloudwatchLogsExports EnableIAMDatabaseAuthentication EngineLifecycleSupport KmsKeyId "
    "ManageMasterUserPassword MasterUserPassword MasterUsername MasterUserSecretKmsKeyId Port PreferredBackupWindow "
    "StorageEncrypted VpcSecurityGroupIds"
)


@operation(
    "CreateDBInstance",
    identifier="DBInstanceIdentifier",
    supports="DBInstanceClass Engine DBClusterIdentifier PromotionTier AvailabilityZone DBParameterGroupName "
    "PubliclyAccessible AutoMinorVersionUpgrade CACertificateIdentifier PreferredMaintenanceWindow Tags "
    "DBSubnetGroupName EngineVersion DBCapacityReservationIdentifier NetworkType DatabaseInsightsMode "
    + observation.MEMBERS
    + " "
    + OF_THE_CLUSTER,
    only={
        "MultiAZ": (False,),
        "StorageType": ("aurora", "aurora-iopt1"),
        "LicenseModel": ("postgresql-license",),
    },
)
def create_db_instance(call: Call) -> dict[str, Any]:
    """Answer CreateDBInstance: the cluster accepts connections once its first instance is available."""
    params, state = call.params, call.state
    identifier = validate.identifier(params, "DBInstanceIdentifier")
    validate.engine(params)
    if "DBClusterIdentifier" not in params:
        raise NotSupportedError("A DB instance outside an Aurora cluster")
    _refuse_cluster_members(params)
    refuse_capacity_reservation(params)
    cluster = state.cluster(params["DBClusterIdentifier"])
    instance_class = checked_class(call, cluster)
    _refuse_other_than_cluster(params, cluster)
    zone = chosen_zone(call, cluster, instance_class)
    require(identifier not in state.instances, errors.instance_exists())
    require(
        len(state.instances) < call.settings.quotas.instances,
        errors.ApiError("InstanceQuotaExceeded", "DB Instance quota exceeded."),
    )
    require_available(cluster, "add an instance to")
    parameter_group = checked_parameter_group(
        call, params.get("DBParameterGroupName", default_parameter_group(cluster.engine_version)), cluster
    )
    instance = Instance(
        identifier=identifier,
        arn=state.arn("db", identifier),
        tags=requested_tags(params),
        cluster_identifier=cluster.identifier,
        instance_class=instance_class,
        resource_id=new_resource_id("db"),
        availability_zone=zone,
        promotion_tier=validate.number(params, "PromotionTier", 1, PROMOTION_TIERS),
        parameter_group=parameter_group,
        groups_in_use=(cluster.parameter_group, parameter_group),
        maintenance_window=maintenance_window(params, "", backup=cluster.backup_window),
        observation=member_observation(call, cluster, cluster.observation),
        publicly_accessible=params.get("PubliclyAccessible", cluster.subnet_group == "default"),
        auto_minor_upgrade=params.get("AutoMinorVersionUpgrade", True),
        ca_certificate=checked_certificate(params.get("CACertificateIdentifier", CA_CERTIFICATE)),
    )
    state.instances[identifier] = instance
    cluster.members.append(identifier)

    fits = has_free_address(call, cluster, zone)

    def finish() -> None:
        if not fits:
            instance.status = "incompatible-network"
            call.event(instance, "The DB instance is in an incompatible network: no free IP address.", "failure")
            return
        instance.status = "available"
        instance.reachable_once = True
        instance.create_time = call.now
        if cluster.master_secret and cluster.status == "available":
            cluster.master_secret.status = "active"
        call.event(instance, "DB instance created", "creation")

    call.begin(
        instance,
        call.settings.durations.create_instance,
        finish,
        closing=lambda: cluster.server.join(instance.resource_id, cluster.master_username),
    )
    return instance_answer(call, instance)


def _refuse_cluster_members(params: dict[str, Any]) -> None:
    for name in OF_THE_CLUSTER.split():
        if name in params:
            raise invalid_combination(
                f"The requested DB Instance will be a member of a DB Cluster. Set {name} for the DB Cluster."
            )


def _refuse_other_than_cluster(params: dict[str, Any], cluster: Cluster) -> None:
    if params.get("EngineVersion", cluster.engine_version) != cluster.engine_version:
        raise invalid_combination(
            "The engine version that you requested for your DB instance does not match the engine version of your "
            f"DB cluster ({cluster.engine_version})."
        )
    of_the_cluster = {"DBSubnetGroupName": cluster.subnet_group, "NetworkType": cluster.network_type}
    for name, value in of_the_cluster.items():
        if params.get(name, value).lower() != value.lower():
            raise invalid_combination(
                f"The requested DB Instance will be a member of a DB Cluster and must use its {name} ({value})."
            )
