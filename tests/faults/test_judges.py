"""The sweep's own judgement: which cases there are, what an audit trail lacks, what breaks an invariant."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults import audit, observer
from tests.faults.__main__ import right_before
from tests.faults.cases import KINDS, SQL_KINDS, cases, locations, round_trips
from tests.faults.picture import differences
from tests.faults.sweep import Verdict
from tests.integration.stage.outcome import ApiCall

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
    swept = cases(found, round_trips([["SELECT 1", "COMMIT"], ["SELECT 1", "ROLLBACK"]]))
    assert len(swept) == 5 * len(KINDS) + len(SQL_KINDS)
    assert len({case.case_id for case in swept}) == len(swept)


def test_a_sweep_goes_on_where_an_earlier_one_stopped(tmp_path: Path) -> None:
    results = tmp_path / "cases.jsonl"
    swept = cases(locations([[invocation("sns:Publish")]]), [])
    assert right_before(None, swept) == right_before(results, swept) == []
    verdicts = [Verdict.WRONG, Verdict.SURVIVED, Verdict.RESUMED, Verdict.NOT_REACHED]
    lines = [{"case": case.case_id, "verdict": verdict} for case, verdict in zip(swept, verdicts, strict=False)]
    results.write_text("\n".join(map(json.dumps, lines)) + "\n")
    assert [(item.case, item.verdict) for item in right_before(results, swept)] == [
        (swept[1], Verdict.SURVIVED),
        (swept[2], Verdict.RESUMED),
    ]


def test_a_round_trip_is_known_by_the_kinds_of_statements_before_it_in_its_transaction() -> None:
    proof = ["BEGIN", "SELECT", "SAVEPOINT", "SELECT", "SAVEPOINT", "SELECT", "SAVEPOINT", "SAVEPOINT", "COMMIT"]
    found = round_trips([["LOGIN", *proof, "BEGIN", "SAVEPOINT"]] * 2)
    assert [(trip.number, trip.statement) for trip in found] == [
        (1, "LOGIN"),
        (2, "BEGIN"),
        (3, "SELECT"),
        (4, "SAVEPOINT"),
        (5, "SELECT"),
        (6, "SAVEPOINT"),
        (7, "SELECT"),
        (8, "SAVEPOINT"),
        (10, "COMMIT"),
        (11, "BEGIN"),
        (12, "SAVEPOINT"),
    ]


def test_calls_of_different_branches_have_different_names() -> None:
    found = locations([[invocation("rds:A", "rds:X"), invocation("rds:B", "rds:X")]])
    ids = [case.case_id for case in cases(found, []) if case.kind.name == "killed"]
    assert ids == [
        "copy-snapshot/01-A/1/killed",
        "copy-snapshot/02-X/1/killed",
        "copy-snapshot/01-B/1/killed",
        "copy-snapshot/02-X/1~2/killed",
    ]


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
