"""Restores over time: what was proven when, what no more, and what never."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deployment.account import Refused
from restore_command.evidence import drilling
from restore_command.evidence.drilling import Wanted
from restore_command.evidence.drills_shown import table_of
from restore_command.exit_codes import SUCCEEDED
from restore_command.records import Records
from tests.unit.evidence.runs import BROKEN, a_request, a_restore, at
from tests.unit.operations import AT, an_operation
from tests.unit.restore_command.desk import Desk
from utils.evidence.attestation import sha256
from utils.evidence.drills import SourceCluster, drills_of
from utils.evidence.period import Period, Population, page_of_period
from utils.identifiers import SELFTEST
from utils.operation.after_restore import AfterwardsRecord
from utils.operation.model import OperationStatus
from utils.operation.records import DeletionRecord
from utils.report.summary import durations

PROD = SourceCluster(cluster_id="prod", region="us-east-1", account_id="123456789012")
NEVER = SourceCluster(cluster_id="<script>x</script>", region="us-east-1", account_id="123456789012")
MONTH = timedelta(days=30)
ALL = Wanted(days=3650, fresh_days=30)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Two restores of prod, one that failed, a dry run, and one from before."""
    with mock_aws():
        made = Desk(SourceRegion="us-east-1")
        made.store.create(a_restore("first", created_at=AT, finished_at=at(34)))
        second = AT + timedelta(days=7)
        made.store.create(a_restore("second", created_at=second, finished_at=second + timedelta(minutes=40)))
        made.store.create(
            an_operation("broken", created_at=second, status=OperationStatus.FAILED, error=BROKEN, finished_at=second)
        )
        planned = a_request(dry_run=True)
        made.store.create(an_operation("planned", request=planned, status=OperationStatus.SUCCEEDED, finished_at=AT))
        long_ago = AT - timedelta(days=200)
        made.store.create(a_restore("long-ago", created_at=long_ago, finished_at=long_ago))
        yield made


def found(desk: Desk, *population: SourceCluster, until: datetime | None = None) -> Any:
    runs = Records(desk.state, desk.audit).runs()
    return drills_of(
        [run.operation for run in runs if run.operation],
        population,
        since=AT - timedelta(days=90),
        until=until,
        fresh_for=MONTH,
    )


def test_a_source_is_told_with_its_last_restore_its_rate_and_how_long_that_proves_it(desk: Desk) -> None:
    [prod] = found(desk)

    assert prod.source == PROD
    assert [item.operation_id for item in prod.restores] == ["second", "first"]
    assert (prod.runs, prod.success_rate) == (3, 2 / 3)
    last = AT + timedelta(days=7, minutes=40)
    assert (prod.last.finished_at, prod.fresh_until) == (last, last + MONTH)
    assert prod.is_fresh(last + MONTH)
    assert not prod.is_fresh(last + MONTH + timedelta(seconds=1))
    assert [item.rto_seconds for item in prod.restores] == [durations(a_restore())["total"]] * 2
    assert [item.rpo_hours for item in prod.restores] == [1.25, 1.25]


def test_in_a_period_that_is_over_later_restores_prove_nothing(desk: Desk) -> None:
    [prod] = found(desk, until=AT + timedelta(days=7, minutes=39))
    assert [item.operation_id for item in prod.restores] == ["first"]
    assert prod.runs == 2, "what had not ended by then is none of its runs"


def test_a_period_ends_with_its_last_day_and_what_the_rows_do_not_reach_is_said(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drilling, "_population", lambda *_: Population([NEVER]))
    page, last_day = tmp_path / "drills.html", datetime.now(UTC).replace(tzinfo=None) - timedelta(days=380)
    wanted = Wanted(days=90, fresh_days=30, last_day=last_day.replace(hour=0, minute=0, second=0, microsecond=0))

    drilling.drills(desk.pipeline, desk.output(as_json=True), wanted, page)

    told = json.loads(desk.printed)
    assert told["until"].startswith(f"{last_day + timedelta(days=1):%Y-%m-%d}T00:00:00")
    assert told["since"].startswith(f"{last_day - timedelta(days=89):%Y-%m-%d}T00:00:00")
    assert told["made_at"] > told["until"]
    assert "rows are kept for 400 days: what ended before" in told["note"]
    assert "rows are kept for 400 days" in page.read_text()
    assert "rows are kept for 400 days" in desk.noted


