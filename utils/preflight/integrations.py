"""What replicates from the old target without being a member of it."""

from collections.abc import Sequence

from utils.aws.rds_models import Cluster
from utils.errors import TargetNotReplaceable


def check_feeds_nothing(target: Cluster, integrations: Sequence[str]) -> None:
    """Refuse the source of zero-ETL integrations, which RDS deletes in part only; raises `TargetNotReplaceable`."""
    if integrations:
        raise TargetNotReplaceable(
            f"cluster {target.identifier} as the source of zero-ETL integration {', '.join(integrations)}",
            field="target.cluster_id",
            expected="a cluster that no integration replicates",
            action="delete the integration first (it cannot be put back by a restore), or name another target",
        )
