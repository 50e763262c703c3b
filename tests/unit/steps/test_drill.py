"""A drill: restored beside everything under a name of its own, proven, and removed again, whatever happens."""

import json
from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, REPLACEABLE_TAG, FakeAws
from tests.unit.steps.afterwards import (
    AFTERWARDS,
    AFTERWARDS_ARN,
    AT_ONCE,
    afterwards,
    change,
    close,
    end,
    follow,
    look,
    to_the_end,
    up_to_the_users,
)
from tests.unit.steps.stories import ended
from tests.unit.steps.swaps import Door
from utils import tags
from utils.cluster_settings.model import Member, TargetSettings
from utils.cluster_settings.origins import Origin
from utils.errors import AccessDenied, IdentifierTaken, InvalidRequest, OperationClosed, OperationNotResumable
from utils.evidence.costs import costs_of
from utils.identifiers import digest_of
from utils.operation.model import OperationStatus, StepName
from utils.operation.target_record import TargetRecord
from utils.report.summary import summarise
from utils.runtime.contract import FailedEvent, StartEvent, StepEvent, StepStatus
from utils.runtime.step import on_operation
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.snapshot_check import snapshot_check

DIGEST = digest_of(OPERATION)
DRILL = f"staging-drill-{DIGEST}"


@pytest.fixture
def ready(aws: FakeAws, door: Door) -> FakeAws:
    """A database that lets the users in, and a target that people work with."""
    assert door
    aws.has_old_target()
    aws.executions.running |= {EXECUTION_ARN, AFTERWARDS_ARN}
    return aws


def stands(aws: FakeAws) -> list[str]:
    """What there is of the drill in RDS."""
    found = [*aws.west.clusters, *aws.west.instances, *aws.west.snapshots]
    return sorted(name for name in found if DIGEST in name or name == aws.operation.identifiers.copy_id)


def target(aws: FakeAws) -> Any:
    return [aws.west.clusters.get("staging"), aws.west.instances.get("staging-1"), aws.west.instances.get("staging-2")]


def text(aws: FakeAws) -> str:
    return str(aws.topic.messages[-1]["Message"])


def test_a_drill_needs_no_target_and_plans_a_cluster_with_a_name_of_its_own(aws: FakeAws) -> None:
    aws.start(afterwards=AT_ONCE)
    names = aws.operation.identifiers
    assert (names.target_cluster_id, names.instance_ids, names.drill_of) == (DRILL, [f"{DRILL}-1"], "staging")
    assert aws.operation.plan.delete_target is False
    said = "\n".join(aws.operation.plan.actions)
    assert "this is a drill for staging, which is not touched" in said
    assert f"remove whatever it made ({DRILL}, {DRILL}-1, {names.copy_id}), without a final snapshot" in said
    assert "until then an hour of it costs $0.00 for 20 GiB of storage, 1 instance of db.r8g.large by the price" in said


def test_it_is_built_like_its_target_with_names_of_its_own_and_nothing_that_hangs_on_the_target(aws: FakeAws) -> None:
    aws.has_old_target(DeletionProtection=True)
    aws.start(afterwards=AT_ONCE)
    plan = aws.operation.plan
    assert [member.identifier for member in plan.settings.members] == [
        f"staging-1-drill-{DIGEST}",
        f"staging-2-drill-{DIGEST}",
    ]
    assert plan.settings.subnet_group == aws.west.clusters["staging"]["DBSubnetGroup"]
    assert plan.settings.deletion_protection is False
    assert plan.settings.custom_endpoints is None
    assert f"members.staging-1-drill-{DIGEST}.instance_class" in plan.origins
    assert aws.operation.old_target is None


