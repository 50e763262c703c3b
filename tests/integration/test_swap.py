"""A swap: the old target serves until the names are exchanged, and what a client sees is what the run tells."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psycopg2
import pytest
from botocore.exceptions import ClientError

from local_cloud.pipeline.deployment import Login
from tests.integration.conftest import SPEED
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import Production, counted
from tests.integration.stage.stories import story
from tests.integration.stage.world import OLD_MASTER, World
from tests.waiting import wait_for

A_SECOND = 1.0  # of real time
A_LOGIN = 0.5
PAUSE_SECONDS = 0.02
BEFORE_ITS_RENAME = 2  # changes of the new cluster: its maintenance window, its master's password
BESIDE: dict[str, Any] = {"strategy": "swap", "keep_old_hours": None}


class Client:
    """Writes and reads without end through the target's endpoint, as whoever the cluster of that name knows."""

    def __init__(self, world: World, target_id: str, logins: list[Login]) -> None:
        self._world, self._target_id, self._logins = world, target_id, logins
        self._over = threading.Event()
        self.answers: list[tuple[float, str]] = []  # when, and of which cluster
        self.failures: list[float] = []

    @property
    def outage(self) -> float:
        """From the last answer of the old cluster to the first of the new one, and again from one failure on."""
        times, first = [at for at, _ in self.answers], self.answers[0][1]
        switched = next(place for place, (_, cluster) in enumerate(self.answers) if cluster != first)
        gaps = {(times[switched - 1], times[switched])}
        for failed_at in self.failures:
            gaps |= {(one, other) for one, other in pairwise(times) if times[switched] < one <= failed_at <= other}
        return sum(other - one for one, other in gaps)

    def stop(self) -> None:
        """End it."""
        self._over.set()

    def work(self) -> None:
        """Resolve the name, as DNS does, and work until that fails; then once more."""
        while not self._over.wait(PAUSE_SECONDS):
            with suppress(ClientError, psycopg2.Error, KeyError):
                cluster = self._world.cluster(self._target_id)
                for login in self._logins:
                    self._work_as(login, cluster)

    def _work_as(self, login: Login, cluster: dict[str, Any]) -> None:
        with suppress(psycopg2.Error), self._world.login(login, cluster, "postgres") as connection:
            while not self._over.wait(PAUSE_SECONDS):
                try:
                    with connection.cursor() as cursor:
                        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS of_the_client (n int)")
                        cursor.execute("INSERT INTO of_the_client VALUES (1)")
                except psycopg2.Error:
                    self.failures.append(time.monotonic())
                    return
                now = self._world.cluster(self._target_id)
                if now["DbClusterResourceId"] != cluster["DbClusterResourceId"]:
                    return
                self.answers.append((time.monotonic(), cluster["DbClusterResourceId"]))


@contextmanager
def client(world: World, target_id: str) -> Iterator[Client]:
    """Let somebody work with a target while something goes on."""
    somebody = Client(world, target_id, [OLD_MASTER, world.deployment.master])
    thread = threading.Thread(target=somebody.work, name="client")
    thread.start()
    try:
        yield somebody
    finally:
        somebody.stop()
        thread.join()


@dataclass(frozen=True)
class Swapped:
    """A swap, with the old target before it and whoever worked meanwhile."""

    old: dict[str, Any]
    outcome: Outcome
    client: Client


@story
def swapped(world: World) -> Swapped:
    old = world.old_target("swapped", instances=2)
    with client(world, "swapped") as somebody:
        outcome = world.run({"target": {"cluster_id": "swapped"}, **BESIDE}, "by-swap")
        time.sleep(0.3)  # a last answer of the new cluster
    return Swapped(old, outcome.expect_success(), somebody)


def old_cluster_of(outcome: Outcome) -> str:
    return str(outcome.output["old_cluster"])


def test_the_new_cluster_has_the_targets_name_and_productions_data(
    world: World, production: Production, swapped: Swapped
) -> None:
    cluster = world.cluster("swapped")
    assert cluster["DbClusterResourceId"] != swapped.old["DbClusterResourceId"]
    assert counted(world.cloud, cluster, world.deployment.master) == production.rows
    names = sorted(item["DBInstanceIdentifier"] for item in world.instances("swapped"))
    assert names == sorted(item["DBInstanceIdentifier"] for item in swapped.old["DBClusterMembers"])


