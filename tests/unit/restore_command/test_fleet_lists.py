"""A fleet whose list is in S3: read and judged first, and not trusted once it was written again."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from deployment.account import Refused
from restore_command.exit_codes import SUCCEEDED, USAGE
from restore_command.fleet import commands, lists
from tests.unit.operations import REQUEST, an_operation
from tests.unit.restore_command import desk as desks
from tests.unit.restore_command.desk import NOW, Desk, FakeStates, execution
from utils.operation.model import OperationStatus

PLACE = "s3://lists/fleets/weekly.json"
TWO = [{**REQUEST, "target": {"cluster_id": name}} for name in ("one", "two")]


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def a_desk_with(content: object, states: FakeStates | None = None) -> Desk:
    """Return a pipeline beside whose stack that list is in S3."""
    desk = Desk(states)
    s3 = desk.pipeline.account.client("s3")
    s3.create_bucket(Bucket="lists", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    text = content if isinstance(content, str) else json.dumps(content)
    s3.put_object(Bucket="lists", Key="fleets/weekly.json", Body=text.encode())
    return desk


def request_for(place: str = PLACE, **more: Any) -> str:
    return json.dumps({"operations_from": place, **more})


def a_fleet_of_a_list(began: datetime, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a pipeline whose fleet began then, and has restored the first of two."""
    monkeypatch.setattr(desks, "NOW", began)
    desk = a_desk_with(TWO, FakeStates(status="FAILED", names=["weekly"]))
    desk.states.started = [{"input": request_for(max_concurrency=3)}]
    done = {"execution_arn": execution("weekly-001"), "created_at": began, "finished_at": began}
    desk.store.create(
        an_operation(operation_id="weekly-001").model_copy(update={**done, "status": OperationStatus.SUCCEEDED})
    )
    return desk


def test_the_fleet_gets_the_place_of_its_list_and_reads_it_itself() -> None:
    desk = a_desk_with(TWO)

    assert commands.start(desk.pipeline, desk.output(), request_for(), "weekly", watch=False) == SUCCEEDED

    asked = json.loads(desk.states.started[0]["input"])
    assert asked == {"operations_from": PLACE, "dry_run": False, "max_concurrency": 20, "tolerated_failures": 0}
    assert desk.printed.splitlines()[0] == "started weekly, 2 restores"


def test_a_list_may_be_longer_than_an_input() -> None:
    text = "SELECT " + "1" * 3900
    check = {"name": "n", "database": "d", "sql": text, "at_least": 1}
    many = [{**REQUEST, "target": {"cluster_id": f"t{number}"}, "checks": [check]} for number in range(80)]
    desk = a_desk_with(many)
    assert commands.start(desk.pipeline, desk.output(), request_for(), "weekly", watch=False) == SUCCEEDED
    assert desk.printed.splitlines()[0] == "started weekly, 80 restores"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[", "operations_from: found s3://lists/fleets/weekly.json, which is no JSON (Expecting value"),
        ({"operations": TWO}, "with a JSON dict; expected a JSON list of requests, [REQUEST, ...]"),
        ([], "operations_from: found 0 requests in s3://lists/fleets/weekly.json; expected 1 to 500"),
        ([REQUEST] * 10_000, "operations_from: found 10,000 requests in s3://lists/fleets/weekly.json; expected 1 to"),
        ([*TWO, {**REQUEST, "dryrun": 1}], "operations_from[2]: dryrun: found an unknown field"),
        ([*TWO, "three"], "operations_from[2]: found str 'three'; expected a JSON object"),
        ([*TWO, TWO[0]], "operations_from[2].target.cluster_id: found one, which operations_from[0] has as well"),
    ],
    ids=["no JSON", "no list", "empty", "10,000", "one wrong request", "one that is no request", "a target twice"],
)
def test_nothing_is_started_for_a_list_that_does_not_fit(content: object, told: str) -> None:
    desk = a_desk_with(content)
    assert commands.start(desk.pipeline, desk.output(), request_for(), "weekly", watch=False) == USAGE
    assert told in desk.noted
    assert desk.states.started == []


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("s3://others/weekly.json", "expected a list below s3://lists/fleets/ (stack parameter FleetListsBucket)"),
        ("s3://lists/fleets/", "expected a list below s3://lists/fleets/"),
        ("s3://lists/fleets/gone.json", "(there is no such object); expected a list that you and the fleet may read"),
        ("https://lists", "operations_from: String should match pattern"),
    ],
    ids=["elsewhere", "no object", "missing", "no place in S3"],
)
def test_a_list_is_read_only_from_where_fleets_may_read(place: str, told: str) -> None:
    desk = a_desk_with(TWO)
    assert commands.start(desk.pipeline, desk.output(), request_for(place), "weekly", watch=False) == USAGE
    assert told in desk.noted
    assert desk.states.started == []


def test_an_object_that_is_no_list_by_its_size_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_BYTES", 10)
    desk = a_desk_with(TWO)
    commands.start(desk.pipeline, desk.output(), request_for(), "weekly", watch=False)
    assert "bytes; expected at most 10" in desk.noted


def test_what_is_left_of_a_list_goes_on_without_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_fleet_of_a_list(datetime(2999, 1, 1, tzinfo=UTC), monkeypatch)

    commands.resume(desk.pipeline, desk.output(), "weekly", watch=False)

    asked = json.loads(desk.states.started[-1]["input"])
    assert (asked["operations"], asked["max_concurrency"]) == ([TWO[1]], 3)
    assert "operations_from" not in asked


def test_of_a_list_that_was_written_again_only_runs_that_began_are_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk = a_fleet_of_a_list(NOW, monkeypatch)

    assert commands.show(desk.pipeline, desk.output(), "weekly", tmp_path / "fleet.html") == SUCCEEDED

    assert "1 of 1 restored" in desk.printed
    told = f"Only runs that began are shown: {PLACE} was written again after the fleet had begun."
    assert told in " ".join(desk.printed.split())
    assert told in (tmp_path / "fleet.html").read_text()
    with pytest.raises(Refused, match=r"what weekly has not started is not known .* start a fleet of that anew"):
        commands.resume(desk.pipeline, desk.output(), "weekly", watch=False)
