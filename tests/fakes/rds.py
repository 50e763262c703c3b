"""An RDS of our own: the calls that the pipeline makes, over two Regions in memory.

It stands in for boto3's client, below `RdsReader` and `RdsWriter`. What it answers when something exists or not is held
to moto by `test_fake_rds.py`.
"""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from tests.fakes.attached import FakeAttached
from tests.fakes.rds_items import Item, arn_of, need, number_of
from tests.fakes.rds_point_in_time import FakePointInTime
from tests.fakes.rds_region import FakeClock, FakeRegion
from tests.fakes.rds_renames import FakeRenames
from tests.fakes.rds_settings import shown


class FakeRdsWorld:
    """Two Regions of one account."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.regions = {name: FakeRds(name, self) for name in ("us-east-1", "us-west-2")}

    def snapshot(self, arn: str) -> Item | None:
        return next(
            (found for rds in self.regions.values() for found in rds.snapshots.values() if arn_of(found) == arn), None
        )


class FakeRds(FakeAttached, FakeRenames, FakePointInTime):
    """The client of one Region."""

    def __init__(self, region: str, world: FakeRdsWorld) -> None:
        FakeAttached.__init__(self)
        FakeRegion.__init__(self, region, world.clock)
        self._world = world

    def generate_db_auth_token(self, *, DBHostname: str, Port: int, DBUsername: str) -> str:  # noqa: N803 - boto3's
        return f"a token for {DBUsername} at {DBHostname}:{Port}"

    # Describing calls

    def describe_db_clusters(self, **params: Any) -> Item:
        self._enter("describe_db_clusters", params)
        if "Filters" in params:
            return {"DBClusters": self._of_clone_group(params)}
        wanted = params.get("DBClusterIdentifier")
        return {"DBClusters": [self._cluster(wanted)] if wanted else list(self.clusters.values())}

    def describe_db_instances(self, **params: Any) -> Item:
        self._enter("describe_db_instances", params)
        if "DBInstanceIdentifier" in params:
            return {"DBInstances": [self._instance(params["DBInstanceIdentifier"])]}
        (cluster_id,) = params["Filters"][0]["Values"]
        return {"DBInstances": self._members(cluster_id)}

    def describe_db_cluster_snapshots(self, **params: Any) -> Item:
        self._enter("describe_db_cluster_snapshots", params)
        wanted = params.get("DBClusterSnapshotIdentifier")
        if wanted is not None:
            return {"DBClusterSnapshots": [self._snapshot(wanted, params.get("SnapshotType"))]}
        return {"DBClusterSnapshots": [found for found in self.snapshots.values() if self._is_listed(found, params)]}

    def get_paginator(self, operation: str) -> SimpleNamespace:
        call: Callable[..., Item] = getattr(self, operation)

        def paginate(**params: Any) -> Iterator[Item]:
            answer = call(**params)
            (key,) = answer
            for item in answer[key]:
                yield {key: [item]}

        return SimpleNamespace(paginate=paginate)

    def describe_db_engine_versions(self, **params: Any) -> Item:
        self._enter("describe_db_engine_versions", params)
        version = params["EngineVersion"]
        withdrawn = version in self.withdrawn_versions
        if version not in self.engine_versions and not (withdrawn and params.get("IncludeAll")):
            return {"DBEngineVersions": []}
        later = sorted(other for other in self.engine_versions if number_of(other) > number_of(version))
        family = f"aurora-postgresql{version.partition('.')[0]}"
        offered = self.upgrades.get(version, later)
        targets = [{"Engine": "aurora-postgresql", "EngineVersion": other} for other in offered]
        found = {"EngineVersion": version, "DBParameterGroupFamily": family, "ValidUpgradeTarget": targets}
        found["Status"] = "deprecated" if withdrawn else "available"
        return {"DBEngineVersions": [found | self.version_takes]}

    def describe_db_major_engine_versions(self, **params: Any) -> Item:
        self._enter("describe_db_major_engine_versions", params)
        end = self.ends_of_support.get(params["MajorEngineVersion"])
        standard = {"LifecycleSupportName": "open-source-rds-standard-support", "LifecycleSupportEndDate": end}
        found = {"Engine": "aurora-postgresql", "MajorEngineVersion": params["MajorEngineVersion"]}
        return {"DBMajorEngineVersions": [found | {"SupportedEngineLifecycles": [standard] if end else []}]}

    def describe_orderable_db_instance_options(self, **params: Any) -> Item:
        self._enter("describe_orderable_db_instance_options", params)
        zones = self.classes.get(params["DBInstanceClass"])
        option = {"DBInstanceClass": params["DBInstanceClass"], "AvailabilityZones": self._zones(zones or [])}
        options = [option | {"StorageType": name} | self.class_takes for name in self.storage_types]
        return {"OrderableDBInstanceOptions": options if zones else []}

    def describe_db_subnet_groups(self, **params: Any) -> Item:
        self._enter("describe_db_subnet_groups", params)
        zones = self.subnet_groups.get(params["DBSubnetGroupName"])
        need(zones is not None, "DBSubnetGroupNotFoundFault")
        subnets = [
            {"SubnetIdentifier": f"subnet-{zone['Name']}", "SubnetAvailabilityZone": zone}
            for zone in self._zones(zones or [])
        ]
        group = {"VpcId": "vpc-1", "Subnets": subnets, "SupportedNetworkTypes": self.network_types}
        return {"DBSubnetGroups": [group]}

    def describe_db_cluster_parameter_groups(self, **params: Any) -> Item:
        self._enter("describe_db_cluster_parameter_groups", params)
        family = self.cluster_parameter_groups.get(params["DBClusterParameterGroupName"])
        need(family is not None, "DBParameterGroupNotFound")
        return {"DBClusterParameterGroups": [{"DBParameterGroupFamily": family}]}

    def describe_db_cluster_parameters(self, **params: Any) -> Item:
        self._enter("describe_db_cluster_parameters", params)
        name = params["DBClusterParameterGroupName"]
        need(name in self.cluster_parameter_groups, "DBParameterGroupNotFound")
        forced = "0" if self.cluster_parameter_groups[name].endswith("16") else "1"
        values = {"rds.force_ssl": forced, "timezone": "UTC"} | self.parameters.get(name, {})
        found = [{"ParameterName": key, "ParameterValue": value, "Source": "user"} for key, value in values.items()]
        return {"Parameters": [*found, {"ParameterName": "ssl_ciphers", "Source": "engine-default"}]}

    def describe_db_parameter_groups(self, **params: Any) -> Item:
        self._enter("describe_db_parameter_groups", params)
        family = self.parameter_groups.get(params["DBParameterGroupName"])
        need(family is not None, "DBParameterGroupNotFound")
        return {"DBParameterGroups": [{"DBParameterGroupFamily": family}]}

    def describe_integrations(self, **params: Any) -> Item:
        self._enter("describe_integrations", params)
        return {"Integrations": self.integrations}

    def describe_blue_green_deployments(self, **params: Any) -> Item:
        self._enter("describe_blue_green_deployments", params)
        return {"BlueGreenDeployments": self.blue_green_deployments}

    def describe_account_attributes(self, **params: Any) -> Item:
        self._enter("describe_account_attributes", params)
        manual = [found for found in self.snapshots.values() if found["SnapshotType"] == "manual"]
        used = {"DBClusters": self.clusters, "DBInstances": self.instances, "ManualClusterSnapshots": manual}
        return {
            "AccountQuotas": [
                {"AccountQuotaName": name, "Used": len(used.get(name, ())), "Max": most}
                for name, most in self.quotas.items()
            ]
        }

    def _zones(self, letters: list[str]) -> list[Item]:
        return [{"Name": f"{self._region}{letter}"} for letter in letters]

    # Changing calls

    def copy_db_cluster_snapshot(self, **params: Any) -> Item:
        self._enter("copy_db_cluster_snapshot", params)
        source = self._world.snapshot(params["SourceDBClusterSnapshotIdentifier"])
        need(source is not None, "DBClusterSnapshotNotFoundFault")
        copy_id = params["TargetDBClusterSnapshotIdentifier"]
        need(copy_id not in self.snapshots, "DBClusterSnapshotAlreadyExistsFault")
        assert source is not None
        copied = {name: source[name] for name in ("DBClusterIdentifier", "DbClusterResourceId", "EngineVersion")}
        self.has_snapshot(copy_id, hours_old=0, Status="copying", PercentProgress=0, TagList=params["Tags"], **copied)
        self.snapshots[copy_id]["SourceDBClusterSnapshotArn"] = arn_of(source)
        return {}

    def create_db_cluster_snapshot(self, **params: Any) -> Item:
        self._enter("create_db_cluster_snapshot", params)
        cluster, snapshot_id = self._cluster(params["DBClusterIdentifier"]), params["DBClusterSnapshotIdentifier"]
        need(snapshot_id not in self.snapshots, "DBClusterSnapshotAlreadyExistsFault")
        need(cluster["Status"] == "available", "InvalidDBClusterStateFault")
        of = cluster["DBClusterIdentifier"]
        self.has_snapshot(snapshot_id, of, hours_old=0, Status="creating", PercentProgress=0, TagList=params["Tags"])
        return {}

    def delete_db_cluster_snapshot(self, **params: Any) -> Item:
        self._enter("delete_db_cluster_snapshot", params)
        self._snapshot(params["DBClusterSnapshotIdentifier"], None)
        del self.snapshots[params["DBClusterSnapshotIdentifier"]]
        return {}

    def modify_db_cluster(self, **params: Any) -> Item:
        self._enter("modify_db_cluster", params)
        cluster = self._cluster(params["DBClusterIdentifier"])
        if "NewDBClusterIdentifier" in params:
            self.rename_cluster(params)
            return {}
        cluster |= shown(params)
        if "MasterUserPassword" in params:
            cluster["Status"] = "resetting-master-credentials"
        if params.get("ManageMasterUserPassword"):
            need("MasterUserSecret" not in cluster, "InvalidParameterCombination")
            arn = f"arn:aws:secretsmanager:{self._region}:123456789012:secret:rds!cluster-1"
            cluster["Status"] = "resetting-master-credentials"
            cluster["MasterUserSecret"] = {"SecretArn": arn, "SecretStatus": "creating"}
        return {}

    def enable_http_endpoint(self, **params: Any) -> Item:
        self._enter("enable_http_endpoint", params)
        cluster = next(item for item in self.clusters.values() if item["DBClusterArn"] == params["ResourceArn"])
        cluster["HttpEndpointEnabled"] = "HttpEndpointEnabled" not in self.forgets
        return {"ResourceArn": params["ResourceArn"], "HttpEndpointEnabled": True}

    def start_db_cluster(self, **params: Any) -> Item:
        self._enter("start_db_cluster", params)
        cluster = self._cluster(params["DBClusterIdentifier"])
        need(cluster["Status"] == "stopped", "InvalidDBClusterStateFault")
        cluster["Status"] = "starting"
        return {}

    def delete_db_instance(self, **params: Any) -> Item:
        self._enter("delete_db_instance", params)
        instance = self._instance(params["DBInstanceIdentifier"])
        need(instance["DBInstanceStatus"] != "deleting", "InvalidDBInstanceState")
        instance["DBInstanceStatus"] = "deleting"
        return {}

    def delete_db_cluster(self, **params: Any) -> Item:
        self._enter("delete_db_cluster", params)
        cluster = self._cluster(params["DBClusterIdentifier"])
        need(not cluster["DeletionProtection"], "InvalidParameterCombination")
        need(cluster["Status"] not in {"deleting", "stopped", "starting"}, "InvalidDBClusterStateFault")
        members = self._members(cluster["DBClusterIdentifier"])
        need(all(member["DBInstanceStatus"] == "deleting" for member in members), "InvalidDBClusterStateFault")
        cluster["Status"] = "deleting"
        return {}

    def restore_db_cluster_from_snapshot(self, **params: Any) -> Item:
        self._enter("restore_db_cluster_from_snapshot", params)
        snapshot = self._snapshot(params["SnapshotIdentifier"], None)
        identifier = params["DBClusterIdentifier"]
        need(identifier not in self.clusters, "DBClusterAlreadyExistsFault")
        need(snapshot["Status"] == "available", "InvalidDBClusterSnapshotStateFault")
        self.clusters[identifier] = self._new_cluster(identifier) | {
            "TagList": params["Tags"],
            "EngineVersion": params["EngineVersion"],
            **shown(params),
        }
        return {"DBCluster": dict(self.clusters[identifier])}

    def create_db_instance(self, **params: Any) -> Item:
        self._enter("create_db_instance", params)
        identifier = params["DBInstanceIdentifier"]
        need(identifier not in self.instances, "DBInstanceAlreadyExists")
        cluster_id = self._cluster(params["DBClusterIdentifier"])["DBClusterIdentifier"]
        self.has_instance(identifier, cluster_id, DBInstanceStatus="creating", TagList=params["Tags"], **shown(params))
        return {}

    def add_tags_to_resource(self, **params: Any) -> Item:
        self._enter("add_tags_to_resource", params)
        snapshot = next((found for found in self.snapshots.values() if arn_of(found) == params["ResourceName"]), None)
        need(snapshot is not None, "DBClusterSnapshotNotFoundFault")
        assert snapshot is not None
        snapshot["TagList"] = [*snapshot["TagList"], *params["Tags"]]
        return {}
