"""A swap: restored beside, proven, then the names are exchanged; whatever fails, one of both serves under the name."""

import importlib
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.aws import EXECUTION_ARN, OPERATION, FakeAws
from tests.fakes.rds_items import Item
from tests.unit.metrics_log import measured
from tests.unit.steps.stories import SECOND_ARN, fail, resume
from tests.unit.steps.swaps import Door, aside, resource_id, swap, to_the_end, up_to_the_users
from utils.errors import (
    AccessDenied,
    AwsRequestRejected,
    DatabaseLoginRefused,
    DatabaseNotTrusted,
    DatabaseUnavailable,
    IdentifierTaken,
    InvalidRequest,
    OperationNotResumable,
    TargetNotBuildable,
)
from utils.operation.model import Operation, OperationStatus
from utils.report.changes import changed_so_far
from utils.report.messages import message_for_success
from utils.report.metrics import measure_end
from utils.report.preview import preview_of
from utils.report.summary import summarise
from utils.runtime import step as step_module
from utils.runtime.contract import ClosingEvent, StartEvent, StepStatus
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_copy_status import check_copy_status
from utils.steps.check_delete_status import check_delete_status
from utils.steps.check_restore_status import check_restore_status
from utils.steps.check_swap_status import check_swap_status
from utils.steps.copy_snapshot import copy_snapshot
from utils.steps.delete_rds import delete_rds
from utils.steps.restore_snapshot import restore_snapshot
from utils.steps.setup_db_users import setup_db_users
from utils.steps.snapshot_check import snapshot_check
from utils.steps.sns_notification import sns_notification

BESIDE, TARGET = "staging-new", "staging"
A_LONG_WAIT = timedelta(hours=11.5)  # of twelve that it may take


@pytest.fixture
def proven(aws: FakeAws, door: Door) -> FakeAws:
    """A swap whose new cluster stands beside the old target, its users proven."""
    assert door
    aws.has_old_target()
    up_to_the_users(aws)
    return aws


def back(aws: FakeAws) -> None:
    """Roll back as the state machine does after a failure."""
    for _ in range(30):
        if swap(aws, back=True).status is StepStatus.READY:
            return
        aws.west.settle()
    raise AssertionError("it is never taken back")


def untouched(aws: FakeAws) -> Item:
    return dict(aws.west.clusters[TARGET])


def test_both_functions_of_a_swap_answer_with_how_far_it_is(proven: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_module, "services", lambda: proven.services)
    context = SimpleNamespace(aws_request_id="request-1", invoked_function_arn="arn:function")
    event = {"operation_id": OPERATION, "execution_arn": EXECUTION_ARN}
    move, look = (importlib.import_module(name).handler for name in ("swap_clusters", "check_swap_status"))
    moved = move(event | {"roll_back": False}, context)
    looked = [look(event, context)]
    proven.west.settle()
    proven.clock.advance(seconds=5)
    looked.append(look(event, context))
    assert [answer["status"] for answer in (moved, *looked)] == ["IN_PROGRESS", "IN_PROGRESS", "SWAP_AGAIN"]


def test_the_new_cluster_is_made_beside_and_the_old_one_is_not_touched(proven: FakeAws) -> None:
    (asked,) = proven.west.asked("restore_db_cluster_from_snapshot")
    assert asked["DBClusterIdentifier"] == BESIDE
    made = [item["DBInstanceIdentifier"] for item in proven.west.asked("create_db_instance")]
    assert made == ["staging-1-new", "staging-2-new"]
    assert proven.west.destroyed == ["modify_db_cluster"], "the new cluster's master password, and nothing else"
    assert proven.west.asked("create_db_cluster_snapshot") == []
    assert proven.operation.restore is not None
    comparison = proven.operation.restore.settings.comparison
    assert comparison is not None
    assert comparison.differences == []


