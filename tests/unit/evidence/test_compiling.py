"""What the evidence of an operation says, and what it admits."""

import json

import pytest

from tests.unit.evidence.runs import BROKEN, a_request, a_restore, at, rows
from tests.unit.operations import AT, an_operation
from utils.evidence.compiling import evidence_of
from utils.evidence.markdown import markdown_of
from utils.evidence.model import Evidence, Result
from utils.evidence.page import page_of
from utils.operation.model import Operation, OperationStatus, UsersRecord
from utils.restore_type import RestoreType


def evidence(operation: Operation) -> Evidence:
    return evidence_of(operation, rows(), at(35))


def test_a_restore_is_told_with_its_source_its_target_and_what_was_proven() -> None:
    found = evidence(a_restore())

    assert found.verdict.result is Result.RESTORED
    assert found.verdict.sentence == "staging was restored from prod as of 2026-11-22 03:00 UTC; its users are proven."
    assert found.source.region == "us-east-1"
    assert (found.target.region, found.target.account_id) == ("us-west-2", "123456789012")
    assert [(user.name, user.proofs) for user in found.access.users] == [
        ("app_user", ["shop: logs in, can read, can write"])
    ]
    assert found.target.deleted == ["staging", "staging-1"]
    assert found.scripts[0].sha256 == "ab" * 32
    assert found.next.resume is None
    assert found.next.bring_back == []


def test_recovery_time_and_point_are_measured_against_the_objectives_of_the_request() -> None:
    asked = a_request(objectives={"rto_hours": 0.5, "rpo_hours": 2})

    found = evidence(a_restore(request=asked))

    assert (found.rto.target_seconds, found.rto.measured_seconds, found.rto.met) == (1800, 33 * 60, False)
    assert (found.rpo.target_seconds, found.rpo.measured_seconds, found.rpo.met) == (7200, 4500, True)
    assert "the recovery time objective was missed" in found.deviations
    assert "the recovery point objective was missed" not in found.deviations


def test_clocks_may_differ_by_a_tenth_of_the_time() -> None:
    of_rds = a_restore().users
    assert of_rds is not None
    told = [
        evidence(a_restore(users=of_rds.model_copy(update={"finished_at": at(minutes)}))).deviations
        for minutes in (32.5 * 1.1 - 0.01, 32.5 * 1.1 + 0.01)
    ]
    assert [any("the clocks ran apart" in line for line in lines) for lines in told] == [False, True]


def test_without_an_objective_nothing_is_met_or_missed() -> None:
    found = evidence(a_restore())
    assert (found.rto.target_seconds, found.rto.met) == (None, None)
    assert (found.rpo.measured_seconds, found.rpo.met) == (4500, None)


def test_whose_clock_measured_what_is_said() -> None:
    found = evidence(a_restore())
    assert found.rto.measured.startswith("by RDS's clock, ")
    assert "by the functions' own clocks." in page_of(found)


def test_a_recovery_time_that_the_timeline_does_not_confirm_is_a_deviation() -> None:
    # RDS's clock as it is, and one that runs twice as fast.
    of_rds = a_restore().users
    assert of_rds is not None
    fast = a_restore(users=of_rds.model_copy(update={"finished_at": at(66)}))
    said = "the clocks ran apart: recovery took 1 h 06 min by RDS's clock, 32 min 30 s by the functions'"
    assert said in evidence(fast).deviations
    assert said in page_of(evidence(fast)).replace("&#39;", "'")
    assert not any("clocks" in deviation for deviation in evidence(a_restore()).deviations)


@pytest.mark.parametrize("minutes", [30, 35])
def test_clocks_that_are_apart_by_little_are_no_deviation(minutes: float) -> None:
    of_rds = a_restore().users
    assert of_rds is not None
    near = a_restore(users=of_rds.model_copy(update={"finished_at": at(minutes)}))
    assert not any("clocks" in deviation for deviation in evidence(near).deviations)


def test_work_and_waiting_are_apart_and_a_call_that_was_cut_off_is_no_work() -> None:
    timeline = evidence(a_restore()).timeline

    assert [phase.name for phase in timeline] == ["check", "copy", "delete", "users"]
    copy, delete = timeline[1], timeline[2]
    assert (copy.started_at, copy.finished_at) == (at(1), at(10))
    assert (copy.work_seconds, copy.waiting_seconds) == (90, 450)
    assert (delete.work_seconds, delete.waiting_seconds) == (30, 120)


def test_each_step_is_told_with_in_whose_name_it_ran_and_what_it_called() -> None:
    hands = {hand.step: hand for hand in evidence(a_restore()).hands}

    copied = hands["Check Copy Status"]
    assert copied.runs == 2
    assert copied.calls == {"dynamodb:PutItem": 2, "rds:DescribeDBClusterSnapshots": 2}
    assert copied.actors == ["arn:aws:states:us-west-2:123456789012:execution:pipeline:nightly-1"]
    assert hands["SNS Notification"].runs == 1


