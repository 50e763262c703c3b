"""What binds the old target without being a member of it: RDS deletes such a cluster in part only."""

from utils.aws.offers import Offers
from utils.aws.rds_models import Cluster
from utils.errors import TargetNotReplaceable
from utils.preflight.looks import Preflight


def look_at_what_binds(preflight: Preflight, offers: Offers, target: Cluster) -> None:
    """Refuse the source of zero-ETL integrations, and either side of a blue/green deployment."""
    preflight.look("integrations", lambda: _check_feeds_nothing(target, offers.integrations_from(target.arn)))
    preflight.look(
        "blue/green deployments", lambda: _check_is_no_side(target, offers.blue_green_deployments_of(target.arn))
    )


def _check_feeds_nothing(target: Cluster, integrations: list[str]) -> None:
    if integrations:
        raise TargetNotReplaceable(
            f"cluster {target.identifier} as the source of zero-ETL integration {', '.join(integrations)}",
            field="target.cluster_id",
            expected="a cluster that no integration replicates",
            action="delete the integration first (it cannot be put back by a restore), or name another target",
        )


def _check_is_no_side(target: Cluster, deployments: list[str]) -> None:
    if deployments:
        raise TargetNotReplaceable(
            f"cluster {target.identifier} in the blue/green deployment {', '.join(deployments)}",
            field="target.cluster_id",
            expected="a cluster of no blue/green deployment, or of one that was switched over",
            action="switch it over or delete the deployment first, or name another target",
        )