def test_the_names_are_exchanged_and_the_instances_follow(proven: FakeAws, door: Door) -> None:
    old, new = resource_id(proven, TARGET), resource_id(proven, BESIDE)
    to_the_end(proven)
    assert {name: resource_id(proven, name) for name in proven.west.clusters} == {TARGET: new, aside(proven): old}
    of_new = {name for name, item in proven.west.instances.items() if item["DBClusterIdentifier"] == TARGET}
    assert of_new == {"staging-1", "staging-2"}
    others = set(proven.west.instances) - of_new
    assert others == {name.replace("staging-", "staging-") + aside(proven).removeprefix("staging") for name in of_new}
    renames = [item for item in proven.west.asked("modify_db_cluster") if "NewDBClusterIdentifier" in item]
    assert [item["NewDBClusterIdentifier"] for item in renames] == [aside(proven), TARGET]
    assert {host.partition(".")[0] for host, _, _ in door.logins} == {TARGET}, "proven under the final name"
    assert proven.run(archive_snapshot).status is StepStatus.READY


def test_the_writer_gets_its_name_last_and_is_proven_once_more(proven: FakeAws, door: Door) -> None:
    to_the_end(proven)
    order = [item["NewDBInstanceIdentifier"] for item in proven.west.asked("modify_db_instance")]
    assert order.index("staging-2") < order.index("staging-1")
    assert len(door.logins) == 2
    record = proven.operation.swap
    assert record is not None
    assert record.writer_answered_at is not None