def test_what_was_not_tested_follows_from_what_was_asked_and_reached() -> None:
    whole = a_restore(request=a_request(checks=[{"name": "n", "database": "shop", "sql": "SELECT 1", "expect": 1}]))
    asked, unasked = "What is in the copy: the request has no checks.", "Whether personal data is masked"

    assert asked in evidence(a_restore()).not_tested
    assert asked not in evidence(whole).not_tested
    assert any(line.startswith(unasked) for line in evidence(whole).not_tested)
    broken = an_operation(status=OperationStatus.FAILED, error=BROKEN, request=whole.request)
    told = evidence(broken).not_tested
    assert told[0] == "Whether the snapshot can be restored: the run ended before a cluster was complete."
    assert "1 checks of the request: they were not asked." in told


def test_indexes_are_said_to_be_untested_unless_the_request_names_a_database_for_amcheck() -> None:
    untested = "Whether indexes fit their tables: the request names no database for amcheck."
    assert untested in evidence(a_restore()).not_tested
    assert untested not in evidence(a_restore(request=a_request(health={"amcheck": ["shop"]}))).not_tested


def test_a_run_that_failed_is_evidence_too_and_says_how_to_go_on() -> None:
    found = evidence(an_operation(status=OperationStatus.FAILED, error=BROKEN, finished_at=at(20)))

    assert found.verdict.result is Result.FAILED
    assert found.verdict.error == BROKEN
    assert "RestoreFailed at Check Restore Status" in found.verdict.sentence
    assert found.next.resume == "./restore.sh resume nightly-1"
    assert found.deviations[0] == "failed: RestoreFailed"
    assert found.rto.measured_seconds is None


def test_a_failure_that_a_resumption_mended_is_no_deviation() -> None:
    found = evidence(a_restore(error=BROKEN))

    assert found.verdict.result is not Result.FAILED
    assert not any(told.startswith("failed: ") for told in found.deviations)


def test_a_dry_run_is_evidence_of_a_plan_only() -> None:
    found = evidence(an_operation(status=OperationStatus.SUCCEEDED, request=a_request(dry_run=True)))

    assert found.verdict.result is Result.PLANNED
    assert found.not_tested[0].startswith("Anything but the plan")


def test_what_needs_a_person_is_a_deviation() -> None:
    users = UsersRecord(unknown_logins=["gone"], outbound=["shop: dblink"], outbound_closed=False)
    assert "for a person: shop: invalid indexes: i" in evidence(a_restore()).deviations
    assert "production's login is kept: auditor" in evidence(a_restore()).deviations
    told = evidence(a_restore(users=users)).deviations
    assert {"not found, of keep_logins: gone", "ways out of the copy are open"} <= set(told)


def test_report_json_is_read_back_as_what_was_written() -> None:
    found = evidence(a_restore())
    assert Evidence.model_validate_json(found.as_text()) == found
    assert json.loads(found.as_text())["version"] == "1"
    assert found.next.reproduce["source"]["cluster_id"] == "prod"


def test_a_report_that_was_signed_before_a_field_came_is_still_read() -> None:
    before = json.loads(evidence(a_restore()).as_text())
    for part, name in ((before, "costs"), (before["source"], "restore_type")):
        part.pop(name)

    assert "staging was restored from prod" in markdown_of(Evidence.model_validate(before))


def test_in_markdown_nothing_is_markup_that_came_from_elsewhere() -> None:
    planted = UsersRecord(proofs={"a|b": ["<script>alert(1)</script>\n# x"]}, finished_at=AT, master_reset_at=AT)

    text = markdown_of(evidence(a_restore(users=planted)))

    assert "<script" not in text
    assert r"| a\|b | &lt;script&gt;alert(1)&lt;/script&gt; # x |" in text
    assert "## ✅ staging was restored from prod" in text
    assert "| copy | 1 min 30 s | 7 min 30 s | 0 s |" in text


def test_in_markdown_a_section_is_there_if_it_says_something() -> None:
    text = markdown_of(evidence(a_restore()))
    assert "### Checks\n\n| check | expected | found | holds |\n" in text
    assert "| customers | at least 10 | 12 | yes |" in text
    assert "| Source | prod, snapshot prod-nightly (us-east-1, 123456789012) |" in text
    bare = markdown_of(evidence(a_restore(users=UsersRecord(finished_at=AT, master_reset_at=AT))))
    assert "### Checks" not in bare
    assert "### Users" not in bare


def test_in_markdown_a_clone_has_no_snapshot() -> None:
    snapshot = a_restore().snapshot.model_copy(update={"restore_type": RestoreType.COPY_ON_WRITE})
    assert "| Source | prod itself, copy-on-write (us-east-1," in markdown_of(evidence(a_restore(snapshot=snapshot)))


def test_the_evidence_of_a_drill_says_that_it_was_one_and_what_that_leaves_out() -> None:
    names = a_restore().identifiers.model_copy(update={"target_cluster_id": "staging-drill-1", "drill_of": "staging"})
    told = evidence(a_restore(identifiers=names))

    assert told.verdict.sentence.endswith("It was a drill for staging: what it made does not stay.")
    assert any(line.startswith("What hangs on staging (endpoints") for line in told.not_tested)
    assert any("its clean-up ends after this" in line for line in told.not_tested)
