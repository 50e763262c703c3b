"""What a cluster has that no restore brings back, so that it is said before anything is destroyed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBClusterTypeDef, DBInstanceTypeDef

_NO_STREAM = {"", "stopped"}


def not_put_back(raw: "DBClusterTypeDef") -> Iterator[str]:
    """Name it from an element of DescribeDBClusters."""
    if raw.get("ActivityStreamStatus", "") not in _NO_STREAM:
        yield f"the database activity stream {raw.get('ActivityStreamKinesisStreamName', '')}".rstrip()
    if raw.get("AwsBackupRecoveryPointArn"):
        yield "the continuous backup of AWS Backup"
    if "EarliestRestorableTime" in raw:
        earliest = f"{raw['EarliestRestorableTime']:%Y-%m-%d %H:%M} UTC"
        yield f"the automated backups, and with them any point in time since {earliest}"
    theirs = sorted(tag["Key"] for tag in raw.get("TagList", []) if tag["Key"].lower().startswith("aws:"))
    if theirs:
        yield f"the tags {', '.join(theirs)}, which only AWS can give"


def not_put_back_of_member(raw: "DBInstanceTypeDef") -> Iterator[str]:
    """Name it from an element of DescribeDBInstances."""
    name = raw["DBInstanceIdentifier"]
    if raw.get("DBCapacityReservationIdentifier"):
        yield f"the capacity reservation of {name}"
