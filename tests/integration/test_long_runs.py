"""A copy that takes thirty hours (three minutes here) is followed to its end, and does not fill the history."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.waiting import wait_for
from utils.runtime.waiting import ALLOWED_LATENESS, LONGEST_WAIT_SECONDS, seconds_until_next_look

HOURS = 30
MOST_EVENTS = 25_000  # of an execution, by AWS's quota
# What a look may last here: a second of the machine is ten minutes of the clock.
SLOW_MACHINE = timedelta(hours=1)


@dataclass
class LongRun:
    released_at: datetime
    outcome: Outcome


def now(world: World) -> datetime:
    return datetime.fromisoformat(world.cloud.aurora_control("GET", "clock")["now"])


def looks_in(hours: float) -> int:
    """How often the pipeline looks in so many hours, if a look takes no time."""
    elapsed, looks = 0.0, 0
    while elapsed <= hours * 3600:
        elapsed += seconds_until_next_look(elapsed)
        looks += 1
    return looks


@story
def thirty_hour_copy(world: World) -> LongRun:
    world.fault("freeze", "CopyDBClusterSnapshot", "aurora-restore-copy-long-run-*")
    began = now(world)
    name = world.start({"target": {"cluster_id": "long-run"}})
    wait_for(lambda: now(world) - began >= timedelta(hours=HOURS), "thirty hours", seconds=600, every=1)
    [copy] = world.snapshots("copy", "long-run")
    world.cloud.aurora_control("POST", "release", {"arn": copy["DBClusterSnapshotArn"]})
    return LongRun(now(world), world.end_of(name, "long-run"))


def test_it_ends_well(thirty_hour_copy: LongRun) -> None:
    thirty_hour_copy.outcome.expect_success()


def test_its_end_is_seen_in_time(thirty_hour_copy: LongRun) -> None:
    seen = datetime.fromisoformat(thirty_hour_copy.outcome.row["copy"]["finished_at"])
    longest = min(timedelta(hours=HOURS) * ALLOWED_LATENESS, timedelta(seconds=LONGEST_WAIT_SECONDS))
    copied_after_the_release = timedelta(hours=2)
    assert seen - thirty_hour_copy.released_at <= longest + copied_after_the_release + SLOW_MACHINE


def test_it_leaves_more_than_half_of_the_history_free(thirty_hour_copy: LongRun) -> None:
    outcome = thirty_hour_copy.outcome
    looks = outcome.states.count("Check Copy Status")
    # A busy machine looks less often; so many that the other states' events are few beside theirs.
    assert looks > 30
    assert len(outcome.history) < MOST_EVENTS / 2
    # A look takes a minute of the clock here, and a second in AWS: there are more of them there.
    assert looks <= looks_in(HOURS + 2)
    events_of_a_look = len(outcome.history) / looks
    assert looks_in(HOURS) * events_of_a_look < MOST_EVENTS / 2
