"""The sweep's own judgement: which cases there are, what an audit trail lacks, what breaks an invariant."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_cloud.aurora.postgres.proxy.doorkeeper import path_to
from tests.faults.__main__ import right_before
from tests.faults.cases import ANSWER, ENDED, ROLL_BACK, Case, Location, cases, locations, round_trips, together
from tests.faults.judges import audit, observer
from tests.faults.judges.evidence import problems_of_evidence
from tests.faults.judges.messages import is_of
from tests.faults.judges.picture import differences, serving, without_finals_taken_anew
from tests.faults.kinds import KINDS, SQL_KINDS
from tests.faults.packing import Density, in_few_runs, step_of
from tests.faults.pool import each_once
from tests.faults.sample import sample, steps_of
from tests.faults.situations import AFTERWARDS, RETIREMENT, SITUATIONS
from tests.faults.sweep import Baseline, Verdict, stops_expected
from tests.integration.stage.mailbox import Message
from tests.integration.stage.outcome import ApiCall
from utils.identifiers import digest_of

OPERATION = {"aurora-restore:managed": "true", "aurora-restore:operation-id": "nightly"}
OLD = {"arn": "arn:aws:rds:us-west-2:1:cluster:staging", "resource_id": "cluster-OLD", "status": "available"}
FINAL = {"arn": "final", "resource_id": "cluster-OLD", "tags": OPERATION | {"aurora-restore:role": "final"}}
COPY = {"arn": "copy", "resource_id": "cluster-PROD", "tags": OPERATION | {"aurora-restore:role": "copy"}}


def invocation(*path: str) -> dict[str, Any]:
    return {"function": "aurora-restore-copy-snapshot", "path": list(path)}


def deletion(*snapshots: dict[str, Any], tags: dict[str, str] | None = None, **other: Any) -> ApiCall:
    cluster = OLD | {"tags": {"aurora-restore:replaceable": "true"} if tags is None else tags}
    facts: dict[str, Any] = {
        "time": "2026-11-22T03:00:00Z",
        "caller": "arn:aws:sts::1:assumed-role/aurora-restore-delete-rds-us-west-2/x",
        "account_id": "1",
        "region": "us-west-2",
        "operation": "DeleteDBCluster",
        "parameters": {"DBClusterIdentifier": "staging"},
        "outcome": "OK",
        "message": "",
        "before": {"named": [cluster], "clusters": [cluster], "snapshots": list(snapshots)},
    }
    return ApiCall(**facts | other)


def test_every_call_is_swept_with_every_kind_however_often_it_was_looked() -> None:
    look = invocation("dynamodb:GetItem@t", "rds:DescribeDBClusters")
    done = invocation("dynamodb:GetItem@t", "rds:DescribeDBClusters", "sns:Publish")
    found = locations([[look, look, look, done], [look, done]])
    assert [(item.call, item.occurrence) for item in found] == [
        ("dynamodb:GetItem@t", 1),
        ("dynamodb:GetItem@t", 2),
        ("rds:DescribeDBClusters", 1),
        ("rds:DescribeDBClusters", 2),
        ("sns:Publish", 1),
    ]
    swept = cases("replace", found, round_trips([paths("SELECT 1", "COMMIT"), paths("SELECT 1", "ROLLBACK")]))
    assert len(swept) == 5 * len(KINDS) + len(SQL_KINDS)
    assert len({case.case_id for case in swept}) == len(swept)


def test_a_sweep_goes_on_where_an_earlier_one_stopped(tmp_path: Path) -> None:
    results = tmp_path / "cases.jsonl"
    swept = cases("replace", locations([[invocation("sns:Publish")]]), [])
    assert right_before(None, swept) == right_before(results, swept) == []
    verdicts = [Verdict.WRONG, Verdict.SURVIVED, Verdict.RESUMED, Verdict.NOT_REACHED]
    lines = [{"case": case.case_id, "verdict": verdict} for case, verdict in zip(swept, verdicts, strict=False)]
    results.write_text("\n".join(map(json.dumps, lines)) + "\n")
    assert [(item.case, item.verdict) for item in right_before(results, swept)] == [
        (swept[1], Verdict.SURVIVED),
        (swept[2], Verdict.RESUMED),
    ]


def paths(*statements: str) -> list[tuple[str, ...]]:
    """Return the paths of statements that follow each other."""
    found: list[tuple[str, ...]] = []
    for statement in statements:
        found.append(path_to(statement, found[-1] if found else ()))
    return found


def test_a_round_trip_is_known_by_what_its_transaction_had_changed_before() -> None:
    once = paths("LOGIN", "BEGIN", "SELECT", "SAVEPOINT", "SELECT", "GRANT", "SELECT", "SAVEPOINT", "COMMIT", "BEGIN")
    found = round_trips([[*once, ("BEGIN", "SAVEPOINT")], [*once, ("BEGIN", "GRANT")]])
    assert [(trip.number, trip.statement) for trip in found] == [
        (1, "LOGIN"),
        (2, "BEGIN"),
        (3, "SELECT"),
        (4, "SAVEPOINT"),
        (6, "GRANT"),
        (7, "SELECT"),
        (8, "SAVEPOINT"),
        (9, "COMMIT"),
    ]
    fault = Case("replace/x", found[5], SQL_KINDS[0]).fault("nightly", "lane")
    assert fault["path"] == ("BEGIN", "SELECT", "SAVEPOINT", "GRANT", "SELECT")


def test_round_trips_to_the_old_data_begin_after_the_turn_and_are_not_refused() -> None:
    found = round_trips(
        [[("LOGIN",), ("LOGIN", "SELECT")] * 2] * 2, "setup-db-users-back", first=3, may_be_refused=True
    )
    assert [(trip.number, trip.statement) for trip in found] == [(3, "LOGIN"), (4, "SELECT")]
    assert {trip.occurrence for trip in found} == {2}
    kinds = {case.kind.name for case in cases("brought-back", [], found)}
    assert kinds == {kind.name for kind in SQL_KINDS} - {"sql-denied"}


def test_calls_of_different_branches_have_different_names() -> None:
    found = locations([[invocation("rds:A", "rds:X"), invocation("rds:B", "rds:X")]])
    ids = [case.case_id for case in cases("replace", found, []) if case.kind.name == "killed"]
    assert ids == [
        "replace/copy-snapshot/01-A/1/killed",
        "replace/copy-snapshot/02-X/1/killed",
        "replace/copy-snapshot/01-B/1/killed",
        "replace/copy-snapshot/02-X/1~2/killed",
    ]


@pytest.mark.parametrize(
    ("keys", "asked", "closes"),
    [
        (["operation_id", "execution_arn", "redrive_count"], "", True),
        (["operation_id", "answer"], ANSWER, False),
        (["operation_id", "roll_back"], ROLL_BACK, False),
        (["detail", "detail-type", "source"], ENDED, True),
    ],
)
def test_a_step_that_is_asked_for_something_else_is_another_point(keys: list[str], asked: str, closes: bool) -> None:
    recorded = {"function": "aurora-restore-sns-notification", "event_keys": keys, "path": ["sns:Publish"]}
    [found] = locations([[recorded]])
    assert (found.asked, found.closes) == (asked, closes)
    assert Case("replace/x", found, KINDS[0]).fault("nightly", "lane")["event_keys"] == tuple(keys)


def test_after_a_turn_back_the_same_call_is_another_point_and_only_hit_there() -> None:
    turn = {"function": "aurora-restore-delete-rds", "event_keys": ["error", "failed_step"], "path": ["rds:A"]}
    recording = [invocation("rds:X"), turn, invocation("rds:X"), invocation("rds:X", "rds:Y")]
    found = locations([recording], turn_back=True)
    assert [(item.step, item.call, item.occurrence) for item in found] == [
        ("copy-snapshot", "rds:X", 1),
        ("delete-rds-failure", "rds:A", 1),
        ("copy-snapshot-back", "rds:X", 1),
        ("copy-snapshot-back", "rds:X", 2),
        ("copy-snapshot-back", "rds:Y", 1),
    ]
    before, *_, after = (Case("x/y", item, KINDS[0]).fault("nightly", "lane")["after"] for item in found)
    assert (before, after) == (None, ("error", "failed_step"))
    assert len({SITUATIONS[0].sameness(item) for item in found}) == 4
    assert not [item for item in locations([recording]) if item.after]


def recorded_in(situation: str, *found: Location) -> Baseline:
    [wanted] = [item for item in SITUATIONS if item.name == situation]
    return Baseline(situation=wanted, world={}, rows={}, steps={}, locations=list(found), round_trips=[])


def call_of(step: str, *keys: str, of: str = "") -> Location:
    return Location(f"aurora-restore-{step}", ("rds:DescribeDBClusters",), 1, keys, of)


def test_the_same_call_is_swept_in_the_first_situation_that_has_it() -> None:
    look, closing = call_of("check-copy-status"), call_of("sns-notification", "error", "failed_step")
    answer, of_another = call_of("sns-notification", "answer"), call_of("check-copy-status", of=RETIREMENT)
    found = each_once(
        [
            recorded_in("rejected", look, closing, answer),
            recorded_in("unanswered", closing),
            recorded_in("swap", look, of_another),
            recorded_in("undo", look),
            recorded_in("brought-back", look, answer),
        ]
    )
    assert [item.locations for item in found] == [[look, closing, answer], [closing], [of_another], [look], [answer]]


def test_a_later_situation_sweeps_only_what_follows_other_changes() -> None:
    def delete(*calls: str) -> Location:
        return Location("aurora-restore-delete-rds", calls, 1)

    taken = delete("rds:DescribeDBClusters", "rds:DescribeDBClusters")
    read_otherwise = delete("kms:DescribeKey", "rds:DescribeDBClusters")
    once_more = delete("rds:DescribeDBClusters", "rds:DescribeDBClusters", "rds:DescribeDBClusters")
    changed = delete("rds:DescribeDBClusters", "rds:DeleteDBInstance", "rds:DescribeDBClusters")
    first = recorded_in("replace", delete("rds:DescribeDBClusters"), taken)
    found = each_once([first, recorded_in("clone", read_otherwise, once_more, changed)])
    assert [item.locations for item in found] == [first.locations, [once_more, changed]]


def test_the_sample_has_every_step_and_every_kind_in_few_runs() -> None:
    steps = [call_of(f"step-{number}") for number in range(50)]
    trips = round_trips([paths("LOGIN", "BEGIN", "SELECT", "COMMIT")] * 2)
    swept = [*cases("replace", steps, trips), *cases("swap", [call_of("delete-rds", of=RETIREMENT)], [])]
    chosen = sample(swept)
    assert steps_of(chosen) == steps_of(swept)
    assert {case.kind for case in chosen} == {*KINDS, *SQL_KINDS}
    assert len(in_few_runs(chosen)) < len(chosen) / 4


def test_what_stops_a_run_is_never_beside_what_does_not_and_no_case_is_lost() -> None:
    steps = [Location(f"aurora-restore-step-{number}", ("rds:A",) * 9, 1) for number in range(9)]
    calls = [replace(step, path=step.path[:length]) for step in steps for length in range(1, 9)]
    trips = round_trips([paths("LOGIN", "BEGIN", "SELECT", "COMMIT")] * 2)
    swept = [
        *cases("replace", calls, trips),
        *cases("rolled-back", calls[:3], []),
        *cases("brought-back", calls[:3], []),
        *cases("swap", calls[:9], []),
    ]
    for density in Density:
        runs = in_few_runs(swept, density)
        assert sorted(one.case_id for run in runs for one in run.faults) == sorted(case.case_id for case in swept)
        for run in runs:
            assert len({one.situation for one in run.faults}) == 1
            assert len({one.kind.is_permanent for one in run.faults}) == 1
    several, one, alone = (in_few_runs(swept, density) for density in Density)
    assert len(several) < len(one) / 3
    assert all(len({step_of(case) for case in run.faults}) == len(run.faults) for run in one)
    assert not any(run.also for run in alone)
    taking_back = {"rolled-back", "brought-back"}
    denied = [run for run in several if run.situation in taking_back and run.kind.is_permanent]
    assert not any(run.also for run in denied), "gone on with, it comes to another end"


def test_a_step_is_not_killed_more_often_than_it_is_tried() -> None:
    statements = ["LOGIN", *(f"SELECT {word}" for word in "abcdefghijklmnopqrstuvwxyz"), "COMMIT"]
    trips = round_trips([paths(*statements)] * 2)
    step = Location("aurora-restore-setup-db-users", ("rds:A",), 1)
    for run in in_few_runs(cases("replace", [step, replace(step, path=("rds:A", "rds:B"))], trips)):
        assert sum(one.kind.kills for one in run.faults) <= 5


def test_what_stops_a_drill_is_not_beside_what_stops_its_clean_up() -> None:
    swept = cases("drill", [call_of("copy-snapshot"), call_of("delete-rds", of=AFTERWARDS)], [])
    runs = [run for run in in_few_runs(swept) if run.kind.is_permanent]
    assert [[one.location.of for one in run.faults] for run in runs] == [[""], [AFTERWARDS]]


def test_whichever_cluster_serves_only_whose_run_made_it_may_differ() -> None:
    def picture(made_by: str, size: str) -> dict[str, Any]:
        tags = {"aurora-restore:operation-id": made_by, "aurora-restore:role": "target"}
        return {"cluster": {"tags": tags}, "instances": [{"size": size, "tags": tags}], "database": {}, "lock": None}

    one, other = picture("<earlier>", "big"), picture("<operation>", "big")
    assert differences(one, other) != differences(serving(one), serving(other)) == []
    assert differences(serving(one), serving(picture("<operation>", "small"))) != []
    assert one == picture("<earlier>", "big")


def test_a_run_stops_once_for_each_call_that_is_denied_and_once_for_all_functions_that_are_asked_at_once() -> None:
    asked = [call_of("copy-snapshot", "verify"), call_of("delete-rds", "verify")]
    wanted = [call_of("copy-snapshot"), call_of("sns-notification"), *asked]
    faults = [case for case in cases("replace", wanted, []) if case.kind.name in ("denied", "killed")]
    assert stops_expected(together(faults)) == 2, "the last step goes on"


def test_once_the_old_data_is_back_no_denial_stops_the_run() -> None:
    rows = ("dynamodb:PutItem@aurora-restore-audit", "dynamodb:PutItem@aurora-restore-state")
    for path, stops in ((rows[:1], 1), ((*rows, rows[0]), 0)):
        where = Location("aurora-restore-setup-db-users", path, 1, after=("error", "failed_step"))
        [denied] = [case for case in cases("brought-back", [where], []) if case.kind.is_permanent]
        assert stops_expected(denied) == stops


def test_a_plan_warns_of_a_key_that_it_could_not_bring_the_old_data_back_with() -> None:
    look = Location("aurora-restore-snapshot-check", ("kms:DescribeKey",), 1)
    for situation, stops in (("brought-back", 0), ("rejected", 1)):
        [denied] = [case for case in cases(situation, [look], []) if case.kind.is_permanent]
        assert stops_expected(denied) == stops


def test_the_old_data_comes_back_without_a_setting_that_is_refused_but_not_without_its_protection() -> None:
    change = "rds:ModifyDBCluster"
    for path, stops in (((change,), 0), ((change, change), 1)):
        where = Location("aurora-restore-restore-snapshot", path, 1, after=("error", "failed_step"))
        [denied] = [case for case in cases("brought-back", [where], []) if case.kind.is_permanent]
        assert stops_expected(denied) == stops


def test_a_plan_tells_all_looks_that_are_denied_at_once() -> None:
    looks = [replace(call_of("snapshot-check"), path=(name,)) for name in ("rds:A", "rds:B")]
    denied = [case for case in cases("replace", [*looks, call_of("delete-rds")], []) if case.kind.is_permanent]
    assert stops_expected(together(denied)) == 2


@pytest.mark.parametrize("may_be_missing", [True, False])
def test_a_row_without_a_folder_says_why_there_is_no_evidence(may_be_missing: bool) -> None:
    row = {"plan": {}, "evidence": {"folder": None, "error": "AccessDenied"}}
    world = SimpleNamespace(row=lambda _: row)
    run: Any = SimpleNamespace(operations=["nightly"], laboratory=SimpleNamespace(world=world))
    step = call_of("sns-notification" if may_be_missing else "copy-snapshot")
    [denied] = [case for case in cases("replace", [step], []) if case.kind.is_permanent]
    expected = [] if may_be_missing else ["no evidence of nightly: AccessDenied"]
    assert problems_of_evidence(run, denied) == expected


def test_a_deletion_with_both_snapshots_available_is_right() -> None:
    assert observer.violations([deletion(FINAL | {"status": "available"}, COPY | {"status": "available"})]) == []


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (deletion(FINAL | {"status": "creating"}, COPY | {"status": "available"}), "without an available final"),
        (deletion(COPY | {"status": "available"}), "without an available final"),
        (
            deletion(FINAL | {"status": "available", "resource_id": "cluster-OTHER"}, COPY | {"status": "available"}),
            "without an available final",
        ),
        (deletion(FINAL | {"status": "available"}, COPY | {"status": "copying"}), "before the snapshot to be restored"),
        (
            deletion(FINAL | {"status": "available"}, COPY | {"status": "available"}, tags={}),
            "something without our tags",
        ),
        (
            deletion(FINAL | {"status": "available"}, COPY | {"status": "available"}, region="us-east-1"),
            "in the source Region",
        ),
    ],
)
def test_what_breaks_an_invariant_is_seen(call: ApiCall, problem: str) -> None:
    assert problem in " ".join(observer.violations([call]))


def test_a_target_that_was_given_up_needs_no_final_snapshot() -> None:
    call = deletion(COPY | {"status": "available"})
    assert observer.violations([call], opted_out=frozenset({"staging"})) == []


def test_a_new_cluster_that_failed_goes_while_the_old_datas_final_snapshot_is_available() -> None:
    tags = OPERATION | {"aurora-restore:role": "target"}
    old_data = FINAL | {"resource_id": "cluster-OLDER"}
    calls = {
        status: deletion(old_data | {"status": status}, COPY | {"status": "available"}, tags=tags)
        for status in ("available", "deleting")
    }
    failed = frozenset({"cluster-OLD"})
    assert observer.violations([calls["available"]], failed=failed) == []
    assert "while the old data's final snapshot" in observer.violations([calls["deleting"]], failed=failed)[0]
    assert "without an available final" in observer.violations([calls["available"]])[0]


def of_a_swap(cluster_id: str, *snapshots: dict[str, Any]) -> ApiCall:
    tags = OPERATION | {"aurora-restore:role": "target", "aurora-restore:target-cluster-id": "staging"}
    cluster = OLD | {"arn": f"arn:aws:rds:us-west-2:1:cluster:{cluster_id}", "tags": tags}
    return deletion(before={"named": [cluster], "clusters": [cluster], "snapshots": list(snapshots)})


def test_what_never_had_the_targets_name_goes_without_a_final_snapshot() -> None:
    assert observer.violations([of_a_swap("staging-new")]) == []


def test_what_a_swap_has_put_aside_goes_with_a_final_snapshot_only() -> None:
    tags = OPERATION | {"aurora-restore:role": "final", "aurora-restore:target-cluster-id": "staging"}
    final = FINAL | {"status": "available", "tags": tags}
    assert observer.violations([of_a_swap("staging-old-1", final)]) == []
    [problem] = observer.violations([of_a_swap("staging-old-1")])
    assert "without an available final" in problem


def test_what_a_drill_made_goes_without_a_final_snapshot_and_nothing_that_is_named_like_it() -> None:
    tags = OPERATION | {"aurora-restore:role": "target"}
    for name, is_right in ((f"staging-drill-{digest_of('nightly')}", True), ("staging-drill-12345678", False)):
        cluster = OLD | {"arn": f"arn:aws:rds:us-west-2:1:cluster:{name}", "tags": tags}
        found = observer.violations([deletion(before={"named": [cluster], "clusters": [cluster], "snapshots": []})])
        assert (found == []) is is_right


def test_only_a_run_that_restores_its_source_where_it_is_deletes_without_a_copy() -> None:
    call = deletion(FINAL | {"status": "available"})
    assert observer.violations([call], uncopied=frozenset({"nightly"})) == []
    assert "before the snapshot to be restored" in observer.violations([call], uncopied=frozenset({"weekly"}))[0]


@pytest.mark.parametrize(
    ("operation", "role", "is_right"),
    [
        ("CreateDBClusterSnapshot", "source", True),
        ("CreateDBClusterSnapshot", "copy", False),
        ("DeleteDBClusterSnapshot", "source", True),
        ("DeleteDBClusterSnapshot", "copy", False),
        ("ModifyDBCluster", "source", False),
    ],
)
def test_in_the_source_region_a_run_makes_and_deletes_its_own_snapshots_only(
    operation: str, role: str, is_right: bool
) -> None:
    tags = OPERATION | {"aurora-restore:role": role}
    wanted = {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    before = {"named": [{"arn": "x", "tags": tags}], "clusters": [], "snapshots": []}
    found = observer.violations([deletion(operation=operation, region="us-east-1", parameters=wanted, before=before)])
    assert (["a change in the source Region" in line for line in found] == []) is is_right


def rows(*events: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"step": step, "event": event, "status": "", "timestamp": f"{number:03}"}
        for number, (step, event) in enumerate(events)
    ]


def test_an_audit_trail_without_gaps() -> None:
    trail = rows(("Copy", "ENTERED"), ("Copy", "FAILED"), ("Copy", "ENTERED"), ("Copy", "LEFT"))
    assert audit.gaps(trail, ends_are_certain=True) == []
    assert audit.steps_done(trail) == ["Copy"]


@pytest.mark.parametrize(
    ("trail", "problem"),
    [
        (rows(("Copy", "LEFT")), "Copy LEFT without having been entered"),
        (rows(("Copy", "ENTERED")), "Copy was entered 1 time(s) without an end"),
        ([*rows(("Copy", "ENTERED"), ("Copy", "LEFT"))][::-1], "not in the order of time"),
    ],
)
def test_a_gap_in_the_audit_trail_is_seen(trail: list[dict[str, Any]], problem: str) -> None:
    assert problem in " ".join(audit.gaps(trail, ends_are_certain=True))


def test_a_killed_step_may_have_no_end() -> None:
    assert audit.gaps(rows(("Copy", "ENTERED")), ends_are_certain=False) == []


def test_differences_name_the_place() -> None:
    one, other = {"a": [1, {"b": 2}], "c": None}, {"a": [1, {"b": 3}], "c": None}
    assert differences(one, other) == ["a[1].b: 3 instead of 2"]
    assert differences(one, {"a": [1]}) == ["a: [1] instead of [1, {'b': 2}]"]


def test_a_message_is_its_targets_even_if_it_names_copies_of_others() -> None:
    waits = Message("Aurora restore WAITS FOR APPROVAL: lane-004", "not chosen: aurora-restore-copy-lane-005-1a2b")
    early = Message("Aurora restore FAILED: InvalidRequest", "operation-00007 did not start")
    assert is_of("lane-004", ["operation-00006"], waits)
    assert not is_of("lane-005", ["operation-00007"], waits)
    assert is_of("lane-005", ["operation-00007"], early)
    old = f"lane-004-old-{digest_of('operation-00006')}"
    retired = Message(f"Aurora restore: retirement of {old} SUCCEEDED", "")
    assert is_of("lane-004", ["operation-00006", "operation-00006-retirement"], retired)
    assert not is_of("lane-004", ["operation-00008", "operation-00008-retirement"], retired)


@pytest.mark.parametrize(("most", "left"), [(0, 3), (1, 2), (2, 1), (3, 1)])
def test_a_resumption_may_leave_one_more_final_snapshot_like_the_wanted_one(most: int, left: int) -> None:
    final = {"status": "available", "tags": {"owner": "sweep"}}
    wanted = {"snapshots": {"copy": [], "final": [final]}}
    found = {"snapshots": {"copy": [], "final": [final] * 3}}
    assert without_finals_taken_anew(found, wanted, most)["snapshots"] == {"copy": [], "final": [final] * left}


def test_a_final_snapshot_unlike_the_wanted_one_is_never_left_out() -> None:
    final = {"status": "available", "tags": {"owner": "sweep"}}
    wanted, found = {"snapshots": {"final": [final]}}, {"snapshots": {"final": [final, final | {"status": "failed"}]}}
    assert without_finals_taken_anew(found, wanted, 2) == found