def test_a_period_is_never_said_to_end_later_than_now(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drilling, "_population", lambda *_: Population([NEVER]))
    last_day = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=30)
    drilling.drills(desk.pipeline, desk.output(as_json=True), replace(ALL, last_day=last_day), None)
    told = json.loads(desk.printed)
    assert told["until"] == told["made_at"]


def test_what_deletes_or_stops_a_cluster_is_no_restore(desk: Desk) -> None:
    ended = {"status": OperationStatus.SUCCEEDED, "created_at": AT, "finished_at": at(50)}
    desk.store.create(an_operation("first-retirement", retires="first", **ended))
    desk.store.create(an_operation("undo-first", undoes="first", **ended))
    [prod] = found(desk)
    assert (prod.runs, [item.operation_id for item in prod.restores]) == (3, ["second", "first"])


def test_a_drill_is_told_from_other_restores_with_what_its_clean_up_could_not_remove(desk: Desk) -> None:
    names = an_operation().identifiers.model_copy(
        update={"drill_of": "staging", "target_cluster_id": "staging-drill-1"}
    )
    third = AT + timedelta(days=8)
    desk.store.create(a_restore("third", created_at=third, finished_at=third, identifiers=names))
    record = AfterwardsRecord(action="delete", is_drill=True, standing=["staging-drill-1"])
    clean_up = {"retires": "third", "afterwards": record, "identifiers": names, "deletion": DeletionRecord()}
    desk.store.create(an_operation("third-afterwards", status=OperationStatus.FAILED, error=BROKEN, **clean_up))
    [prod] = found(desk)
    assert (prod.last.drill_of, list(prod.left_behind)) == ("staging", ["staging-drill-1"])
    assert prod.document(AT)["left_behind"] == ["staging-drill-1"]
    assert prod.document(AT)["drills"] == 1
    period = Period(made_at=AT, until=AT, days=90, fresh_days=30, region="us-west-2")
    page = page_of_period(period, [prod], Population([PROD]))
    assert "third, a drill for staging" in page
    assert "Drills of prod (us-east-1, 123456789012) left behind: staging-drill-1" in page
    desk.output().result(None, table_of([prod], AT))
    assert {"(drill);", "behind:"} <= {*desk.printed.split()}, "in a narrow column"


def test_what_was_never_restored_comes_first(desk: Desk) -> None:
    never, prod = found(desk, PROD, NEVER)

    assert (never.source, never.last, never.fresh_until, never.success_rate) == (NEVER, None, None, None)
    assert not never.is_fresh(AT)
    assert prod.source == PROD


def test_a_selftest_proves_no_source(desk: Desk) -> None:
    throwaway = SourceCluster(cluster_id=f"{SELFTEST}-1", region="us-east-1", account_id="123456789012")
    assert [item.source for item in found(desk, throwaway)] == [PROD]


def test_the_page_shows_it_with_bars_and_whatever_a_cluster_is_called_is_text(desk: Desk) -> None:
    period = Period(made_at=AT, until=AT, days=90, fresh_days=30, region="us-west-2")
    page = page_of_period(period, found(desk, NEVER), Population([NEVER]))

    assert "<script" not in page
    assert "never in this time" in page
    assert page.count("<rect") == 4
    assert "recovery time of the last 2 restores: 33 min 00 s, 33 min 00 s" in page
    assert "second to staging" in page


def test_the_command_shows_lists_and_writes(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drilling, "_population", lambda *_: Population([NEVER]))
    page = tmp_path / "drills.html"

    code = drilling.drills(desk.pipeline, desk.output(as_json=True), ALL, page)

    shown = json.loads(desk.printed)
    assert code == SUCCEEDED
    assert [item["source_cluster_id"] for item in shown["sources"]] == [NEVER.cluster_id, "prod"]
    assert (shown["sources"][1]["runs"], shown["sources"][1]["succeeded"]) == (4, 3)
    assert page.read_text().startswith("<!doctype html>")
    drilling.drills(desk.pipeline, desk.output(), ALL, None)
    assert "never" in desk.printed


