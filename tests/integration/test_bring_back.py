"""After a failure for good the old data is back under its name, on real PostgreSQL; the next run heals what is left."""

from dataclasses import dataclass
from typing import Any

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import Production, counted
from tests.integration.stage.stories import story
from tests.integration.stage.world import World

# No table of production fits: the check fails after the restore, before anybody is let in.
NEVER_HOLDS = [{"name": "nobody-knows", "database": "postgres", "sql": "SELECT 1", "expect": "2"}]
KEPT = ("Engine", "EngineVersion", "Port", "DBSubnetGroup", "DBClusterParameterGroup", "KmsKeyId", "DeletionProtection")
KEPT_OF_MEMBERS = ("DBInstanceIdentifier", "DBInstanceClass", "PromotionTier", "DBParameterGroups")


@dataclass(frozen=True)
class Turned:
    """A target before a run that turned back, the run, and the target after it."""

    old: dict[str, Any]
    members: list[dict[str, Any]]
    outcome: Outcome
    now: dict[str, Any]
    members_now: list[dict[str, Any]]
    rows_of_the_old: int
    next_outcome: Outcome | None = None


@story
def turned_back(world: World) -> Turned:
    """The checks of the new cluster fail; then a run without them."""
    old = world.old_target("turned-back", instances=2)
    members = world.instances("turned-back")
    request = {"target": {"cluster_id": "turned-back"}, "on_failure": "bring_back"}
    outcome = world.run({**request, "checks": NEVER_HOLDS}, "turns-back")
    now = world.cluster("turned-back")
    return Turned(
        old=old,
        members=members,
        outcome=outcome,
        now=now,
        members_now=world.instances("turned-back"),
        rows_of_the_old=world.rows_of_old_target(now),
        next_outcome=world.run(request),
    )


def test_the_old_data_is_back_and_its_users_have_the_passwords_that_they_had(turned_back: Turned) -> None:
    assert turned_back.now["DbClusterResourceId"] != turned_back.old["DbClusterResourceId"]
    assert turned_back.rows_of_the_old == 25


def test_the_settings_are_as_before(turned_back: Turned) -> None:
    was, now = turned_back.old, turned_back.now
    assert {key: now.get(key) for key in KEPT} == {key: was.get(key) for key in KEPT}
    groups = [sorted(group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]) for cluster in (was, now)]
    assert groups[0] == groups[1]
    members = [
        [{key: member.get(key) for key in KEPT_OF_MEMBERS} for member in found]
        for found in (turned_back.members, turned_back.members_now)
    ]
    assert members[0] == members[1]


def test_the_run_has_failed_and_says_that_the_old_data_is_back_and_why(turned_back: Turned) -> None:
    outcome = turned_back.outcome
    assert (outcome.status, outcome.error) == ("FAILED", "CheckFailed")
    assert "since then: the old data is back: turned-back is available with its settings" in outcome.cause
    assert outcome.row["error"]["message"] == outcome.cause
    assert outcome.row["error"]["step"] == "Setup DB Users"
    assert outcome.row["bring_back"]["because"]["name"] == "CheckFailed"
    [message] = outcome.messages
    assert message.subject == "Aurora restore of turned-back FAILED, old data back: CheckFailed"
    assert "Old data          back, at " in message.text
    assert outcome.lock is None


def test_the_same_states_lead_back(turned_back: Turned) -> None:
    states = turned_back.outcome.states
    after = states[states.index("Bring Back") :]
    assert after[1] == "Is the Old Target to Come Back?"
    assert [name for name in dict.fromkeys(after) if name in ("Check Delete Status", "Restore Snapshot")] == [
        "Check Delete Status",
        "Restore Snapshot",
    ]
    assert after[-4:] == ["Setup DB Users", "Are the Users Ready?", "SNS Failure Notification", "Failed"]


def test_the_next_run_restores_production_and_keeps_what_was_brought_back(
    world: World, production: Production, turned_back: Turned
) -> None:
    assert turned_back.next_outcome is not None
    turned_back.next_outcome.expect_success()
    cluster = world.cluster("turned-back")
    assert counted(world.cloud, cluster, world.deployment.master) == production.rows
    finals = world.snapshots("final", "turned-back")
    assert len(finals) == 2, "the data that was brought back was worked with: it has a final snapshot of its own"


@story
def refused_twice(world: World) -> Turned:
    """The restore ends in a failure, and so does that of the old data; a further run heals it."""
    old = world.old_target("refused-twice")
    world.fault("end-in", "RestoreDBClusterFromSnapshot", "refused-twice", status="incompatible-restore", times=2)
    request = {"target": {"cluster_id": "refused-twice"}, "on_failure": "bring_back"}
    outcome = world.run(request)
    now = world.cluster("refused-twice")
    return Turned(old, [], outcome, now, [], 0, world.run(request))


def test_when_bringing_back_fails_too_the_message_says_where_it_stands(refused_twice: Turned) -> None:
    outcome = refused_twice.outcome
    assert (outcome.status, outcome.error) == ("FAILED", "RestoreFailed")
    assert "the old data is not back: refused-twice is being restored from its final snapshot" in outcome.cause
    assert "resume the operation to go on with that, or start a new run" in outcome.cause
    [message] = outcome.messages
    assert "Old data          NOT back yet: nobody serves" in message.text
    assert outcome.states.count("Bring Back") == 2, "the second failure ends the run"


def test_a_run_over_what_that_left_heals_it(world: World, production: Production, refused_twice: Turned) -> None:
    assert refused_twice.next_outcome is not None
    refused_twice.next_outcome.expect_success()
    assert counted(world.cloud, world.cluster("refused-twice"), world.deployment.master) == production.rows