def test_the_old_cluster_stands_put_aside_with_its_data(world: World, swapped: Swapped) -> None:
    aside = world.cluster(old_cluster_of(swapped.outcome))
    assert aside["DbClusterResourceId"] == swapped.old["DbClusterResourceId"]
    assert world.rows_of_old_target(aside) == 25
    assert "DeleteDBCluster" not in swapped.outcome.changed_operations


def test_a_client_sees_the_outage_that_the_run_tells(swapped: Swapped) -> None:
    told = swapped.outcome.output["outage_seconds"] / SPEED
    # Once it is over, the client has to find out the cluster and log in.
    assert told - A_SECOND <= swapped.client.outage <= told + A_SECOND + 2 * A_LOGIN
    assert "\nOutage   " in swapped.outcome.messages[0].text


def test_the_outage_is_no_further_away_than_the_run_says_that_it_may_be(swapped: Swapped) -> None:
    output = swapped.outcome.output
    told, give_or_take = output["outage_seconds"] / SPEED, output["outage_uncertainty_seconds"] / SPEED
    # As above, once for each outage.
    assert told - give_or_take <= swapped.client.outage <= told + give_or_take + 2 * A_LOGIN


def test_before_the_switch_no_statement_failed(swapped: Swapped) -> None:
    old = [at for at, cluster in swapped.client.answers if cluster == swapped.old["DbClusterResourceId"]]
    assert old
    assert [at for at in swapped.client.failures if at <= old[-1]] == []


def test_the_states_of_a_swap_are_its_own(swapped: Swapped) -> None:
    states = swapped.outcome.states
    assert "Check Delete Status" not in states, "there was nothing beside to delete"
    assert states.index("Setup DB Users") < states.index("Swap Clusters") < states.index("Archive Snapshot")
    assert "Roll Back Swap" not in states


@story
def with_an_old_certificate(world: World) -> Outcome:
    """After both renames of clusters the door shows the certificate of the former name."""
    world.old_target("certified", instances=1)
    world.fault("stale-certificate", "ModifyDBCluster", "certified-new", skip=BEFORE_ITS_RENAME)
    return world.run({"target": {"cluster_id": "certified"}, **BESIDE})


def test_a_certificate_of_the_former_name_is_renewed_by_a_restart(
    world: World, with_an_old_certificate: Outcome
) -> None:
    operations = with_an_old_certificate.expect_success().changed_operations
    assert operations.index("StopDBCluster") < operations.index("StartDBCluster")
    with world.login(world.deployment.master, world.cluster("certified")) as connection:
        assert connection.closed == 0


@story
def refused_halfway(world: World) -> tuple[dict[str, Any], Outcome, Outcome]:
    """The second rename is refused for good; the next run finds what was left beside."""
    old = world.old_target("halfway", instances=1)
    code = {"code": "InvalidParameterCombination", "message": "not now"}
    world.fault("error", "ModifyDBCluster", "halfway-new", skip=BEFORE_ITS_RENAME, **code)
    failed = world.run({"target": {"cluster_id": "halfway"}, **BESIDE})
    assert world.cluster("halfway")["DbClusterResourceId"] == old["DbClusterResourceId"]
    return old, failed, world.run({"target": {"cluster_id": "halfway"}, **BESIDE})


def test_a_refused_rename_gives_the_name_back_and_the_next_run_succeeds(
    world: World, refused_halfway: tuple[dict[str, Any], Outcome, Outcome]
) -> None:
    old, failed, again = refused_halfway
    assert failed.error == "AwsRequestRejected"
    assert "Roll Back Swap" in failed.states
    assert "the exchange of names was taken back" in failed.cause
    again.expect_success()
    assert world.cluster("halfway")["DbClusterResourceId"] != old["DbClusterResourceId"]
    assert "halfway-new" not in world.cluster_ids()
    aside = world.cluster(old_cluster_of(again))
    assert world.rows_of_old_target(aside) == 25


@pytest.mark.usefixtures("swapped")
def test_every_instance_of_a_swap_is_available_at_the_end(world: World) -> None:
    assert {item["DBInstanceStatus"] for item in world.instances("swapped")} == {"available"}


@dataclass(frozen=True)
class Retired:
    """A swap whose old cluster was kept for a short while."""

    new: dict[str, Any]
    aside: str
    snapshots: list[dict[str, Any]]
    row: dict[str, Any]
    others: list[str]