@pytest.mark.parametrize("asked", [{}, {"log_exports": ["postgresql"]}])
def test_it_exports_no_logs_whose_groups_would_stay_and_says_so(aws: FakeAws, asked: dict[str, Any]) -> None:
    aws.has_old_target(EnabledCloudwatchLogsExports=["postgresql"])
    aws.start(afterwards=AT_ONCE, target=asked)
    assert aws.operation.plan.settings.log_exports is None
    assert "log_exports of staging: a drill has none, as its log groups would stay" in aws.operation.plan.not_put_back


@pytest.mark.parametrize("is_there", [True, False], ids=["inherited", "asked for"])
def test_instances_of_a_target_with_a_long_name_get_names_that_are_still_different(
    aws: FakeAws, is_there: bool
) -> None:
    long = "orders-of-the-whole-world-as-they-were-at-the-end-of-the-day"
    if is_there:
        aws.west.has_cluster(long, members=2, tags=REPLACEABLE_TAG)
    aws.start(afterwards=AT_ONCE, target={"cluster_id": long, "instances": {"count": 2}})
    names = aws.operation.identifiers.instance_ids
    assert len({*names, aws.operation.identifiers.target_cluster_id, *aws.west.instances}) == 3 + 2 * is_there
    assert all(len(name) <= 63 and name.endswith(f"-drill-{DIGEST}") for name in names)


def test_a_target_that_is_gone_is_rehearsed_as_it_last_stood(ready: FakeAws) -> None:
    record = TargetRecord(
        region="us-west-2",
        cluster_id="staging",
        settings=TargetSettings(
            engine_version="17.4",
            subnet_group="kept-subnets",
            deletion_protection=True,
            reader_scaling=None,
            members=[Member(identifier="orders-writer", instance_class="db.r8g.xlarge")],
        ),
        read_at=ready.clock.now(),
        operation_id="nightly-0",
        of_success=True,
    )
    ready.operations.save_target_record(record)
    ready.west.clusters.clear()
    ready.west.instances.clear()
    ready.start(afterwards=AT_ONCE, target={"subnet_group": "default"})
    plan = ready.operation.plan
    assert [(item.identifier, item.instance_class) for item in plan.settings.members] == [
        (f"orders-writer-drill-{DIGEST}", "db.r8g.xlarge")
    ]
    assert plan.settings.deletion_protection is False
    assert plan.inherited_from is Origin.TARGET_RECORD


def test_what_is_asked_of_an_instance_by_its_name_in_the_target_holds_in_the_drill(ready: FakeAws) -> None:
    ready.start(afterwards=AT_ONCE, target={"instances": {"named": {"staging-2": {"promotion_tier": 9}}}})
    tiers = {item.identifier: item.promotion_tier for item in ready.operation.plan.settings.members}
    assert tiers[f"staging-2-drill-{DIGEST}"] == 9
    assert ready.operation.plan.origins[f"members.staging-2-drill-{DIGEST}.promotion_tier"] is Origin.REQUEST


def test_what_hangs_on_the_target_is_said_to_be_missing_in_the_drill(ready: FakeAws) -> None:
    endpoint = {"identifier": "reports", "kind": "ANY"}
    ready.start(afterwards=AT_ONCE, target={"custom_endpoints": [endpoint]})
    assert ready.operation.plan.settings.custom_endpoints is None
    assert "custom_endpoints of staging: a drill has none of its own" in ready.operation.plan.not_put_back


def test_its_clean_up_waits_before_anything_is_made_and_again_for_the_end_of_the_drill(ready: FakeAws) -> None:
    answer = ready.start(afterwards=AT_ONCE)
    assert answer.details["clean_up"] == [
        {"name": AFTERWARDS, "input": {"operation_id": AFTERWARDS, "wait_seconds": 0}}
    ]
    assert afterwards(ready).execution_arn == AFTERWARDS_ARN
    waits = look(ready)
    assert (waits.status, waits.wait_seconds) == (StepStatus.IN_PROGRESS, 15)
    assert waits.details == {"waiting_for": f"the end of {OPERATION}"}
    assert ready.west.changes == []
    assert ready.start(afterwards=AT_ONCE).details["clean_up"] == answer.details["clean_up"], (
        "a second call starts the same"
    )


