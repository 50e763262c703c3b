"""Two runs against one target at once."""

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import World


@story
def two_at_once(world: World) -> list[Outcome]:
    world.old_target("contended")
    names = [world.start({"target": {"cluster_id": "contended"}}) for _ in range(2)]
    return [world.end_of(name, "contended") for name in names]


def test_one_of_them_restores(two_at_once: list[Outcome]) -> None:
    [winner] = [outcome for outcome in two_at_once if outcome.status == "SUCCEEDED"]
    assert winner.changed_operations.count("RestoreDBClusterFromSnapshot") == 1
    assert winner.changed_operations.count("CopyDBClusterSnapshot") == 1


def test_the_other_is_refused_and_told_who_is_at_work(world: World, two_at_once: list[Outcome]) -> None:
    winner, refused = sorted(two_at_once, key=lambda outcome: outcome.status == "FAILED")
    assert refused.error == "OperationInProgress"
    for words in (f"operation {winner.operation_id}", world.execution_arn(winner.operation_id), "nothing was changed"):
        assert words in refused.cause
    assert refused.row["error"]["step"] == "Snapshot Check"


def test_the_refused_run_does_not_take_the_lock_away(two_at_once: list[Outcome]) -> None:
    winner, refused = sorted(two_at_once, key=lambda outcome: outcome.status == "FAILED")
    assert refused.lock is None or refused.lock["holder"] == winner.operation_id
    assert winner.lock is None
