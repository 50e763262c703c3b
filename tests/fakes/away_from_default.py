"""A target with every setting away from its default, as DescribeDBClusters and DescribeDBInstances show it."""

from datetime import UTC, datetime
from typing import Any

from tests.fakes.aws import KEY_ARN, REPLACEABLE_TAG, FakeAws
from tests.fakes.rds_items import tag_list

OTHER_KEY_ARN = KEY_ARN.replace("key/mine", "key/theirs")
INSIGHTS_KEY_ARN = KEY_ARN.replace("key/mine", "key/insights")
_ROLE = "arn:aws:iam::123456789012:role"

CLUSTER: dict[str, Any] = {
    "DBSubnetGroup": "private",
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-7"}, {"VpcSecurityGroupId": "sg-8"}],
    "AvailabilityZones": ["us-west-2a", "us-west-2b", "us-west-2c"],
    "Port": 5433,
    "NetworkType": "DUAL",
    "KmsKeyId": OTHER_KEY_ARN,
    "StorageType": "aurora-iopt1",
    "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.0, "MaxCapacity": 8.0, "SecondsUntilAutoPause": 600},
    "DBClusterParameterGroup": "tuned",
    "EnabledCloudwatchLogsExports": ["postgresql", "iam-db-auth-error"],
    "IAMDatabaseAuthenticationEnabled": True,
    "DeletionProtection": True,
    "TagList": tag_list({"team": "data", "cost-centre": "42"}),
    "BackupRetentionPeriod": 14,
    "PreferredBackupWindow": "03:10-03:40",
    "PreferredMaintenanceWindow": "wed:04:10-wed:04:40",
    "AutoMinorVersionUpgrade": False,
    "CopyTagsToSnapshot": False,
    "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
    "HttpEndpointEnabled": True,
    "LocalWriteForwardingStatus": "enabled",
    "AssociatedRoles": [{"RoleArn": f"{_ROLE}/import", "FeatureName": "s3Import", "Status": "ACTIVE"}],
    "DomainMemberships": [{"Domain": "d-1", "IAMRoleName": "kerberos", "Status": "joined"}],
    "MonitoringInterval": 30,
    "MonitoringRoleArn": f"{_ROLE}/monitoring",
    "PerformanceInsightsEnabled": True,
    "PerformanceInsightsKMSKeyId": INSIGHTS_KEY_ARN,
    "PerformanceInsightsRetentionPeriod": 465,
    "DatabaseInsightsMode": "advanced",
}
WRITER: dict[str, Any] = {
    "DBInstanceClass": "db.r8g.8xlarge",
    "AvailabilityZone": "us-west-2b",
    "PromotionTier": 0,
    "DBParameterGroups": [{"DBParameterGroupName": "tuned-writer"}],
    "PreferredMaintenanceWindow": "tue:01:00-tue:01:30",
    "AutoMinorVersionUpgrade": False,
    "MonitoringInterval": 15,
    "MonitoringRoleArn": f"{_ROLE}/monitoring",
    "PerformanceInsightsEnabled": True,
    "PerformanceInsightsKMSKeyId": INSIGHTS_KEY_ARN,
    "PerformanceInsightsRetentionPeriod": 465,
    "CACertificateIdentifier": "rds-ca-ecc384-g1",
}
READER = WRITER | {
    "DBInstanceClass": "db.t4g.medium",
    "AvailabilityZone": "us-west-2c",
    "PromotionTier": 7,
    "DBParameterGroups": [{"DBParameterGroupName": "tuned-reader"}],
    "PreferredMaintenanceWindow": "fri:01:00-fri:01:30",
    "MonitoringInterval": 60,
    "CACertificateIdentifier": "rds-ca-rsa4096-g1",
}
SERVERLESS = READER | {"DBInstanceClass": "db.serverless", "AvailabilityZone": "us-west-2a", "PromotionTier": 15}
MEMBERS = {"the-writer": WRITER, "a-reader": READER, "at-night": SERVERLESS}


def stands(aws: FakeAws) -> None:
    """Let it be the old target; a reader of Application Auto Scaling is with it."""
    aws.kms.states |= {OTHER_KEY_ARN: "Enabled", INSIGHTS_KEY_ARN: "Enabled"}
    family, zones = "aurora-postgresql17", ["a", "b", "c"]
    aws.west.subnet_groups["private"] = zones
    aws.west.cluster_parameter_groups["tuned"] = family
    aws.west.parameters["tuned"] = {"ssl_min_protocol_version": "TLSv1.2", "ssl_ciphers": "A,C"}
    aws.west.parameter_groups |= {"tuned-writer": family, "tuned-reader": family}
    aws.west.classes |= {member["DBInstanceClass"]: zones for member in MEMBERS.values()}
    tags = REPLACEABLE_TAG | {"team": "data", "cost-centre": "42"}
    aws.west.has_cluster("staging", members=0, **(CLUSTER | {"TagList": tag_list(tags)}))
    # RDS lists members by name.
    for name in sorted(MEMBERS):
        aws.west.has_instance(name, "staging", **(MEMBERS[name] | {"TagList": tag_list(tags | {"name": name})}))
    aws.west.has_instance("application-autoscaling-9d1c", "staging")
    _hangs_on_it(aws)
    aws.west.clusters["staging"]["DBClusterMembers"] = [
        {"DBInstanceIdentifier": name, "IsClusterWriter": name == "the-writer"}
        for name in sorted([*MEMBERS, "application-autoscaling-9d1c"])
    ]


def _hangs_on_it(aws: FakeAws) -> None:
    rds, resource = aws.west, {"ResourceId": "cluster:staging"}
    rds.endpoints["reports"] = {
        "DBClusterEndpointIdentifier": "reports",
        "DBClusterIdentifier": "staging",
        "CustomEndpointType": "READER",
        "StaticMembers": ["at-night", "a-reader"],
        "Status": "available",
    }
    rds.proxies["shop-proxy"], rds.proxies["somebody-elses"] = ["staging"], ["other"]
    rds.subscriptions["to-the-dbas"] = ["staging", "the-writer", "other"]
    aws.scaling.targets["cluster:staging"] = {
        "MinCapacity": 1,
        "MaxCapacity": 4,
        "SuspendedState": {"DynamicScalingInSuspended": True},
    }
    aws.scaling.policies["cluster:staging"] = [
        resource
        | {
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 60.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "RDSReaderAverageCPUUtilization"},
            },
        }
    ]
    aws.scaling.actions["cluster:staging"] = [
        resource
        | {
            "ScheduledActionName": "mornings",
            "Schedule": "cron(0 7 * * ? *)",
            "Timezone": "Europe/Berlin",
            "StartTime": datetime(2026, 1, 31, 6, tzinfo=UTC),
            "EndTime": datetime(2030, 1, 31, 6, tzinfo=UTC),
            "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 6},
        }
    ]