def test_a_dry_run_of_a_drill_begins_no_clean_up(ready: FakeAws) -> None:
    answer = ready.start(afterwards=AT_ONCE, dry_run=True)
    assert "clean_up" not in answer.details
    assert ready.operations.find(AFTERWARDS) is None


def test_after_its_end_nothing_stands_and_the_target_was_not_touched(ready: FakeAws) -> None:
    before = [dict(item) for item in target(ready)]
    assert to_the_end(ready, afterwards=AT_ONCE) == [], "the clean-up has been there from the beginning"
    assert DRILL in stands(ready)
    follow(ready)
    assert stands(ready) == []
    assert [dict(item) for item in target(ready)] == before
    assert ready.west.asked("create_db_cluster_snapshot") == [], "no final snapshot"
    assert ready.west.snapshots == {}
    assert ready.operations.find_target_record("us-west-2", DRILL) is None
    assert ready.operations.locks == {}
    assert f"Nothing stands any more of what the drill {OPERATION} made: {DRILL}, aurora-restore-copy-" in text(ready)
    assert afterwards(ready).status is OperationStatus.SUCCEEDED


def test_the_message_of_a_drill_says_so_and_its_evidence_what_an_hour_of_it_cost(ready: FakeAws) -> None:
    to_the_end(ready, afterwards=AT_ONCE)
    assert "Afterwards        a drill for staging: all that it made is removed now" in text(ready)
    costs = costs_of(ready.operation, summarise(ready.operation))
    assert (costs.standing, costs.monthly_usd) == ([], 0.0)
    assert "an hour of it costs $0.00 for 20 GiB of storage, 2 instances of db.r8g.large by the price" in costs.basis


