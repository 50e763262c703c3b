"""The building blocks of the fake RDS: errors, tags, and what a snapshot, cluster or instance looks like."""

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "999988887777"


def aws_error(code: str, message: str = "", status: int = 400) -> ClientError:
    """Make the exception that botocore raises for an error of AWS."""
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


def tags_of(item: Item) -> dict[str, str]:
    """Return an item's tags as a dictionary."""
    return {tag["Key"]: tag["Value"] for tag in item["TagList"]}


def arn_of(snapshot: Item) -> str:
    arn: str = snapshot["DBClusterSnapshotArn"]
    return arn


def number_of(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def need(condition: bool, code: str) -> None:
    if not condition:
        raise aws_error(code)


def tag_list(tags: dict[str, str]) -> list[Item]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def new_cluster(region: str, identifier: str, number: int) -> Item:
    """Make a cluster as a restore makes it; every one has a resource id of its own."""
    return {
        "DBClusterIdentifier": identifier,
        "DBClusterArn": f"arn:aws:rds:{region}:{ACCOUNT}:cluster:{identifier}",
        "DbClusterResourceId": f"cluster-{identifier}-{region}-{number}".upper(),
        "Status": "creating",
        "Engine": "aurora-postgresql",
        "EngineVersion": "17.4",
        "Port": 5432,
        "MasterUsername": "postgres",
        "DeletionProtection": False,
        "DBSubnetGroup": "default",
        "DBClusterParameterGroup": "default.aurora-postgresql17",
        "StorageType": "aurora",
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
        "TagList": [],
    }


def new_instance(identifier: str, cluster_id: str) -> Item:
    """Make an available instance."""
    return {
        "DBInstanceIdentifier": identifier,
        "DBClusterIdentifier": cluster_id,
        "DBInstanceClass": "db.r8g.large",
        "DBInstanceStatus": "available",
        "Endpoint": {"Address": f"{identifier}.x.us-west-2.rds.amazonaws.com", "Port": 5432},
        "DBParameterGroups": [{"DBParameterGroupName": "default.aurora-postgresql17"}],
        "PendingModifiedValues": {},
        "TagList": [],
    }


def new_snapshot(region: str, identifier: str, of: str, created_at: datetime) -> Item:
    """Make an available snapshot."""
    return {
        "DBClusterSnapshotIdentifier": identifier,
        "DBClusterSnapshotArn": f"arn:aws:rds:{region}:{ACCOUNT}:cluster-snapshot:{identifier}",
        "DBClusterIdentifier": of,
        "DbClusterResourceId": f"cluster-{of.upper()}",
        "SnapshotCreateTime": created_at,
        "Engine": "aurora-postgresql",
        "EngineVersion": "17.4",
        "Status": "available",
        "PercentProgress": 100,
        "SnapshotType": "automated" if identifier.startswith("rds:") else "manual",
        "KmsKeyId": f"arn:aws:kms:{region}:{ACCOUNT}:key/production",
        "AllocatedStorage": 20,
        "Port": 0,
        "MasterUsername": "postgres",
        "TagList": [],
    }
