"""What RDS would refuse after the deletion is refused before anything is changed, each by name, and all at once."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.aws import ENVIRONMENT, KEY_ARN, OPERATION, REPLACEABLE_TAG, FakeAws
from tests.fakes.rds_items import tag_list
from tests.unit.steps.stories import copy_is_ready
from utils import errors
from utils.cluster_settings.origins import Origin
from utils.identifiers import derived_identifier
from utils.operation.planned import Outcome
from utils.preflight.looks import Preflight
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds

SWITCHED = "SWITCHOVER_COMPLETED"
Plant = Callable[[FakeAws], dict[str, Any]]


def an_asymmetric_key(aws: FakeAws) -> dict[str, Any]:
    aws.kms.spec = "RSA_4096"
    return {}


def a_disabled_key(aws: FakeAws) -> dict[str, Any]:
    aws.kms.states["alias/aurora-restore-secrets"] = "Disabled"
    return {}


def a_version_that_is_not_offered(_: FakeAws) -> dict[str, Any]:
    return {"target": {"engine_version": "17.9"}}


def a_version_that_is_no_upgrade_target(aws: FakeAws) -> dict[str, Any]:
    aws.east.snapshots["prod-nightly"]["EngineVersion"] = "17.5"
    aws.west.upgrades["17.5"] = []
    aws.west.engine_versions.add("17.6")
    return {"target": {"engine_version": "17.6"}}


def a_withdrawn_version_that_becomes_another_one(aws: FakeAws) -> dict[str, Any]:
    aws.east.snapshots["prod-nightly"]["EngineVersion"] = "16.1"
    aws.west.withdrawn_versions.add("16.1")
    aws.west.upgrades["16.1"] = ["16.6"]
    return {"target": {"engine_version": "17.4"}}


def a_limitless_snapshot(aws: FakeAws) -> dict[str, Any]:
    aws.east.snapshots["prod-nightly"]["EngineVersion"] = "16.4-limitless"
    aws.west.clusters["staging"]["DBClusterParameterGroup"] = "default.aurora-postgresql16"
    return {}


def a_subnet_group_that_is_not_there(_: FakeAws) -> dict[str, Any]:
    return {"target": {"subnet_group": "nobodys"}}


def a_subnet_group_of_one_zone(aws: FakeAws) -> dict[str, Any]:
    aws.west.subnet_groups["narrow"] = ["a"]
    return {"target": {"subnet_group": "narrow"}}


def a_cluster_group_that_is_not_there(_: FakeAws) -> dict[str, Any]:
    return {"target": {"cluster_parameter_group": "nobodys"}}


def a_cluster_group_of_another_family(_: FakeAws) -> dict[str, Any]:
    return {"target": {"cluster_parameter_group": "default.aurora-postgresql16"}}


def an_instance_group_that_is_not_there(_: FakeAws) -> dict[str, Any]:
    return {"target": {"instance_parameter_group": "nobodys"}}


def an_instance_group_of_another_family(_: FakeAws) -> dict[str, Any]:
    return {"target": {"instance_parameter_group": "default.aurora-postgresql16"}}


def a_class_that_cannot_be_ordered(_: FakeAws) -> dict[str, Any]:
    return {"target": {"instances": {"instance_class": "db.z9z.42xlarge"}}}


def a_member_in_a_zone_without_its_class(aws: FakeAws) -> dict[str, Any]:
    aws.west.classes["db.r8g.large"] = ["a", "b"]
    return {"target": {"instances": {"named": {"staging-2": {"availability_zone": "us-west-2c"}}}}}


def a_class_of_other_zones_only(aws: FakeAws) -> dict[str, Any]:
    aws.west.classes["db.x2g.large"] = ["d"]
    return {"target": {"instances": {"instance_class": "db.x2g.large"}}}


def a_security_group_that_is_not_there(_: FakeAws) -> dict[str, Any]:
    return {"target": {"security_group_ids": ["sg-1", "sg-doesnotexist"]}}


def a_security_group_of_another_vpc(aws: FakeAws) -> dict[str, Any]:
    aws.ec2.groups["sg-far"] = "vpc-2"
    return {"target": {"security_group_ids": ["sg-1", "sg-far"]}}


def no_address_for_the_instances(aws: FakeAws) -> dict[str, Any]:
    aws.ec2.free = 0
    return {"target": {"instances": {"count": 3}}}


def no_room_for_the_instances(aws: FakeAws) -> dict[str, Any]:
    aws.west.quotas["DBInstances"] = 3
    return {"target": {"instances": {"count": 4}}}


def an_instance_of_another_cluster_under_the_name(aws: FakeAws) -> dict[str, Any]:
    aws.west.has_instance("staging-3", "billing")
    return {"target": {"instances": {"count": 3}}}


def somebody_elses_snapshot_under_the_copys_name(aws: FakeAws) -> dict[str, Any]:
    aws.west.has_snapshot(derived_identifier("aurora-restore-copy", "staging", OPERATION))
    return {}


def somebody_elses_snapshot_under_the_final_ones_name(aws: FakeAws) -> dict[str, Any]:
    aws.west.has_snapshot(derived_identifier("aurora-restore-final", "staging", OPERATION))
    return {}


def serverless_without_a_capacity(_: FakeAws) -> dict[str, Any]:
    return {"target": {"instances": {"instance_class": "db.serverless"}}}


def users_with_tokens_and_no_iam_authentication(aws: FakeAws) -> dict[str, Any]:
    name = ENVIRONMENT["APP_SECRET_NAME"]
    users = json.loads(aws.secrets.values[name])
    users["readonly_user"] = {"username": "reader", "auth": "iam"}
    aws.secrets.values[name] = json.dumps(users)
    return {}


def a_script_that_is_not_there(_: FakeAws) -> dict[str, Any]:
    return {"post_restore_sql": [{"s3_uri": "s3://code/post-restore-sql/gone.sql", "database": "shop"}]}


def a_target_without_the_tag(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters["staging"]["TagList"] = []
    return {}


def a_reader_without_the_tag(aws: FakeAws) -> dict[str, Any]:
    aws.west.instances["staging-2"]["TagList"] = []
    return {}


def deletion_protection(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters["staging"]["DeletionProtection"] = True
    return {}


def a_replica_cluster(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters["staging"]["ReadReplicaIdentifiers"] = ["staging-replica"]
    return {}


def a_zero_etl_integration(aws: FakeAws) -> dict[str, Any]:
    arn = aws.west.clusters["staging"]["DBClusterArn"]
    aws.west.integrations = [
        {"IntegrationName": "to-redshift", "SourceArn": arn},
        {"IntegrationName": "of-another", "SourceArn": f"{arn}-2"},
    ]
    return {}


def a_blue_green_deployment(aws: FakeAws) -> dict[str, Any]:
    arn = aws.west.clusters["staging"]["DBClusterArn"]
    aws.west.blue_green_deployments = [
        {"BlueGreenDeploymentName": "to-eighteen", "Source": arn, "Target": f"{arn}-green", "Status": "AVAILABLE"},
        {"BlueGreenDeploymentName": "of-another", "Source": f"{arn}-2", "Target": f"{arn}-3", "Status": "AVAILABLE"},
        {"BlueGreenDeploymentName": "long-over", "Source": f"{arn}-old1", "Target": arn, "Status": SWITCHED},
    ]
    return {}


def a_version_whose_default_group_forces_less(aws: FakeAws) -> dict[str, Any]:
    # The tuned group is of the old version; the new one gets AWS's.
    aws.west.cluster_parameter_groups["tuned16"] = "aurora-postgresql16"
    aws.west.parameters["tuned16"] = {"rds.force_ssl": "1", "ssl_min_protocol_version": "TLSv1.3"}
    aws.west.clusters["staging"] |= {"DBClusterParameterGroup": "tuned16", "EngineVersion": "16.6"}
    return {}


def a_key_of_another_region(_: FakeAws) -> dict[str, Any]:
    return {"target": {"kms_key_id": "arn:aws:kms:us-east-1:123456789012:key/mrk-1"}}


def a_target_whose_key_is_gone(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters["staging"]["Status"] = "inaccessible-encryption-credentials-recoverable"
    return {}


def a_target_with_more_tags_than_leave_room(aws: FakeAws) -> dict[str, Any]:
    people = {f"tag-{number}": "x" for number in range(46)}
    aws.west.clusters["staging"]["TagList"] = tag_list(REPLACEABLE_TAG | people)
    return {}


def a_target_whose_tags_a_final_snapshot_cannot_bear(aws: FakeAws) -> dict[str, Any]:
    people = {f"tag-{number}": "x" for number in range(49)}
    aws.west.clusters["staging"] |= {"TagList": tag_list(REPLACEABLE_TAG | people), "CopyTagsToSnapshot": True}
    return {"target": {"tags": {"team": "data"}}}


def public_access_that_the_stack_does_not_allow(_: FakeAws) -> dict[str, Any]:
    return {"target": {"instances": {"writer": {"publicly_accessible": True}}}}


def public_access_without_a_way_to_the_internet(aws: FakeAws) -> dict[str, Any]:
    aws.services = aws.services_with(ALLOW_PUBLIC_ACCESS="true")
    aws.ec2.gateways, aws.ec2.dns["EnableDnsHostnames"] = [], False
    return {"target": {"instances": {"publicly_accessible": True}}}


def a_window_that_is_too_short(_: FakeAws) -> dict[str, Any]:
    return {"target": {"maintenance_window": "sun:05:00-sun:05:10"}}


def a_scaling_policy_that_is_no_json(_: FakeAws) -> dict[str, Any]:
    policy = {"name": "cpu", "kind": "TargetTrackingScaling", "configuration": "no json"}
    return {"target": {"reader_scaling": {"min_readers": 0, "max_readers": 1, "policies": [policy]}}}


def a_zone_without_a_subnet(_: FakeAws) -> dict[str, Any]:
    return {"target": {"availability_zones": ["us-west-2d"]}}


MONITORING = "arn:aws:iam::123456789012:role/monitoring"


def a_monitoring_role_that_is_gone(aws: FakeAws) -> dict[str, Any]:
    aws.west.instances["staging-2"] |= {"MonitoringInterval": 60, "MonitoringRoleArn": MONITORING}
    aws.iam.gone.add("monitoring")
    return {}


def an_associated_role_that_is_gone(aws: FakeAws) -> dict[str, Any]:
    role = {"RoleArn": MONITORING.replace("monitoring", "import"), "FeatureName": "s3Import", "Status": "INVALID"}
    aws.west.clusters["staging"]["AssociatedRoles"] = [role]
    aws.iam.gone.add("import")
    return {"target": {"associated_roles": [{"role_arn": role["RoleArn"], "feature": "s3Export"}]}}


def a_role_that_rds_cannot_take_on(aws: FakeAws) -> dict[str, Any]:
    role = {"RoleArn": MONITORING.replace("monitoring", "lambda"), "FeatureName": "Lambda", "Status": "INVALID"}
    aws.west.clusters["staging"]["AssociatedRoles"] = [role]
    return {}


def a_directorys_role_that_is_gone(aws: FakeAws) -> dict[str, Any]:
    membership = {"Domain": "d-926example", "IAMRoleName": "kerberos", "Status": "joined"}
    aws.west.clusters["staging"]["DomainMemberships"] = [membership]
    aws.iam.gone.add("kerberos")
    return {}


def a_version_past_its_support_without_extended_support(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters["staging"]["EngineLifecycleSupport"] = "open-source-rds-extended-support-disabled"
    aws.west.ends_of_support["17"] = aws.clock.now() - timedelta(days=1)
    return {}


def no_snapshot_of_the_source(aws: FakeAws) -> dict[str, Any]:
    aws.east.snapshots.clear()
    return {}


def a_snapshot_under_a_key_that_stays_in_its_account(aws: FakeAws) -> dict[str, Any]:
    arn = "arn:aws:rds:us-east-1:999999999999:cluster-snapshot:shared"
    aws.east.has_snapshot("shared", DBClusterSnapshotArn=arn, SnapshotType="shared", KmsKeyId="alias/aws/rds")
    return {"source": {"account_id": "999999999999", "snapshot": arn}}


def the_cluster_that_the_snapshot_is_of(aws: FakeAws) -> dict[str, Any]:
    resource = aws.west.clusters["staging"]["DbClusterResourceId"]
    aws.east.snapshots["prod-nightly"]["DbClusterResourceId"] = resource
    return {}


def a_target_of_another_engine(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters["staging"]["EngineMode"] = "serverless"
    return {}


def a_member_of_a_global_cluster(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters["staging"]["GlobalClusterIdentifier"] = "worldwide"
    return {}


def a_key_that_is_not_open_to_the_pipeline(_: FakeAws) -> dict[str, Any]:
    return {"target": {"kms_key_id": KEY_ARN.replace("mine", "closed")}}


def a_network_that_the_subnets_do_not_have(aws: FakeAws) -> dict[str, Any]:
    aws.west.network_types = ["IPV4"]
    aws.west.class_takes["SupportedNetworkTypes"] = ["IPV4", "DUAL"]
    return {"target": {"network_type": "DUAL"}}


def no_room_for_the_cluster(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters.clear()
    aws.west.instances.clear()
    aws.west.quotas["DBClusters"] = 0
    return {}


def more_roles_than_a_cluster_may_have(aws: FakeAws) -> dict[str, Any]:
    aws.west.quotas["DBClusterRoles"] = 0
    return {"target": {"associated_roles": [{"role_arn": MONITORING, "feature": "s3Export"}]}}


def a_group_of_another_vpc_than_the_subnets_that_rds_takes(aws: FakeAws) -> dict[str, Any]:
    aws.ec2.groups["sg-far"] = "vpc-2"
    return {"target": {"inherit_settings": False, "security_group_ids": ["sg-far"]}}


def a_quarantine_that_is_not_there(aws: FakeAws) -> dict[str, Any]:
    aws.services = aws.services_with(QUARANTINE_SECURITY_GROUP_IDS="sg-0123456789abcdef0")
    return {}


def more_settings_than_a_row_takes(aws: FakeAws) -> dict[str, Any]:
    aws.scaling.targets["cluster:staging"] = {"MinCapacity": 1, "MaxCapacity": 4, "SuspendedState": {}}
    configuration = {"TargetValue": 60.0, "CustomizedMetricSpecification": {"MetricName": "x" * 100_000}}
    policy: dict[str, Any] = {
        "PolicyName": "load",
        "PolicyType": "TargetTrackingScaling",
        "ResourceId": "cluster:staging",
    }
    policy |= {"TargetTrackingScalingPolicyConfiguration": configuration}
    aws.scaling.policies["cluster:staging"] = [policy]
    return {}


def an_instance_that_the_target_will_not_have(_: FakeAws) -> dict[str, Any]:
    return {"target": {"instances": {"named": {"unheard-of": {"instance_class": "db.r8g.large"}}}}}


def a_check_of_two_statements(_: FakeAws) -> dict[str, Any]:
    return {"checks": [{"name": "rows", "database": "shop", "sql": "SELECT 1; SELECT 2", "at_least": 1}]}


def a_script_that_is_no_plain_sql(aws: FakeAws) -> dict[str, Any]:
    aws.s3.objects["s3://code/post-restore-sql/psql.sql"] = b"\\connect shop"
    return {"post_restore_sql": [{"s3_uri": "s3://code/post-restore-sql/psql.sql", "database": "shop"}]}


def a_secret_of_the_users_that_is_not_there(aws: FakeAws) -> dict[str, Any]:
    aws.secrets.values.pop(ENVIRONMENT["APP_SECRET_NAME"])
    return {}


def a_role_of_no_such_form(_: FakeAws) -> dict[str, Any]:
    return {"target": {"associated_roles": [{"role_arn": "nonsense", "feature": "s3Import"}]}}


def insights_that_are_kept_a_wrong_time(_: FakeAws) -> dict[str, Any]:
    return {"target": {"insights": {"enabled": True, "retention_days": 8}}}


def a_custom_endpoint_of_no_kind(_: FakeAws) -> dict[str, Any]:
    return {"target": {"custom_endpoints": [{"identifier": "reports", "kind": "WRITER"}]}}


def a_proxy_that_is_not_there(_: FakeAws) -> dict[str, Any]:
    return {"target": {"proxies": [{"proxy": "nobodys"}]}}


def an_event_subscription_that_is_not_there(_: FakeAws) -> dict[str, Any]:
    return {"target": {"event_subscriptions": [{"name": "nobodys", "source_ids": ["staging"]}]}}


def a_log_that_the_version_does_not_write(aws: FakeAws) -> dict[str, Any]:
    aws.west.version_takes["ExportableLogTypes"] = ["postgresql"]
    return {"target": {"log_exports": ["postgresql", "instance"]}}


def a_certificate_that_the_version_does_not_take(aws: FakeAws) -> dict[str, Any]:
    aws.west.instances["staging-2"]["CACertificateIdentifier"] = "rds-ca-2019"
    return {}


def a_feature_of_a_role_that_the_version_does_not_have(aws: FakeAws) -> dict[str, Any]:
    role = {"RoleArn": MONITORING.replace("monitoring", "ml"), "FeatureName": "SageMaker", "Status": "ACTIVE"}
    aws.west.clusters["staging"]["AssociatedRoles"] = [role]
    return {}


def a_capacity_that_the_version_does_not_have(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters["staging"]["ServerlessV2ScalingConfiguration"] = {"MinCapacity": 0.0, "MaxCapacity": 4.0}
    aws.west.version_takes["ServerlessV2FeaturesSupport"] = {"MinCapacity": 0.5, "MaxCapacity": 128.0}
    return {}


def write_forwarding_that_the_version_does_not_have(aws: FakeAws) -> dict[str, Any]:
    aws.west.clusters["staging"]["LocalWriteForwardingStatus"] = "enabled"
    aws.west.version_takes["SupportsLocalWriteForwarding"] = False
    return {}


def a_key_of_insights_that_is_gone(aws: FakeAws) -> dict[str, Any]:
    aws.west.instances["staging-2"] |= {
        "PerformanceInsightsEnabled": True,
        "PerformanceInsightsRetentionPeriod": 7,
        "PerformanceInsightsKMSKeyId": KEY_ARN.replace("mine", "insights"),
    }
    return {}


def a_snapshot_that_is_too_old(_: FakeAws) -> dict[str, Any]:
    return {"source": {"max_age_hours": 0.5}}


PROBLEMS: list[tuple[Plant, type[errors.PermanentError], str]] = [
    (an_asymmetric_key, errors.KeyNotUsable, "of kind RSA_4096"),
    (a_disabled_key, errors.KeyNotUsable, "in state Disabled"),
    (a_version_that_is_not_offered, errors.EngineVersionNotRestorable, "17.9, which the target Region does not offer"),
    (a_version_that_is_no_upgrade_target, errors.EngineVersionNotRestorable, "17.6, which a snapshot of 17.5 cannot"),
    (
        a_withdrawn_version_that_becomes_another_one,
        errors.EngineVersionNotRestorable,
        "17.4, which a snapshot of 16.1 cannot be restored as; expected 16.1, or one of its upgrade targets: 16.6;",
    ),
    (a_limitless_snapshot, errors.SnapshotNotRestorable, "Aurora Limitless Database"),
    (a_subnet_group_that_is_not_there, errors.SettingNotFound, "no DB subnet group 'nobodys'"),
    (a_subnet_group_of_one_zone, errors.TargetNotBuildable, "DB subnet group narrow in us-west-2a;"),
    (a_cluster_group_that_is_not_there, errors.SettingNotFound, "no DB cluster parameter group 'nobodys'"),
    (a_cluster_group_of_another_family, errors.TargetNotBuildable, "DB cluster parameter group default.aurora-postgre"),
    (an_instance_group_that_is_not_there, errors.SettingNotFound, "no DB parameter group 'nobodys'"),
    (an_instance_group_of_another_family, errors.TargetNotBuildable, "found DB parameter group default.aurora-postgr"),
    (a_class_that_cannot_be_ordered, errors.TargetNotBuildable, "instance class db.z9z.42xlarge, which cannot be"),
    (a_member_in_a_zone_without_its_class, errors.TargetNotBuildable, "staging-2 of class db.r8g.large in us-west-2c"),
    (a_class_of_other_zones_only, errors.TargetNotBuildable, "can be ordered in us-west-2d only"),
    (a_security_group_that_is_not_there, errors.SettingNotFound, "no security group sg-doesnotexist"),
    (a_security_group_of_another_vpc, errors.TargetNotBuildable, "security group sg-far in vpc-2;"),
    (no_address_for_the_instances, errors.TargetNotBuildable, "2 free addresses in subnet-us-west-2a"),
    (no_room_for_the_instances, errors.TargetNotBuildable, "2 instances of the 3 that the account may have"),
    (an_instance_of_another_cluster_under_the_name, errors.IdentifierTaken, "instance staging-3 of cluster billing"),
    (somebody_elses_snapshot_under_the_copys_name, errors.IdentifierTaken, "snapshot aurora-restore-copy-staging-"),
    (somebody_elses_snapshot_under_the_final_ones_name, errors.IdentifierTaken, "snapshot aurora-restore-final-stag"),
    (serverless_without_a_capacity, errors.InvalidRequest, "instances of class db.serverless"),
    (users_with_tokens_and_no_iam_authentication, errors.InvalidRequest, "with auth iam for reader"),
    (a_script_that_is_not_there, errors.PostRestoreSqlFailed, "gone.sql"),
    (a_target_without_the_tag, errors.TargetNotReplaceable, "cluster staging without the tag"),
    (a_reader_without_the_tag, errors.TargetNotReplaceable, "instance staging-2 without the tag"),
    (deletion_protection, errors.TargetProtected, "with deletion protection"),
    (a_replica_cluster, errors.TargetNotReplaceable, "the replica cluster staging-replica"),
    (a_zero_etl_integration, errors.TargetNotReplaceable, "source of zero-ETL integration to-redshift;"),
    (public_access_that_the_stack_does_not_allow, errors.InvalidRequest, "found true for staging-1; expected false"),
    (
        public_access_without_a_way_to_the_internet,
        errors.TargetNotBuildable,
        "vpc-1 without an internet gateway and DNS hostnames;",
    ),
    (a_window_that_is_too_short, errors.InvalidRequest, "found sun:05:00-sun:05:10; expected at least 30 minutes"),
    (a_scaling_policy_that_is_no_json, errors.InvalidRequest, "found 'no json'; expected a configuration that is JSON"),
    (a_zone_without_a_subnet, errors.TargetNotBuildable, "us-west-2d, in which DB subnet group default has no subnet"),
    (a_key_of_another_region, errors.KeyNotUsable, "mrk-1 of the Region us-east-1;"),
    (a_target_whose_key_is_gone, errors.TargetNotDeletable, "of which AWS takes no snapshot"),
    (a_target_with_more_tags_than_leave_room, errors.TargetNotBuildable, "46 tags for the cluster"),
    (a_target_whose_tags_a_final_snapshot_cannot_bear, errors.TargetNotBuildable, "54 tags for the final snapshot"),
    (a_blue_green_deployment, errors.TargetNotReplaceable, "in the blue/green deployment to-eighteen;"),
    (
        a_version_whose_default_group_forces_less,
        errors.TargetNotBuildable,
        "with ssl_min_protocol_version AWS's default, before TLSv1.3;",
    ),
    (
        a_monitoring_role_that_is_gone,
        errors.SettingNotFound,
        f"target.instances.named.staging-2.monitoring.role_arn: found no IAM role {MONITORING} in the account;",
    ),
    (an_associated_role_that_is_gone, errors.SettingNotFound, "target.associated_roles: found no IAM role arn:aws:iam"),
    (a_role_that_rds_cannot_take_on, errors.TargetNotBuildable, "role/lambda for Lambda with status INVALID"),
    (a_directorys_role_that_is_gone, errors.SettingNotFound, "target.domain.role_name: found no IAM role kerberos"),
    (
        a_version_past_its_support_without_extended_support,
        errors.EngineVersionNotRestorable,
        "target.extended_support: found Aurora PostgreSQL 17.4, whose standard support ended on 2026-11-21, without",
    ),
    (no_snapshot_of_the_source, errors.SnapshotNotFound, "no available snapshot of cluster prod in us-east-1"),
    (
        a_snapshot_under_a_key_that_stays_in_its_account,
        errors.SnapshotNotRestorable,
        "under the key aws/rds of account",
    ),
    (the_cluster_that_the_snapshot_is_of, errors.TargetIsSource, "staging, the cluster that snapshot prod-nightly was"),
    (a_target_of_another_engine, errors.TargetNotReplaceable, "of engine aurora-postgresql, mode serverless"),
    (a_member_of_a_global_cluster, errors.TargetInGlobalCluster, "staging as a member of a global cluster"),
    (
        a_key_that_is_not_open_to_the_pipeline,
        errors.KeyNotUsable,
        "target.kms_key_id: found KMS key arn:aws:kms:us-west-2:123456789012:key/closed, which",
    ),
    (a_network_that_the_subnets_do_not_have, errors.TargetNotBuildable, "DUAL, with a DB subnet group for IPV4"),
    (no_room_for_the_cluster, errors.TargetNotBuildable, "0 clusters of the 0 that the account may have"),
    (more_roles_than_a_cluster_may_have, errors.TargetNotBuildable, "1 IAM role for a cluster that may have 0"),
    (
        a_group_of_another_vpc_than_the_subnets_that_rds_takes,
        errors.TargetNotBuildable,
        "security group sg-far in vpc-2",
    ),
    (a_quarantine_that_is_not_there, errors.SettingNotFound, "QuarantineSecurityGroupIds: found no security group"),
    (more_settings_than_a_row_takes, errors.TargetNotBuildable, "target: found settings of "),
    (an_instance_that_the_target_will_not_have, errors.InvalidRequest, "instances.named: found unheard-of"),
    (a_check_of_two_statements, errors.InvalidRequest, "checks: found 2 statements in check 'rows'"),
    (a_script_that_is_no_plain_sql, errors.PostRestoreSqlFailed, "psql.sql: found "),
    (a_secret_of_the_users_that_is_not_there, errors.SecretInvalid, "aurora-restore/dev/app-credentials"),
    (a_role_of_no_such_form, errors.InvalidRequest, "target.associated_roles: found 'nonsense'"),
    (insights_that_are_kept_a_wrong_time, errors.InvalidRequest, "target.insights.retention_days: found 8"),
    (a_custom_endpoint_of_no_kind, errors.InvalidRequest, "found 'WRITER'; expected READER or ANY"),
    (a_proxy_that_is_not_there, errors.SettingNotFound, "target.proxies: found no RDS Proxy nobodys"),
    (an_event_subscription_that_is_not_there, errors.SettingNotFound, "found no event subscription nobodys"),
    (a_log_that_the_version_does_not_write, errors.TargetNotBuildable, "log types instance, which Aurora PostgreSQL"),
    (a_certificate_that_the_version_does_not_take, errors.TargetNotBuildable, "rds-ca-2019 of staging-2, which"),
    (
        a_feature_of_a_role_that_the_version_does_not_have,
        errors.TargetNotBuildable,
        "a role for SageMaker, arn:aws:iam",
    ),
    (a_capacity_that_the_version_does_not_have, errors.TargetNotBuildable, "min_capacity 0, which Aurora PostgreSQL"),
    (
        write_forwarding_that_the_version_does_not_have,
        errors.TargetNotBuildable,
        "local write forwarding, which Aurora",
    ),
    (a_key_of_insights_that_is_gone, errors.KeyNotUsable, "target.insights.kms_key_id: found KMS key arn:aws"),
    (a_snapshot_that_is_too_old, errors.SnapshotTooOld, "1.0 hours old"),
]
NAMES = [plant.__name__ for plant, *_ in PROBLEMS]


@pytest.fixture
def healthy(aws: FakeAws) -> FakeAws:
    """A target that can be replaced by what it was."""
    aws.has_old_target()
    return aws


@pytest.fixture
def copied(healthy: FakeAws) -> FakeAws:
    """A run over it whose copy is available."""
    copy_is_ready(healthy)
    return healthy


@pytest.mark.parametrize(("plant", "error", "said"), PROBLEMS, ids=NAMES)
def test_a_run_is_refused_before_anything_is_changed_for(
    healthy: FakeAws, plant: Plant, error: type[errors.PermanentError], said: str
) -> None:
    request = plant(healthy)
    with pytest.raises(error) as refused:
        healthy.start(**request)
    assert said in str(refused.value)
    assert "more problem" not in str(refused.value), "nothing else is wrong"
    assert "nothing was changed" in str(refused.value)
    assert healthy.west.changes == []
    assert healthy.operations.rows == {}
    assert healthy.operations.locks == {}


# What no planted problem fails, with the reason.
NOT_PLANTED_HERE = {
    "quotas": "a question, of whose answer the next ones make something",
    "quota of snapshots": "warns, as older ones may make room: told below",
    "settings to inherit": "a target that stands needs no record: test_target_record.py",
}


def test_every_check_of_a_plan_is_failed_by_a_planted_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, set[Outcome]] = {}
    keep = Preflight._keep

    def remember(preflight: Preflight, name: str, outcome: Outcome, *told: str) -> None:
        made.setdefault(name, set()).add(outcome)
        keep(preflight, name, outcome, *told)

    monkeypatch.setattr(Preflight, "_keep", remember)
    for plant, *_ in PROBLEMS:
        aws = FakeAws()
        aws.has_production()
        aws.has_old_target()
        with pytest.raises(errors.PermanentError):
            aws.start(**plant(aws))
    assert {name for name, outcomes in made.items() if Outcome.FAIL not in outcomes} == NOT_PLANTED_HERE.keys()


def test_a_final_snapshot_may_have_as_many_tags_as_rds_takes(healthy: FakeAws) -> None:
    people = {f"tag-{number}": "x" for number in range(45)}
    healthy.west.clusters["staging"] |= {"TagList": tag_list(REPLACEABLE_TAG | people), "CopyTagsToSnapshot": True}
    assert healthy.start(target={"tags": {"team": "data"}}).status == "READY"


def test_all_that_is_wrong_is_named_at_once(healthy: FakeAws) -> None:
    together = (
        an_asymmetric_key,
        a_subnet_group_of_one_zone,
        a_cluster_group_of_another_family,
        an_instance_group_that_is_not_there,
        a_class_that_cannot_be_ordered,
        a_security_group_of_another_vpc,
        no_room_for_the_instances,
        somebody_elses_snapshot_under_the_copys_name,
        users_with_tokens_and_no_iam_authentication,
        a_script_that_is_not_there,
        a_target_without_the_tag,
        a_reader_without_the_tag,
        deletion_protection,
        a_replica_cluster,
        a_monitoring_role_that_is_gone,
        a_role_that_rds_cannot_take_on,
        a_directorys_role_that_is_gone,
        a_version_past_its_support_without_extended_support,
        a_snapshot_that_is_too_old,
    )
    request: dict[str, Any] = {"target": {"instances": {}}, "source": {}}
    for plant in together:
        asked = plant(healthy)
        for name, value in asked.items():
            if name != "target":
                request[name] = value
        target = asked.get("target", {})
        request["target"]["instances"] |= target.pop("instances", {})
        request["target"] |= target
    with pytest.raises(errors.PermanentError) as refused:
        healthy.start(**request)
    words = str(refused.value)
    missing = [plant.__name__ for plant, _, said in PROBLEMS if plant in together and said not in words]
    assert missing == []
    assert f"{len(together) - 1} more problems: (2)" in words
    assert f"({len(together)})" in words
    assert healthy.west.changes == []


def test_a_healthy_plan_holds_every_check_and_what_it_found(healthy: FakeAws) -> None:
    healthy.start()
    checks = {check.name: check for check in healthy.operation.plan.checks}
    assert {check.outcome for check in checks.values()} == {Outcome.PASS}
    assert checks["snapshot"].found == "prod-nightly"
    assert checks["engine version"].found == "17.4 is offered"
    assert checks["instance class"].found == "db.r8g.large can be ordered"
    assert checks["subnet group"].found == "default in vpc-1"
    assert checks["zones of the subnets"].found == "us-west-2a, us-west-2b, us-west-2c"
    assert checks["instance parameter group"].found == "default.aurora-postgresql17 of family aurora-postgresql17"
    assert checks["security groups"].found == "sg-1"
    assert checks["free addresses"].found == "302 for 2 instances"
    assert {"KMS key", "quota of clusters", "quota of instances", "quota of snapshots", "users"} <= set(checks)


def test_a_group_that_forces_less_warns_where_the_request_asks_for_it(healthy: FakeAws) -> None:
    healthy.west.cluster_parameter_groups["lax"] = "aurora-postgresql17"
    healthy.west.parameters["lax"] = {"rds.force_ssl": "0"}
    healthy.start(target={"cluster_parameter_group": "lax"})
    plan = healthy.operation.plan
    (warned,) = [check for check in plan.checks if check.outcome is Outcome.WARN]
    assert (warned.name, warned.found) == ("TLS of connections", "rds.force_ssl 0, before 1")
    assert plan.settings.tls_parameters == {"rds.force_ssl": "0"}


def test_the_data_of_a_target_whose_key_is_gone_can_be_given_up(healthy: FakeAws) -> None:
    a_target_whose_key_is_gone(healthy)
    copy_is_ready(healthy, final_snapshot=False)
    healthy.run(delete_rds)
    assert healthy.west.destroyed == ["delete_db_instance", "delete_db_instance", "delete_db_cluster"]
    assert "start_db_cluster" not in healthy.west.changes, "RDS starts no cluster without its key"


def test_a_key_that_the_target_had_and_that_is_gone_is_told_with_the_one_that_takes_its_place(
    healthy: FakeAws,
) -> None:
    theirs = KEY_ARN.replace("mine", "theirs")
    healthy.west.clusters["staging"]["KmsKeyId"] = theirs
    healthy.kms.states[theirs] = "PendingDeletion"
    healthy.start()
    plan = healthy.operation.plan
    (warned,) = [check for check in plan.checks if check.outcome is Outcome.WARN]
    assert (warned.name, warned.found) == (
        "key as before",
        f"KMS key {theirs} in state PendingDeletion for ENCRYPT_DECRYPT",
    )
    assert (plan.settings.kms_key_id, plan.origins["kms_key_id"]) == (KEY_ARN, Origin.STACK)


def test_each_class_that_cannot_be_ordered_is_named(healthy: FakeAws) -> None:
    classes = {"writer": {"instance_class": "db.z9z.large"}, "readers": {"instance_class": "db.z8z.large"}}
    with pytest.raises(
        errors.TargetNotBuildable, match=r"db\.z9z\.large, which .*1 more problem: .*db\.z8z\.large, whi"
    ):
        healthy.start(target={"instances": classes})


def test_a_full_quota_of_snapshots_warns_as_older_ones_may_make_room(healthy: FakeAws) -> None:
    healthy.west.quotas["ManualClusterSnapshots"] = 1
    healthy.start()
    (warned,) = [check for check in healthy.operation.plan.checks if check.outcome is Outcome.WARN]
    assert (warned.name, warned.found) == (
        "quota of snapshots",
        "0 of 1 manual cluster snapshots, and 2 to come",
    )


def test_without_a_named_subnet_group_the_one_that_rds_takes_is_looked_at_or_its_absence_told(healthy: FakeAws) -> None:
    del healthy.west.subnet_groups["default"]
    healthy.start(target={"inherit_settings": False})
    (warned,) = [check for check in healthy.operation.plan.checks if check.outcome is Outcome.WARN]
    assert (warned.name, warned.found) == ("subnet group", "none is named, and there is no 'default'")


def test_a_region_that_is_full_keeps_as_many_instances_as_it_has(healthy: FakeAws) -> None:
    healthy.west.quotas["DBInstances"] = healthy.west.quotas["DBClusters"] = 1
    healthy.start()
    assert len(healthy.operation.plan.settings.members) == 2


def test_a_region_with_as_many_clusters_as_it_may_have_gets_no_new_target(aws: FakeAws) -> None:
    aws.west.quotas["DBClusters"] = 0
    with pytest.raises(errors.TargetNotBuildable, match="0 clusters of the 0 that the account may have"):
        aws.start()


def test_what_may_pass_by_itself_is_tried_again_and_not_counted_as_a_problem(healthy: FakeAws) -> None:
    healthy.west.fail("describe_orderable_db_instance_options", "Throttling")
    with pytest.raises(errors.AwsThrottled):
        healthy.start(target={"subnet_group": "nobodys"})


LATER: list[tuple[Callable[[FakeAws], object], type[errors.PermanentError], str]] = [
    (lambda aws: setattr(aws.kms, "spec", "RSA_4096"), errors.KeyNotUsable, "RSA_4096"),
    (lambda aws: aws.west.classes.clear(), errors.TargetNotBuildable, "db.r8g.large, which cannot"),
    (lambda aws: aws.west.subnet_groups.clear(), errors.SettingNotFound, "subnet group 'default'"),
    (lambda aws: aws.ec2.groups.clear(), errors.SettingNotFound, "no security group sg-1"),
    (lambda aws: aws.west.parameter_groups.clear(), errors.SettingNotFound, "no DB parameter group"),
    (
        lambda aws: aws.west.parameters.update({"default.aurora-postgresql17": {"rds.force_ssl": "0"}}),
        errors.TargetNotBuildable,
        "rds.force_ssl 0, before 1",
    ),
    (a_blue_green_deployment, errors.TargetNotReplaceable, "blue/green deployment to-eighteen"),
    (a_zero_etl_integration, errors.TargetNotReplaceable, "zero-ETL integration to-redshift"),
]


@pytest.mark.parametrize(("happens", "error", "said"), LATER)
def test_what_changed_since_the_plan_keeps_the_old_target_whole(
    copied: FakeAws, happens: Callable[[FakeAws], object], error: type[errors.PermanentError], said: str
) -> None:
    copied.clock.advance(minutes=11)
    happens(copied)
    with pytest.raises(error, match=said):
        copied.run(delete_rds)
    assert copied.west.destroyed == []


def test_all_that_changed_since_the_plan_is_named_at_once(copied: FakeAws) -> None:
    copied.kms.spec = "RSA_4096"
    copied.west.classes.clear()
    copied.west.clusters["staging"]["DeletionProtection"] = True
    with pytest.raises(errors.TargetNotBuildable, match=r"\(2\) .*deletion protection.* \(3\) .*RSA_4096"):
        copied.run(delete_rds)
    assert copied.west.destroyed == []


def test_a_copy_is_not_begun_when_the_plan_was_refused(healthy: FakeAws) -> None:
    with pytest.raises(errors.TargetNotBuildable):
        healthy.start(target={"instances": {"instance_class": "db.z9z.42xlarge"}})
    with pytest.raises(errors.OperationNotFound):
        healthy.run(copy_snapshot)