@story
def retired(world: World) -> Retired:
    world.old_target("retired", instances=2)
    request = {"target": {"cluster_id": "retired"}, "strategy": "swap", "keep_old_hours": 8}
    outcome = world.run(request, "retired-by-swap").expect_success()
    new, aside = world.cluster("retired"), old_cluster_of(outcome)
    assert aside in world.cluster_ids(), "it is kept for its hours"

    def is_over() -> bool:
        return (world.row("retired-by-swap-retirement") or {}).get("status") == "SUCCEEDED"

    wait_for(is_over, "the retirement to end", seconds=200.0)
    return Retired(
        new=new,
        aside=aside,
        snapshots=world.snapshots("final", "retired"),
        row=world.row("retired-by-swap-retirement") or {},
        others=[name for name in world.cluster_ids() if name.startswith("retired")],
    )


def test_after_its_hours_the_old_cluster_is_gone_and_its_final_snapshot_is_available(retired: Retired) -> None:
    assert retired.others == ["retired"]
    (snapshot,) = retired.snapshots
    assert (snapshot["Status"], snapshot["DBClusterIdentifier"]) == ("available", retired.aside)
    assert retired.row["retires"] == "retired-by-swap"


def test_a_retirement_touches_nothing_else(world: World, retired: Retired) -> None:
    now = world.cluster("retired")
    assert all(now[key] == retired.new[key] for key in ("DbClusterResourceId", "Status", "TagList", "DBClusterMembers"))
    audit = world.audit_rows("retired-by-swap-retirement")
    assert {row["step"] for row in audit} == {"Delete RDS", "Check Delete Status", "SNS Notification"}
    subjects = [message.subject for message in world.mailbox.messages()]
    assert f"Aurora restore: retirement of {retired.aside} SUCCEEDED"[:100] in subjects


@dataclass(frozen=True)
class Undone:
    """A swap that was undone in its grace period."""

    old: dict[str, Any]
    new: dict[str, Any]
    outcome: Outcome
    aside: str


@story
def undone(world: World) -> Undone:
    old = world.old_target("undone", instances=1)
    request = {"target": {"cluster_id": "undone"}, "strategy": "swap", "keep_old_hours": 8000}
    world.run(request, "to-be-undone").expect_success()
    new = world.cluster("undone")
    name = world.start({"undo": "to-be-undone"}, "undo-it")
    outcome = world.end_of(name, "undone").expect_success()
    return Undone(old, new, outcome, old_cluster_of(outcome))


def test_undone_the_old_data_is_back_under_the_name(world: World, undone: Undone) -> None:
    now = world.cluster("undone")
    assert now["DbClusterResourceId"] == undone.old["DbClusterResourceId"]
    assert world.rows_of_old_target(now) == 25
    assert [item["DBInstanceIdentifier"] for item in world.instances("undone")] == ["undone-1"]


def test_undone_the_new_cluster_stands_put_aside_and_is_named(world: World, undone: Undone) -> None:
    assert world.cluster(undone.aside)["DbClusterResourceId"] == undone.new["DbClusterResourceId"]
    told = [message.text for message in undone.outcome.messages]
    assert any(f"Put aside         {undone.aside}" in text for text in told)
    assert not [call for call in undone.outcome.changes if call.operation.startswith("Delete")]


def test_undone_the_retirement_is_stopped(world: World, undone: Undone) -> None:
    assert undone.outcome.states[:3] == ["Snapshot Check", "Is It a Dry Run?", "Swap Clusters"]
    machine = world.deployment.state_machine_arn.replace("-pipeline", "-retirement")
    arn = machine.replace(":stateMachine:", ":execution:") + ":to-be-undone-retirement"
    assert world.client("stepfunctions").describe_execution(executionArn=arn)["status"] == "ABORTED"


def test_after_the_grace_an_undo_is_refused_with_what_can_be_done(world: World, retired: Retired) -> None:
    name = world.start({"undo": "retired-by-swap"}, "undo-too-late")
    outcome = world.end_of(name, "retired")
    assert outcome.error == "InvalidRequest"
    assert "restore its final snapshot aurora-restore-final-retired-" in outcome.cause
    assert world.cluster("retired")["DbClusterResourceId"] == retired.new["DbClusterResourceId"]
