"""What the fake RDS makes of the settings that it is told: the describing answers show them as AWS does."""

from typing import Any

from tests.fakes.rds_items import Item

# Of the parameters of a call, the field of DescribeDBClusters or DescribeDBInstances that shows them.
_SHOWN_AS = {
    "AvailabilityZones": "AvailabilityZones",
    "Port": "Port",
    "DBSubnetGroupName": "DBSubnetGroup",
    "KmsKeyId": "KmsKeyId",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "EnableCloudwatchLogsExports": "EnabledCloudwatchLogsExports",
    "DBClusterParameterGroupName": "DBClusterParameterGroup",
    "DeletionProtection": "DeletionProtection",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "StorageType": "StorageType",
    "NetworkType": "NetworkType",
    "ServerlessV2ScalingConfiguration": "ServerlessV2ScalingConfiguration",
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "PreferredBackupWindow": "PreferredBackupWindow",
    "PreferredMaintenanceWindow": "PreferredMaintenanceWindow",
    "EngineLifecycleSupport": "EngineLifecycleSupport",
    "AssociatedRoles": "AssociatedRoles",
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
    "DBInstanceClass": "DBInstanceClass",
    "AvailabilityZone": "AvailabilityZone",
    "PromotionTier": "PromotionTier",
    "CACertificateIdentifier": "CACertificateIdentifier",
    "PubliclyAccessible": "PubliclyAccessible",
}


def shown(params: dict[str, Any]) -> Item:
    """Return what a describing call shows of these parameters."""
    item = {field: params[name] for name, field in _SHOWN_AS.items() if name in params}
    if "VpcSecurityGroupIds" in params:
        item["VpcSecurityGroups"] = [{"VpcSecurityGroupId": name} for name in params["VpcSecurityGroupIds"]]
    if "DBParameterGroupName" in params:
        item["DBParameterGroups"] = [{"DBParameterGroupName": params["DBParameterGroupName"]}]
    if "Domain" in params:
        item["DomainMemberships"] = [{"Domain": params["Domain"], "IAMRoleName": params.get("DomainIAMRoleName")}]
    if "EnableLocalWriteForwarding" in params:
        on = params["EnableLocalWriteForwarding"]
        item["LocalWriteForwardingStatus"] = "enabled" if on else "disabled"
    return item
