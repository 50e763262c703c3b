"""What a cluster has that no restore brings back, so that it is said before anything is destroyed."""

from collections.abc import Iterator, Mapping
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
    if secret := raw.get("MasterUserSecret", {}).get("SecretArn"):
        yield f"the master user's secret {secret}, which goes with the cluster: RDS makes another"
    yield from _pending("the cluster", raw.get("PendingModifiedValues") or {})
    theirs = sorted(tag["Key"] for tag in raw.get("TagList", []) if tag["Key"].lower().startswith("aws:"))
    if theirs:
        yield f"the tags {', '.join(theirs)}, which only AWS can give"


def not_put_back_of_member(raw: "DBInstanceTypeDef") -> Iterator[str]:
    """Name it from an element of DescribeDBInstances."""
    name = raw["DBInstanceIdentifier"]
    if raw.get("DBCapacityReservationIdentifier"):
        yield f"the capacity reservation of {name}"
    yield from _pending(name, raw.get("PendingModifiedValues") or {})


def _pending(of: str, values: Mapping[str, object]) -> Iterator[str]:
    # The master's password is set anew in any case.
    names = sorted(set(values) - {"MasterUserPassword"})
    if names:
        yield f"the pending change of {of}: {', '.join(names)}, for its next maintenance window"