def test_drills_are_measured_as_one_series(ready: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    to_the_end(ready, afterwards=AT_ONCE)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"RestoreSucceeded":' in line]
    assert [line["target_cluster_id"] for line in lines] == ["staging/drill"]


def test_how_long_drills_take_is_told_by_earlier_drills(ready: FakeAws) -> None:
    to_the_end(ready, afterwards=AT_ONCE)
    assert [run.operation_id for run in ready.operations.earlier_runs("us-west-2", "staging/drill")] == [OPERATION]
    assert ready.operations.earlier_runs("us-west-2", "staging") == []


def test_a_drill_that_failed_is_cleaned_up_as_well_once_nothing_more_can_come(ready: FakeAws) -> None:
    ready.start(afterwards=AT_ONCE)
    ready.run(copy_snapshot)
    end(ready, error="CopyFailed", step="Check Copy Status")
    assert "start a new run" in text(ready)
    follow(ready)
    assert stands(ready) == []


def test_what_a_stopped_drill_had_just_asked_for_is_waited_for(ready: FakeAws) -> None:
    ready.start(afterwards=AT_ONCE, source={"region": "us-east-1"})
    ended(ready, "ABORTED")
    waits = look(ready)
    assert waits.details["waiting_for"] == "what the drill had begun to be shown, if anything is left of it"
    made = tags.own_tags(tags.Role.TARGET, OPERATION, DRILL)
    ready.west.has_cluster(DRILL, members=1, tags=made)
    follow(ready)
    assert stands(ready) == []


def test_a_half_restored_cluster_is_waited_for_until_it_can_be_deleted(ready: FakeAws) -> None:
    up_to_the_users(ready, afterwards=AT_ONCE)
    ready.west.clusters[DRILL]["Status"] = "creating"
    end(ready, error="PhaseTimedOut", step="Check Restore Status")
    assert look(ready).details["waiting_for"] == f"{DRILL} (creating) to take a deletion"
    ready.west.clusters[DRILL]["Status"] = "available"
    follow(ready)
    assert stands(ready) == []


def test_a_cluster_of_that_name_that_it_did_not_make_is_left_alone(ready: FakeAws) -> None:
    up_to_the_users(ready, afterwards=AT_ONCE)
    end(ready, error="UsersNotProven")
    ready.west.clusters[DRILL]["TagList"] = [
        {"Key": tags.MANAGED, "Value": "true"},
        {"Key": tags.OPERATION_ID, "Value": "x"},
    ]
    for member in ready.west.instances.values():
        member["TagList"] = []
    follow(ready)
    assert ready.west.clusters[DRILL]["Status"] == "available"
    assert f"but {DRILL} no longer bears the tag aurora-restore:operation-id={OPERATION}: it was left" in text(ready)


def test_a_cluster_that_somebody_restored_under_that_name_with_the_drills_tags_is_left_alone(ready: FakeAws) -> None:
    to_the_end(ready, afterwards=AT_ONCE)
    ready.west.clusters[DRILL]["DbClusterResourceId"] = "cluster-RESTORED-BY-A-PERSON"
    for member in ready.west.instances.values():
        member["TagList"] = []
    follow(ready)
    assert ready.west.clusters[DRILL]["Status"] == "available"
    assert f"but {DRILL} is another cluster by now, made by {OPERATION}: it was left as it is" in text(ready)


def test_a_copy_of_that_name_that_it_did_not_make_is_left_alone(ready: FakeAws) -> None:
    up_to_the_users(ready, afterwards=AT_ONCE)
    copy = ready.operation.identifiers.copy_id
    ready.west.snapshots[copy]["TagList"] = [{"Key": tags.MANAGED, "Value": "true"}]
    end(ready, error="UsersNotProven")
    follow(ready)
    assert [*ready.west.snapshots] == [copy]


def test_it_says_what_it_left_behind_when_it_may_not_remove_it(ready: FakeAws) -> None:
    to_the_end(ready, afterwards=AT_ONCE)
    ready.west.refuse("delete_db_instance", "AccessDenied", "no")
    with pytest.raises(AccessDenied, match=r"so far: nothing was changed"):
        look(ready)
    close(ready, error="AccessDenied")
    assert afterwards(ready).status is OperationStatus.FAILED
    assert f"Left behind: {DRILL}, staging-1-drill-{DIGEST}, staging-2-drill-{DIGEST}" in text(ready)
    assert "Then let it go on, or delete it by hand:" in text(ready)
    assert f"""--input '{{"operation_id": "{AFTERWARDS}", "wait_seconds": 0}}'""" in text(ready)


def test_a_clean_up_that_failed_goes_on_in_a_new_execution_and_in_no_old_one(ready: FakeAws) -> None:
    to_the_end(ready, afterwards=AT_ONCE)
    ready.west.fail("delete_db_instance", "AccessDenied", "no")
    with pytest.raises(AccessDenied):
        look(ready)
    close(ready, error="AccessDenied")
    with pytest.raises(OperationClosed):
        look(ready)
    again = FailedEvent(operation_id=AFTERWARDS, execution_arn=f"{AFTERWARDS_ARN}-again")
    for _ in range(20):
        if on_operation(StepName.DELETE_RDS, again, ready.services, delete_rds).status is StepStatus.READY:
            break
        ready.west.settle()
    assert stands(ready) == []
    assert [item.execution_arn for item in afterwards(ready).executions] == [AFTERWARDS_ARN, f"{AFTERWARDS_ARN}-again"]


def test_the_end_of_an_execution_under_another_name_closes_the_clean_up_that_it_was_told(ready: FakeAws) -> None:
    to_the_end(ready, afterwards=AT_ONCE)
    close(ready, error="AccessDenied")
    arn = f"{AFTERWARDS_ARN}-again"
    again = FailedEvent(operation_id=AFTERWARDS, execution_arn=arn)
    on_operation(StepName.DELETE_RDS, again, ready.services, delete_rds)
    told = {"operation_id": AFTERWARDS, "wait_seconds": 0}
    ended(ready, "ABORTED", arn, name="something-else", input=json.dumps(told))
    assert afterwards(ready).status is OperationStatus.FAILED
    assert afterwards(ready).error is not None
    assert "Left behind: " in text(ready)


def test_nobody_resumes_or_redrives_what_is_being_removed(ready: FakeAws) -> None:
    ready.start(afterwards=AT_ONCE)
    end(ready, error="CopyFailed", step="Copy Snapshot")
    event = StartEvent(operation_id="again", execution_arn=f"{EXECUTION_ARN}-again", request={"resume": OPERATION})
    with pytest.raises(OperationNotResumable, match="start a new drill"):
        snapshot_check(event, ready.services)
    redriven = StepEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, redrive_count=1)
    with pytest.raises(OperationNotResumable, match="start a new drill"):
        on_operation(StepName.RESTORE_SNAPSHOT, redriven, ready.services, restore_snapshot)
    assert ready.west.changes == []


