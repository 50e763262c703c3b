"""Exchange the names of old and new cluster, one rename at a time, or take back what was begun."""

from utils.aurora_utils import Services, StepName, StepResult, SwapEvent, step, swap_clusters


@step(StepName.SWAP_CLUSTERS, SwapEvent)
def handler(event: SwapEvent, services: Services) -> StepResult:
    """Make the next move of the operation that the event names."""
    return swap_clusters(event, services)
