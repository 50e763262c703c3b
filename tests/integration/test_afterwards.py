"""How long a restored cluster is wanted: stopped, started again by the next run, deleted; put off, and called off."""

from dataclasses import dataclass
from typing import Any

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.rehearsals import afterwards_of
from tests.integration.stage.stories import story
from tests.integration.stage.world import World

HOURS = 24  # two minutes and a half of real time: longer than a run in which something else is asked for


@dataclass(frozen=True)
class Evenings:
    """One target: stopped after its run; the next run replaces the stopped cluster, and its own is deleted."""

    stopped: dict[str, Any]
    statuses: list[str]
    stopping: Outcome
    deleting: Outcome
    row_of_stop: dict[str, Any]
    row_of_deletion: dict[str, Any]


@story
def evenings(world: World) -> Evenings:
    target = {"target": {"cluster_id": "evenings", "instances": {"count": 2}}}
    stopping = world.run(target | {"afterwards": {"action": "stop", "after_hours": 1}}, "evening-1").expect_success()
    row_of_stop = afterwards_of(world, "evening-1")
    stopped, members = world.cluster("evenings"), world.instances("evenings")
    deleting = world.run(target | {"afterwards": {"action": "delete", "after_hours": 1}}, "evening-2").expect_success()
    row_of_deletion = afterwards_of(world, "evening-2")
    return Evenings(
        stopped=stopped,
        statuses=[item["DBInstanceStatus"] for item in members],
        stopping=stopping,
        deleting=deleting,
        row_of_stop=row_of_stop,
        row_of_deletion=row_of_deletion,
    )


def test_after_its_hours_the_cluster_is_stopped_with_its_instances_and_people_are_told(
    world: World, evenings: Evenings
) -> None:
    states = evenings.stopping.states
    assert states.index("Archive Snapshot") < states.index("Start Afterwards") < states.index("SNS Notification")
    assert (evenings.stopped["Status"], evenings.statuses) == ("stopped", ["stopped", "stopped"])
    assert evenings.row_of_stop["retires"] == "evening-1"
    assert {row["step"] for row in world.audit_rows("evening-1-afterwards")} == {
        "Delete RDS",
        "Check Delete Status",
        "SNS Notification",
    }
    subjects = [message.subject for message in world.mailbox.messages()]
    assert "Aurora restore: stop of evenings afterwards SUCCEEDED" in subjects


def test_the_next_run_replaces_a_stopped_cluster_and_its_own_is_deleted_with_a_final_snapshot(
    world: World, evenings: Evenings
) -> None:
    assert "StartDBCluster" in evenings.deleting.changed_operations
    assert "evenings" not in world.cluster_ids()
    names = [item["DBClusterSnapshotIdentifier"] for item in world.snapshots("final", "evenings")]
    assert evenings.row_of_deletion["identifiers"]["final_snapshot_id"] in names
    assert len(names) == 2, "one of the stopped cluster, one of the deleted one"
    assert world.row("target#us-west-2#evenings") is not None, "the next run builds from it"


@dataclass(frozen=True)
class Changed:
    """A stop that is put off, and then called off."""

    put_off: dict[str, Any]
    row: dict[str, Any]
    called_off: dict[str, Any]
    status: str
    messages: list[str]


@story
def changed(world: World) -> Changed:
    request = {"target": {"cluster_id": "longer"}, "afterwards": {"action": "stop", "after_hours": HOURS}}
    world.run(request, "for-a-day").expect_success()
    put_off = world.run({"afterwards_of": "for-a-day", "postpone_hours": 2 * HOURS}, "put-it-off")
    row = world.row("for-a-day-afterwards") or {}
    called_off = world.run({"afterwards_of": "for-a-day", "cancel": True}, "call-it-off")
    assert (put_off.status, called_off.status) == ("SUCCEEDED", "SUCCEEDED")
    return Changed(
        put_off=put_off.output,
        row=row,
        called_off=called_off.output,
        status=str((world.row("for-a-day-afterwards") or {}).get("status")),
        messages=[message.subject for message in [*put_off.messages, *called_off.messages]],
    )


def test_what_is_put_off_is_due_later_and_what_is_called_off_never(world: World, changed: Changed) -> None:
    assert changed.put_off["details"]["afterwards"].startswith("stop longer at ")
    assert changed.row["afterwards"]["due_at"] > str(changed.row["created_at"])
    assert changed.called_off["details"]["afterwards"] == "longer stays: to stop it is called off"
    assert changed.status == "SUCCEEDED"
    assert changed.messages == [], "it is no run"
    assert world.cluster("longer")["Status"] == "available"