def test_clusters_of_the_source_region_are_looked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("rds", region_name="us-east-1")
    monkeypatch.setattr(desk.pipeline, "account", replace(desk.pipeline.account, session=boto3.session.Session()))
    for name in ("prod", "billing"):
        client.create_db_cluster(
            DBClusterIdentifier=name, Engine="aurora-postgresql", MasterUsername="m", MasterUserPassword="long-enough"
        )

    drilling.drills(desk.pipeline, desk.output(as_json=True), ALL, None)

    sources = {item["source_cluster_id"]: item["succeeded"] for item in json.loads(desk.printed)["sources"]}
    assert sources == {"billing": 0, "prod": 3}


class FakeFunction:
    """The function that signs: it answers what it is told to, and keeps what it was asked."""

    def __init__(self, answer: dict[str, Any], error: str | None = None) -> None:
        self.answer, self.error = answer, error
        self.asked: dict[str, Any] = {}

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.asked = request
        failed = {"FunctionError": self.error} if self.error else {}
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **failed}


def with_function(desk: Desk, monkeypatch: pytest.MonkeyPatch, function: FakeFunction) -> None:
    session = boto3.session.Session(region_name="us-west-2")
    clients = {"lambda": function, "s3": session.client("s3"), "kms": session.client("kms")}
    monkeypatch.setattr(type(desk.pipeline.account), "client", lambda _self, name: clients[name])


def test_a_period_is_signed_by_the_pipeline_and_fetched_with_the_public_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    function = FakeFunction({})
    with_function(desk, monkeypatch, function)
    s3, kms = desk.pipeline.account.client("s3"), desk.pipeline.account.client("kms")
    s3.create_bucket(Bucket="evidence", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="evidence", Key="drills/d-1/drills.json", Body=b"{}")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    record = {"folder": "s3://evidence/drills/d-1/", "sha256": {"drills.json": sha256(b"{}")}, "signed_by": key}
    function.answer = {"status": "READY", "details": record}

    code = drilling.sign(desk.pipeline, desk.output(), Wanted(days=365, fresh_days=30), tmp_path / "period")

    assert code == SUCCEEDED
    assert function.asked["FunctionName"] == "aurora-restore-write-evidence"
    event = json.loads(function.asked["Payload"])
    assert event == {"operation_id": event["operation_id"], "period": {"days": 365, "fresh_days": 30}}
    assert event["operation_id"].startswith("drills-")
    assert {path.name for path in (tmp_path / "period").iterdir()} == {"drills.json", "public_key.pem"}
    assert "verify-report" in desk.printed


def test_a_period_that_is_over_is_signed_as_it_was_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    function = FakeFunction({"errorType": "AccessDenied"}, "Unhandled")
    with_function(desk, monkeypatch, function)
    wanted = Wanted(days=92, fresh_days=30, last_day=datetime(2026, 9, 30))  # noqa: DTZ001 - as the command line has it

    with pytest.raises(Refused):
        drilling.sign(desk.pipeline, desk.output(), wanted, tmp_path)

    asked = json.loads(function.asked["Payload"])["period"]
    assert asked == {"days": 92, "fresh_days": 30, "until": "2026-10-01T00:00:00+00:00"}


def test_a_period_that_could_not_be_signed_says_why(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = {"errorType": "AccessDenied", "errorMessage": "kms:Sign: found AccessDenied"}
    with_function(desk, monkeypatch, FakeFunction(answer, "Unhandled"))

    with pytest.raises(Refused, match="write-evidence failed: AccessDenied: kms:Sign"):
        drilling.sign(desk.pipeline, desk.output(), Wanted(days=90, fresh_days=30), tmp_path)
    assert list(tmp_path.iterdir()) == []