def test_the_outage_is_told_and_measured_with_how_wrong_it_may_be(
    proven: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    to_the_end(proven)
    record = proven.operation.swap
    assert record is not None
    # From the last answer to the first at most ten seconds, as looks are five apart, and five in the writer's restart
    # that no look met; a second each for RDS's clock.
    assert (record.outage.least_seconds, record.outage.most_seconds) == (0, 10 + 1 + 5 + 1)
    assert (record.outage_seconds, record.outage_uncertainty_seconds) == (8, 9)
    text = message_for_success(summarise(proven.operation)).text
    assert f"Old cluster       {aside(proven)}, with its data as it was" in text
    assert "Outage            8 s (± 9 s) in which staging did not answer" in text
    measure_end(proven.operation, summarise(proven.operation).seconds)
    values = {(item.name, item.value) for item in measured(capsys.readouterr().out) if item.name.startswith("Outage")}
    assert values == {("OutageSeconds", 8), ("OutageUncertaintySeconds", 9)}


def test_the_outage_of_an_exchange_that_was_taken_back_is_told_too(
    proven: FakeAws, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    door.refusal = DatabaseLoginRefused("no login", expected="one", action="look")
    with pytest.raises(DatabaseLoginRefused):
        to_the_end(proven)
    for _ in range(3):
        proven.west.settle()
        proven.clock.advance(seconds=5)
        swap(proven, back=True)
    assert (record := proven.operation.swap) is not None
    assert record.rolled_back_at is not None
    assert record.outage_seconds is not None
    assert (record.outage.least_seconds, record.outage.most_seconds) == (20 - 5 - 1, 25 + 1)
    said = "the old target serves as staging again, after 20 s (± 6 s) without an answer"
    assert said in changed_so_far(proven.operation).in_words()
    fail(proven, error="DatabaseLoginRefused")
    capsys.readouterr()
    measure_end(proven.operation, {})
    assert {item.value for item in measured(capsys.readouterr().out) if item.name == "OutageSeconds"} == {20}


def test_a_restart_that_looks_met_is_measured_from_its_own_last_answer(proven: FakeAws, door: Door) -> None:
    while (operation := proven.operation).swap is None or operation.swap.writer_renamed_at is None:
        swap(proven)
        proven.clock.advance(seconds=5)
        if proven.operation.swap and proven.operation.swap.writer_renamed_at is None:
            proven.west.settle()
            proven.run(check_swap_status)
    before = proven.operation.swap.outage.most_seconds if proven.operation.swap else 0
    for refusal in (None, "starting up", "starting up"):
        door.old_answers = refusal is None
        door.refusal = DatabaseUnavailable("no answer", expected="one", action="wait") if refusal else None
        proven.run(check_swap_status)
        proven.clock.advance(seconds=3)
    door.old_answers, door.refusal = True, None
    proven.run(check_swap_status)
    assert (record := proven.operation.swap) is not None
    assert record.outage.most_seconds - before == 3 + 3 + 3 + 1
    proven.west.settle()
    proven.clock.advance(seconds=60)
    to_the_end(proven)
    assert (record := proven.operation.swap) is not None
    assert record.outage.most_seconds - before == 3 + 3 + 3 + 1, "what RDS takes to call it available is no outage"


def test_looks_are_close_after_each_move_and_as_in_any_phase_when_one_hangs(proven: FakeAws) -> None:
    assert swap(proven).wait_seconds == 1
    looks, until = 0, proven.clock.now() + A_LONG_WAIT
    while proven.clock.now() < until:
        look = proven.run(check_swap_status)
        assert look.status is StepStatus.IN_PROGRESS
        looks += 1
        proven.clock.advance(seconds=look.wait_seconds or 0)
    # An execution's history holds 25,000 events, a look makes nine.
    assert looks * 9 < 25_000 / 5


def resumed_to_the_end(aws: FakeAws) -> None:
    """Resume a swap that was proven, which passes by what is done, and exchange the names."""
    resume(aws)
    for step in (copy_snapshot, delete_rds, restore_snapshot, check_restore_status, setup_db_users):
        aws.run(step)
    to_the_end(aws, arn=SECOND_ARN)


def test_a_name_that_went_after_the_last_look_before_a_stop_was_gone_for_at_most_all_that_time(proven: FakeAws) -> None:
    swap(proven)
    fail(proven, error="ExecutionStopped")
    proven.west.settle()
    proven.clock.advance(hours=1)
    resumed_to_the_end(proven)
    assert (record := proven.operation.swap) is not None
    assert record.outage_seconds is not None
    assert record.outage_uncertainty_seconds is not None
    assert record.outage_seconds + record.outage_uncertainty_seconds > 3600


def test_hours_in_which_nobody_looked_are_no_outage(proven: FakeAws) -> None:
    proven.west.refuse("modify_db_instance", "AccessDenied", "not this one")
    with pytest.raises(AccessDenied):
        to_the_end(proven)
    proven.west.refusals.clear()
    fail(proven, error="AccessDenied")
    proven.clock.advance(hours=5)
    resumed_to_the_end(proven)
    assert (record := proven.operation.swap) is not None
    assert record.outage.most_seconds < 60


def test_the_plan_tells_every_rename_and_that_two_clusters_are_paid_for(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.start(strategy="swap")
    actions = "\n".join(aws.operation.plan.actions)
    assert f"rename staging to {aside(aws)}, then staging-new to staging" in actions
    assert f"keep the old cluster as {aside(aws)} for 24 hours, then delete it with final snapshot" in actions
    assert "two clusters are paid for from the restore until it is deleted" in actions
    preview = preview_of(aws.operation)
    assert preview.deletes == []
    assert (preview.renames["staging"], preview.renames["staging-new"]) == (aside(aws), "staging")
    assert any("the old cluster stays" in line for line in preview.protects)


def test_without_an_old_target_a_swap_is_a_restore(aws: FakeAws, door: Door) -> None:
    assert door
    aws.start(strategy="swap")
    assert aws.operation.identifiers.swap is None


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (
            {"target": {"custom_endpoints": [{"identifier": "reporting", "kind": "READER"}]}},
            TargetNotBuildable,
            "custom_endpoints",
        ),
        (
            {"target": {"event_subscriptions": [{"name": "alerts", "source_ids": ["staging"]}]}},
            InvalidRequest,
            "another event_subscriptions than the target has",
        ),
    ],
)
def test_what_aws_ties_to_the_cluster_is_refused_before_anything_is_changed(
    aws: FakeAws, request_: dict[str, Any], error: type[Exception], words: str
) -> None:
    aws.has_old_target()
    aws.west.subscriptions["alerts"] = ["other"]
    with pytest.raises(error, match=words):
        aws.start(strategy="swap", **request_)
    assert aws.west.changes == []


def test_names_that_are_taken_or_not_the_stacks_are_refused_before_anything_is_changed(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.west.has_cluster(BESIDE)
    with pytest.raises(IdentifierTaken, match="cluster staging-new, which a swap would make"):
        aws.start(strategy="swap")
    del aws.west.clusters[BESIDE]
    aws.services = aws.services_with(TARGET_CLUSTER_PATTERN="staging")
    with pytest.raises(InvalidRequest, match="staging-new"):
        aws.start(strategy="swap")


def test_a_target_that_is_not_available_cannot_be_renamed(aws: FakeAws) -> None:
    aws.has_old_target(Status="stopped")
    with pytest.raises(TargetNotBuildable, match="cluster staging as stopped"):
        aws.start(strategy="swap")


def test_a_quota_that_has_no_room_for_a_second_cluster_is_told_first(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.west.quotas["DBClusters"] = 1
    with pytest.raises(TargetNotBuildable, match="the quota DBClusters"):
        aws.start(strategy="swap")


def test_once_names_are_exchanged_the_restore_is_over_and_is_not_looked_at(proven: FakeAws) -> None:
    swap(proven)
    answer = proven.run(check_restore_status)
    assert (answer.status, answer.details) == (StepStatus.READY, {"exchanges_names_of": TARGET})


def leave_beside(aws: FakeAws) -> None:
    """Let the run fail, and be one before this: what it restored beside is there still."""
    fail(aws)
    aws.operations.rows[f"{OPERATION}-before"] = aws.operations.rows.pop(OPERATION)
    for resource in (aws.west.clusters[BESIDE], *aws.west.instances.values()):
        resource["TagList"] = [
            {"Key": tag["Key"], "Value": tag["Value"].replace(OPERATION, f"{OPERATION}-before")}
            for tag in resource["TagList"]
        ]


def test_the_row_knows_when_there_is_room_beside(proven: FakeAws) -> None:
    leave_beside(proven)
    proven.start(strategy="swap")
    proven.run(copy_snapshot)
    proven.west.settle()
    proven.run(check_copy_status)
    assert proven.run(delete_rds).status is StepStatus.IN_PROGRESS
    for _ in range(5):
        proven.west.settle()
        if proven.run(check_delete_status).status is StepStatus.READY:
            break
        proven.run(delete_rds)
    assert BESIDE not in proven.west.clusters
    assert proven.operation.deletion is not None
    assert proven.operation.deletion.finished_at is not None


def test_what_a_failed_run_left_beside_is_deleted_though_it_is_protected(proven: FakeAws) -> None:
    leave_beside(proven)
    proven.west.clusters[BESIDE]["DeletionProtection"] = True
    left = resource_id(proven, BESIDE)
    up_to_the_users(proven)
    assert resource_id(proven, BESIDE) != left
    unprotected = [asked for asked in proven.west.asked("modify_db_cluster") if "DeletionProtection" in asked]
    assert unprotected == [{"DBClusterIdentifier": BESIDE, "DeletionProtection": False, "ApplyImmediately": True}]


def test_what_a_failed_run_left_beside_is_deleted_by_the_next_one(proven: FakeAws) -> None:
    leave_beside(proven)
    old, left = untouched(proven), resource_id(proven, BESIDE)
    up_to_the_users(proven)
    assert resource_id(proven, BESIDE) != left
    assert untouched(proven) == old
    assert proven.west.asked("create_db_cluster_snapshot") == [], "nobody was let in: it is no rollback point"


def test_what_a_person_restored_beside_with_tags_of_ours_is_not_a_leftover(proven: FakeAws) -> None:
    fail(proven)
    proven.operations.rows[f"{OPERATION}-before"] = proven.operations.rows.pop(OPERATION)
    person = proven.west.clusters[BESIDE]
    person["DbClusterResourceId"] = "cluster-OF-A-PERSON"
    person["TagList"] = [
        {"Key": tag["Key"], "Value": tag["Value"].replace(OPERATION, f"{OPERATION}-before")}
        for tag in person["TagList"]
    ]
    with pytest.raises(IdentifierTaken, match=f"cluster {BESIDE}, which a swap would make"):
        up_to_the_users(proven)
    assert proven.west.asked("delete_db_cluster") == []


@pytest.mark.parametrize("number", range(1, 3))
def test_a_refused_rename_of_a_cluster_ends_with_the_old_one_serving_and_the_next_attempt_succeeds(
    proven: FakeAws, number: int
) -> None:
    old, new = resource_id(proven, TARGET), resource_id(proven, BESIDE)
    for _ in range(number - 1):
        swap(proven)
        proven.west.settle()
    proven.west.fail("modify_db_cluster", "InvalidParameterCombination")
    with pytest.raises(AwsRequestRejected):
        swap(proven)
    back(proven)
    assert (resource_id(proven, TARGET), resource_id(proven, BESIDE)) == (old, new)
    fail(proven, error="AwsRequestRejected")
    told = proven.operation.error
    assert told is not None
    assert "since then: the exchange of names was taken back: the old target serves as staging again" in told.message
    resume(proven)
    up_to_the_users(proven, arn=SECOND_ARN)
    to_the_end(proven, arn=SECOND_ARN)
    assert resource_id(proven, TARGET) == new


def test_a_login_that_is_refused_under_the_final_name_gives_the_name_back(proven: FakeAws, door: Door) -> None:
    old = resource_id(proven, TARGET)
    door.refusal = DatabaseLoginRefused("no login", expected="one", action="look")
    with pytest.raises(DatabaseLoginRefused):
        to_the_end(proven)
    back(proven)
    assert resource_id(proven, TARGET) == old
    assert "the exchange of names was taken back" in changed_so_far(proven.operation).in_words()
    assert proven.operation.swap is not None
    assert proven.operation.swap.switched_at is None


def test_nobody_answers_yet_under_the_name_and_the_proof_is_waited_for(proven: FakeAws, door: Door) -> None:
    door.refusal = DatabaseUnavailable("no answer", expected="one", action="wait")
    for _ in range(6):
        swap(proven)
        proven.west.settle()
        assert proven.run(check_swap_status).status is not StepStatus.READY
    door.refusal = None
    to_the_end(proven)
    assert proven.operation.swap is not None
    assert proven.operation.swap.finished_at is not None


def test_a_certificate_of_the_former_name_is_renewed_by_a_restart(proven: FakeAws, door: Door) -> None:
    new = resource_id(proven, BESIDE)
    door.refusal = DatabaseNotTrusted("another name", expected="this one", action="restart")
    while (answer := swap(proven)) and not proven.west.asked("stop_db_cluster"):
        proven.west.settle()
        proven.run(check_swap_status)
    assert proven.west.asked("stop_db_cluster") == [{"DBClusterIdentifier": TARGET}]
    assert answer.details == {"waiting_for": f"the restart of {TARGET} (available) for its certificate"}
    door.refusal = None
    to_the_end(proven)
    assert proven.west.asked("start_db_cluster") == [{"DBClusterIdentifier": TARGET}]
    assert resource_id(proven, TARGET) == new


def test_a_certificate_that_stays_wrong_after_the_restart_gives_the_name_back(proven: FakeAws, door: Door) -> None:
    old = resource_id(proven, TARGET)
    door.refusal = DatabaseNotTrusted("another name", expected="this one", action="restart")
    with pytest.raises(DatabaseNotTrusted):
        to_the_end(proven)
    back(proven)
    assert resource_id(proven, TARGET) == old


def test_a_refused_name_of_an_instance_leaves_the_new_cluster_serving(proven: FakeAws) -> None:
    new = resource_id(proven, BESIDE)
    proven.west.refuse("modify_db_instance", "AccessDenied", "not this one")
    with pytest.raises(AccessDenied):
        to_the_end(proven)
    assert swap(proven, back=True).status is StepStatus.READY, "it is proven under the name: nothing is taken back"
    assert resource_id(proven, TARGET) == new
    assert "the new cluster has the name staging and is proven under it" in changed_so_far(proven.operation).in_words()
    proven.west.refusals.clear()
    fail(proven, error="AccessDenied")
    resume(proven)
    restored = len(proven.west.asked("create_db_instance"))
    for step in (copy_snapshot, delete_rds, restore_snapshot, check_restore_status):
        proven.run(step)
    assert proven.run(setup_db_users).status is StepStatus.SWAP_READY
    to_the_end(proven, arn=SECOND_ARN)
    assert len(proven.west.asked("create_db_instance")) == restored, "a resumed swap makes no instance again"


def test_somebody_elses_cluster_under_the_freed_name_is_not_touched(proven: FakeAws) -> None:
    swap(proven)
    proven.west.settle()
    foreign = proven.west.has_cluster(TARGET, members=0)
    with pytest.raises(IdentifierTaken, match="resource id"):
        swap(proven)
    assert proven.west.clusters[TARGET] is foreign


def test_a_new_run_over_a_swap_that_was_stopped_half_way_says_to_resume_that_one(proven: FakeAws) -> None:
    swap(proven)
    proven.west.settle()
    fail(proven, error="ExecutionStopped")
    event = StartEvent(operation_id="next", execution_arn=EXECUTION_ARN.replace(OPERATION, "next"), request={})
    with pytest.raises(
        IdentifierTaken, match=f"staging-1 of cluster {aside(proven)}.*resume the swap that was stopped"
    ):
        snapshot_check(event, proven.services)
    resumed_to_the_end(proven)


def test_a_new_run_is_warned_of_instances_that_a_swap_left_under_other_names(proven: FakeAws) -> None:
    proven.west.refuse("modify_db_instance", "AccessDenied", "not this one")
    with pytest.raises(AccessDenied):
        to_the_end(proven)
    proven.west.refusals.clear()
    fail(proven, error="AccessDenied")
    event = StartEvent(operation_id="next", execution_arn=EXECUTION_ARN.replace(OPERATION, "next"), request={})
    assert snapshot_check(event, proven.services).status is StepStatus.READY
    proven.goes_on_as("next")
    (warning,) = [line for line in proven.operation.plan.warnings if line.startswith("names of instances")]
    assert "staging-1-new, staging-2-new, as operation nightly-1 left them" in warning
    assert "./restore.sh resume nightly-1" in warning


def test_a_new_run_over_a_swap_that_is_over_is_not_warned(proven: FakeAws) -> None:
    to_the_end(proven)
    proven.run(archive_snapshot)
    sns_notification(ClosingEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN), proven.services)
    event = StartEvent(operation_id="next", execution_arn=EXECUTION_ARN.replace(OPERATION, "next"), request={})
    snapshot_check(event, proven.services)
    proven.goes_on_as("next")
    assert [line for line in proven.operation.plan.warnings if "names of instances" in line] == []


def test_before_anything_was_renamed_there_is_nothing_to_take_back(proven: FakeAws) -> None:
    before = len(proven.west.changes)
    assert swap(proven, back=True).status is StepStatus.READY
    assert len(proven.west.changes) == before


def test_a_target_that_lost_its_tag_since_the_plan_is_not_put_aside(proven: FakeAws) -> None:
    proven.west.clusters[TARGET]["TagList"] = []
    with pytest.raises(Exception, match="without the tag aurora-restore:replaceable"):
        swap(proven)
    assert [item for item in proven.west.asked("modify_db_cluster") if "NewDBClusterIdentifier" in item] == []


def retirement_of(aws: FakeAws) -> Operation:
    found = aws.operations.find(f"{OPERATION}-retirement")
    assert found is not None
    return found


def last_look(aws: FakeAws) -> dict[str, Any]:
    to_the_end(aws)
    return aws.run(check_swap_status).details


def test_at_its_end_the_retirement_of_the_old_cluster_is_written_and_started_once(proven: FakeAws) -> None:
    starts = last_look(proven)["retirements"]
    name = f"{OPERATION}-retirement"
    assert starts == [{"name": name, "input": {"operation_id": name, "wait_seconds": 24 * 3600}}]
    row = retirement_of(proven)
    assert row.execution_arn == EXECUTION_ARN.replace("-pipeline", "-retirement") + "-retirement"
    assert (row.retires, row.identifiers.target_cluster_id) == (OPERATION, aside(proven))
    assert proven.run(check_swap_status).details["retirements"] == starts


def test_an_old_cluster_that_is_kept_for_ever_is_not_retired(aws: FakeAws, door: Door) -> None:
    assert door
    aws.has_old_target()
    up_to_the_users(aws, keep_old_hours=None)
    assert last_look(aws)["retirements"] == []
    assert aws.operations.find(f"{OPERATION}-retirement") is None


def retire(aws: FakeAws) -> None:
    aws.goes_on_as(f"{OPERATION}-retirement")
    while aws.run(delete_rds).status is not StepStatus.READY:
        aws.west.settle()
        if aws.run(check_delete_status).status is StepStatus.READY:
            return


def test_the_retirement_deletes_the_old_cluster_with_its_final_snapshot_and_nothing_else(proven: FakeAws) -> None:
    to_the_end(proven)
    name, new = aside(proven), resource_id(proven, TARGET)
    retire(proven)
    assert name not in proven.west.clusters
    assert resource_id(proven, TARGET) == new
    assert {item["DBClusterIdentifier"] for item in proven.west.instances.values()} == {TARGET}
    (taken,) = proven.west.asked("create_db_cluster_snapshot")
    assert {"Key": "aurora-restore:target-cluster-id", "Value": TARGET} in taken["Tags"], "it counts among the target's"
    assert proven.operations.find_target_record("us-west-2", name) is None


def test_the_end_of_a_retirement_is_told_and_no_restore_is_measured(
    proven: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    to_the_end(proven)
    retire(proven)
    events, arn = len(proven.bus.events), retirement_of(proven).execution_arn
    capsys.readouterr()
    sns_notification(ClosingEvent(operation_id=f"{OPERATION}-retirement", execution_arn=arn), proven.services)
    assert retirement_of(proven).status is OperationStatus.SUCCEEDED
    message = proven.topic.messages[-1]
    assert f"retirement of {aside_of(proven)} SUCCEEDED" in message["Subject"]
    assert "Final snapshot: arn:aws:rds" in message["Message"]
    assert len(proven.bus.events) == events
    assert "RestoreSucceeded" not in capsys.readouterr().out


def aside_of(aws: FakeAws) -> str:
    return retirement_of(aws).identifiers.target_cluster_id


def test_a_retirement_is_not_resumed_as_a_restore(proven: FakeAws) -> None:
    to_the_end(proven)
    event = StartEvent(operation_id="repair-1", execution_arn=SECOND_ARN, request={"resume": f"{OPERATION}-retirement"})
    with pytest.raises(OperationNotResumable, match="the retirement of what nightly-1 put aside"):
        snapshot_check(event, proven.services)


def test_the_next_swap_brings_the_retirement_of_the_older_one_forward(proven: FakeAws) -> None:
    to_the_end(proven)
    row = proven.operation
    assert row.old_target is not None
    row.old_target = row.old_target.model_copy(update={"made_by": "nightly-0"})
    older = retirement_of(proven).model_copy(update={"operation_id": "nightly-0-retirement", "version": 0})
    proven.operations.create(older)
    proven.operations.save(row)
    first, *_ = proven.run(check_swap_status).details["retirements"]
    assert first["input"] == {"operation_id": "nightly-0-retirement", "wait_seconds": 0}
    assert not first["name"].endswith("-retirement"), "that may be the name of another run's"
    forward = proven.operations.find("nightly-0-retirement")
    assert forward is not None
    assert forward.execution_arn.endswith(f":aurora-restore-retirement:{first['name']}")


def test_ten_swaps_in_a_row_leave_one_cluster_and_the_snapshots_that_are_kept(aws: FakeAws, door: Door) -> None:
    assert door
    aws.has_old_target()
    for night in range(1, 11):
        name = f"night-{night}"
        arn = EXECUTION_ARN.replace(OPERATION, name)
        up_to_the_users(aws, arn, name)
        to_the_end(aws, arn, name)
        aws.run(archive_snapshot)
        sns_notification(ClosingEvent(operation_id=name, execution_arn=arn), aws.services)
        aws.goes_on_as(f"{name}-retirement")
        while aws.run(delete_rds).status is not StepStatus.READY:
            aws.west.settle()
            if aws.run(check_delete_status).status is StepStatus.READY:
                break
        retirement = aws.operation
        sns_notification(
            ClosingEvent(operation_id=retirement.operation_id, execution_arn=retirement.execution_arn), aws.services
        )
    assert set(aws.west.clusters) == {TARGET}
    assert set(aws.west.instances) == {"staging-1", "staging-2"}
    kept = [name.rpartition("-staging-")[0] for name in aws.west.snapshots]
    assert kept.count("aurora-restore-copy") == 3
    # The last retirement came after the last pruning.
    assert kept.count("aurora-restore-final") == 4
    assert aws.operations.locks == {}