def test_a_clean_up_is_neither_put_off_nor_called_off(ready: FakeAws) -> None:
    ready.start(afterwards=AT_ONCE)
    with pytest.raises(InvalidRequest, match="a drill"):
        change(ready, afterwards_of=OPERATION, cancel=True)


@pytest.mark.parametrize("how", ["could not be started", "was stopped before it was started"])
def test_a_clean_up_that_never_began_ends_with_its_drill_which_made_nothing(ready: FakeAws, how: str) -> None:
    ready.start(afterwards=AT_ONCE)
    ready.executions.running.clear()
    if how == "could not be started":
        end(ready, error="States.TaskFailed", step="Start Clean-up")
    else:
        ended(ready)
    assert afterwards(ready).status is OperationStatus.SUCCEEDED
    assert ready.west.changes == []


@pytest.mark.parametrize("is_over", [False, True])
def test_a_clean_up_that_has_begun_is_never_ended_with_its_drill(ready: FakeAws, is_over: bool) -> None:
    ready.start(afterwards=AT_ONCE)
    ready.executions.running.clear()
    (ready.executions.ended if is_over else ready.executions.running).add(AFTERWARDS_ARN)
    ended(ready)
    assert afterwards(ready).status is OperationStatus.RUNNING


def test_a_drill_whose_end_was_told_to_nobody_is_cleaned_up_once_its_execution_is_over(ready: FakeAws) -> None:
    up_to_the_users(ready, afterwards=AT_ONCE)
    ready.executions.running.remove(EXECUTION_ARN)
    ready.executions.ended.add(EXECUTION_ARN)
    answer = look(ready)
    assert answer.details == {"waiting_for": f"the end of {OPERATION}"}, "its row may lag behind"
    assert stands(ready), "nothing was touched yet"
    follow(ready, looks=400)
    assert stands(ready) == []
    assert afterwards(ready).status is OperationStatus.SUCCEEDED
    assert ready.operations.locks == {}


def test_a_name_that_is_taken_is_refused_and_nothing_is_touched(ready: FakeAws) -> None:
    ready.west.has_cluster(DRILL, members=1, tags={tags.REPLACEABLE: "true"})
    with pytest.raises(IdentifierTaken, match="the name that this drill would make"):
        ready.start(afterwards=AT_ONCE)
    assert ready.west.changes == []


def test_a_run_that_somebody_named_like_the_clean_up_keeps_a_drill_from_making_anything(ready: FakeAws) -> None:
    ready.start(afterwards=AT_ONCE, dry_run=True)
    ready.operations.create(ready.operation.model_copy(update={"operation_id": AFTERWARDS, "version": 0}))
    ready.operations.rows.pop(OPERATION)
    with pytest.raises(IdentifierTaken, match=f"operation {AFTERWARDS}, which is a run of its own"):
        ready.start(afterwards=AT_ONCE)
    assert ready.west.changes == []
