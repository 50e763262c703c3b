"""Names: which identifiers AWS accepts, and how the pipeline makes its own from an operation id."""

import hashlib
import re
from datetime import UTC, datetime

CLUSTER_ID_PATTERN = r"^[A-Za-z](?!.*--)[A-Za-z0-9-]{0,62}(?<!-)$"
SNAPSHOT_ARN_PATTERN = (
    r"^arn:(?P<partition>aws[a-z-]*):rds:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12})"
    r":cluster-snapshot:(?P<id>[A-Za-z0-9:-]{1,255})$"
)
SNAPSHOT_ID_PATTERN = r"^(rds:|awsbackup:)?[A-Za-z][A-Za-z0-9-]{0,254}$"
# What Step Functions allows in the name of an execution; no '#', which keeps operation ids apart from lock rows.
OPERATION_ID_PATTERN = r'^[^\s#"%\\^|~`$&,;:/<>{}\[\]?*\x00-\x1f\x7f-\x9f]{1,80}$'
REGION_PATTERN = r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$"
ACCOUNT_PATTERN = r"^[0-9]{12}$"

# What the throwaway clusters of `./deploy.sh selftest` begin with.
SELFTEST = "aurora-restore-selftest"

_LONGEST_IDENTIFIER = 63


def derived_identifier(prefix: str, target_cluster_id: str, operation_id: str) -> str:
    """Name a snapshot of this operation: the same operation id always gives the same name, ≤ 63 characters."""
    digest = hashlib.sha256(operation_id.encode()).hexdigest()[:12]
    room = _LONGEST_IDENTIFIER - len(prefix) - len(digest) - 2
    return f"{prefix}-{target_cluster_id[:room].rstrip('-')}-{digest}"


def instance_identifier(target_cluster_id: str, number: int) -> str:
    """Name the instance `number` (from 1) of the target cluster, ≤ 63 characters."""
    suffix = f"-{number}"
    return target_cluster_id[: _LONGEST_IDENTIFIER - len(suffix)].rstrip("-") + suffix


def suffixed_identifier(identifier: str, suffix: str) -> str:
    """Name something after another one, ≤ 63 characters."""
    return f"{identifier[: _LONGEST_IDENTIFIER - len(suffix) - 1].rstrip('-')}-{suffix}"


def is_put_aside(cluster_id: str, target_cluster_id: str) -> bool:
    """Tell whether a cluster has a name that a swap or an undo of this target puts a cluster aside under."""
    begin, _, digest = cluster_id.rpartition("-")
    return bool(digest) and begin in (f"{target_cluster_id}-old", f"{target_cluster_id}-undone")


def digest_of(operation_id: str) -> str:
    """Return the same few letters for the same operation."""
    return hashlib.sha256(operation_id.encode()).hexdigest()[:8]


def is_snapshot_arn(text: str) -> bool:
    """Tell whether `text` is the ARN of a DB cluster snapshot."""
    return re.fullmatch(SNAPSHOT_ARN_PATTERN, text) is not None


def region_and_account(source_arn: str) -> tuple[str, str]:
    """Return the Region and the account of the ARN of a DB cluster snapshot, or of a DB cluster."""
    match = re.fullmatch(SNAPSHOT_ARN_PATTERN.replace("-snapshot", "(?:-snapshot)?"), source_arn)
    if match is None:
        raise ValueError(f"not the ARN of a DB cluster snapshot or a DB cluster: {source_arn!r}")
    return match["region"], match["account"]


def time_of_automated_snapshot(arn: str) -> datetime | None:
    """Return the time that RDS wrote into an automated snapshot's name (UTC, to the minute), None for any other name.

    rds:<cluster>-yyyy-mm-dd-hh-mm;
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-copy-snapshot.html
    """
    named = re.search(r":rds:[A-Za-z0-9-]+-([0-9]{4}(?:-[0-9]{2}){4})$", arn)
    try:
        return datetime.strptime(named[1], "%Y-%m-%d-%H-%M").replace(tzinfo=UTC) if named else None
    except ValueError:
        return None
