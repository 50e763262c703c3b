"""Evidence is written and signed once an operation has ended; what cannot be written ends no run otherwise."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from tests.fakes.aws import EVIDENCE_KEY_ARN, EXECUTION_ARN, OPERATION, FakeAws
from tests.fakes.rds_items import new_cluster
from utils.errors import AwsRequestRejected, AwsUnavailable, OperationNotFound
from utils.evidence.attestation import PERIOD_TYPE, PREDICATE_TYPE, pre_authentication_encoding
from utils.evidence.model import Evidence
from utils.operation.model import OperationStatus
from utils.operation.records import EvidenceRecord
from utils.runtime.contract import ClosingEvent, EvidenceEvent, PeriodWanted, StepResult
from utils.runtime.services import Services
from utils.steps.archive_snapshot import archive_snapshot
from utils.steps.check_restore_status import check_restore_status
from utils.steps.sns_notification import sns_notification
from utils.steps.write_evidence import write_evidence

FUNCTION, BUCKET = "aurora-restore-write-evidence", "evidence"
WRITTEN = {"folder": f"s3://{BUCKET}/staging/{OPERATION}/", "sha256": {"report.json": "ab"}, "signed_by": "arn:key"}
BROKEN = {"Error": "CopyFailed", "Cause": json.dumps({"errorMessage": "found failed"})}


@pytest.fixture
def finished(restored: FakeAws) -> FakeAws:
    """The run, when only its end is left."""
    restored.run(check_restore_status)
    restored.run(archive_snapshot)
    return restored


def of_the_last_step(aws: FakeAws) -> Services:
    return aws.services_with(EVIDENCE_FUNCTION_NAME=FUNCTION)


def close(services: Services, **more: Any) -> StepResult:
    return sns_notification(ClosingEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, **more), services)


def of_the_function(aws: FakeAws) -> Services:
    return aws.services_with(EVIDENCE_BUCKET=BUCKET, EVIDENCE_KEY_ID=EVIDENCE_KEY_ARN)


def test_three_files_are_written_and_the_signature_is_over_the_digests_of_the_other_two(finished: FakeAws) -> None:
    close(finished.services)

    result = write_evidence(EvidenceEvent(operation_id=OPERATION), of_the_function(finished))

    folder = f"s3://{BUCKET}/staging/{OPERATION}/"
    files = {name.removeprefix(folder): content for name, content in finished.s3.objects.items()}
    assert set(files) == {"report.json", "report.html", "report.dsse.json"}
    evidence = Evidence.model_validate_json(files["report.json"])
    assert (evidence.operation_id, evidence.verdict.status) == (OPERATION, OperationStatus.SUCCEEDED)
    assert files["report.html"].startswith(b"<!doctype html>")
    envelope = json.loads(files["report.dsse.json"])
    payload = base64.b64decode(envelope["payload"])
    statement = json.loads(payload)
    assert (statement["_type"], statement["predicateType"]) == ("https://in-toto.io/Statement/v1", PREDICATE_TYPE)
    assert statement["subject"] == [
        {"name": name, "digest": {"sha256": hashlib.sha256(files[name]).hexdigest()}}
        for name in ("report.json", "report.html")
    ]
    [signed] = envelope["signatures"]
    signature, digest = base64.b64decode(signed["sig"]), hashlib.sha256(pre_authentication_encoding(payload)).digest()
    finished.kms.signs_with.public_key().verify(signature, digest, ec.ECDSA(Prehashed(SHA256())))
    record = EvidenceRecord.model_validate(result.details)
    assert (record.folder, record.signed_by) == (folder, signed["keyid"])
    assert record.sha256 == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_a_period_is_reported_from_the_rows_and_from_rds_and_signed(finished: FakeAws) -> None:
    close(finished.services)
    finished.east.clusters["billing"] = new_cluster("us-east-1", "billing", 7)
    event = EvidenceEvent(operation_id="drills-1", period=PeriodWanted(days=90, fresh_days=30))

    result = write_evidence(event, of_the_function(finished))

    record = EvidenceRecord.model_validate(result.details)
    assert record.folder == f"s3://{BUCKET}/drills/drills-1/"
    files = {name: finished.s3.objects[record.folder + name] for name in record.sha256}
    assert set(files) == {"drills.json", "drills.html", "drills.dsse.json"}
    told = json.loads(files["drills.json"])
    assert {item["source_cluster_id"]: item["succeeded"] for item in told["sources"]} == {"billing": 0, "prod": 1}
    assert (told["population_known"], told["fresh_days"]) == (True, 30)
    assert b"billing" in files["drills.html"]
    payload = base64.b64decode(json.loads(files["drills.dsse.json"])["payload"])
    statement = json.loads(payload)
    assert statement["predicateType"] == PERIOD_TYPE
    assert {item["name"]: item["digest"]["sha256"] for item in statement["subject"]} == {
        name: record.sha256[name] for name in ("drills.json", "drills.html")
    }


def test_a_period_that_is_over_has_what_had_ended_by_then(finished: FakeAws) -> None:
    close(finished.services)
    until = datetime.now(UTC) - timedelta(days=300)
    wanted = PeriodWanted(days=90, fresh_days=30, until=until)

    write_evidence(EvidenceEvent(operation_id="drills-1", period=wanted), of_the_function(finished))

    told = json.loads(finished.s3.objects[f"s3://{BUCKET}/drills/drills-1/drills.json"])
    assert datetime.fromisoformat(told["until"]) == until
    assert {item["source_cluster_id"]: item["runs"] for item in told["sources"]} == {"prod": 0}


def test_a_population_that_may_not_be_listed_is_said_in_what_is_signed(finished: FakeAws) -> None:
    finished.east.fail("describe_db_clusters", "AccessDenied")
    event = EvidenceEvent(operation_id="drills-1", period=PeriodWanted(days=90, fresh_days=30))

    write_evidence(event, of_the_function(finished))

    told = json.loads(finished.s3.objects[f"s3://{BUCKET}/drills/drills-1/drills.json"])
    assert told["population_known"] is False
    assert "which clusters there are in us-east-1 is not known (AccessDenied)" in told["note"]


def test_there_is_no_evidence_of_what_still_runs_or_never_was(finished: FakeAws) -> None:
    result = write_evidence(EvidenceEvent(operation_id=OPERATION), of_the_function(finished))

    assert (result.details["error"], finished.s3.objects) == ("still running", {})
    with pytest.raises(OperationNotFound):
        write_evidence(EvidenceEvent(operation_id="of-nobody"), of_the_function(finished))


def test_the_last_step_asks_for_it_when_the_row_is_closed_and_tells_where_it_is(finished: FakeAws) -> None:
    finished.functions.answers[FUNCTION] = {"status": "READY", "details": WRITTEN}

    result = close(of_the_last_step(finished))

    assert finished.functions.calls == [(FUNCTION, {"operation_id": OPERATION, "execution_arn": EXECUTION_ARN})]
    assert result.details["evidence"] == WRITTEN["folder"]
    assert f"Evidence          {WRITTEN['folder']}" in finished.topic.messages[0]["Message"]
    assert finished.operation.evidence == EvidenceRecord.model_validate(WRITTEN)


@pytest.mark.parametrize(
    ("answer", "refusal", "told"),
    [
        ({"errorType": "AccessDenied", "errorMessage": "secret"}, None, "AwsRequestRejected"),
        ({"status": "READY", "details": {"sha256": 1}}, None, "ValidationError"),
        ({}, "AccessDeniedException", "AccessDenied"),
        ({}, "TooManyRequestsException", "AwsThrottled"),
    ],
)
@pytest.mark.parametrize("error", [None, BROKEN], ids=["succeeded", "failed"])
def test_evidence_that_cannot_be_written_ends_no_run_otherwise_and_is_told(
    finished: FakeAws, answer: dict[str, Any], refusal: str | None, told: str, error: dict[str, Any] | None
) -> None:
    finished.functions.answers[FUNCTION], finished.functions.refuses_with = answer, refusal

    close(of_the_last_step(finished), error=error, failed_step="Copy Snapshot" if error else "")

    operation = finished.operation
    assert operation.status is (OperationStatus.FAILED if error else OperationStatus.SUCCEEDED)
    assert finished.operations.locks == {}
    (message,) = finished.topic.messages
    assert f"Evidence          not written: {told}" in message["Message"]
    assert "secret" not in message["Message"]
    assert operation.evidence == EvidenceRecord(error=told)


def test_a_call_that_is_made_again_writes_what_was_not_and_nothing_twice(finished: FakeAws) -> None:
    finished.functions.refuses_with = "TooManyRequestsException"
    close(of_the_last_step(finished))
    finished.functions.refuses_with = None
    finished.functions.answers[FUNCTION] = {"status": "READY", "details": WRITTEN}

    close(of_the_last_step(finished))
    close(of_the_last_step(finished))

    assert len(finished.functions.calls) == 3  # two tries, and the one that wrote it
    assert finished.operation.evidence == EvidenceRecord.model_validate(WRITTEN)
    assert len(finished.topic.messages) == 1


@pytest.mark.parametrize(
    "failure", ["TooManyRequestsException", {"errorType": "Runtime.ExitError"}], ids=["refused", "died"]
)
def test_what_failed_once_is_asked_for_once_more(finished: FakeAws, failure: str | dict[str, Any]) -> None:
    finished.functions.at_first = [failure]
    finished.functions.answers[FUNCTION] = {"status": "READY", "details": WRITTEN}

    close(of_the_last_step(finished))

    assert [name for name, _ in finished.functions.calls] == [FUNCTION] * 2
    assert finished.operation.evidence == EvidenceRecord.model_validate(WRITTEN)


def test_a_call_that_took_long_leaves_the_step_no_time_for_another(
    finished: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished.functions.at_first = ["TooManyRequestsException"]
    finished.functions.answers[FUNCTION] = {"status": "READY", "details": WRITTEN}
    looks = iter([0.0, 65.0])
    monkeypatch.setattr("utils.runtime.evidence.time", SimpleNamespace(monotonic=lambda: next(looks)))

    close(of_the_last_step(finished))

    assert len(finished.functions.calls) == 1
    assert finished.operation.evidence == EvidenceRecord(error="AwsThrottled")


def test_a_function_that_fails_is_told_by_the_name_of_its_error_alone(finished: FakeAws) -> None:
    finished.functions.answers["f"] = {"errorType": "KeyError", "errorMessage": "Pa55word"}
    with pytest.raises(AwsRequestRejected, match="KeyError from the function f") as caught:
        finished.services.functions.call("f", {})
    assert "Pa55word" not in str(caught.value)


def test_without_evidence_of_a_run_that_was_stopped_lambda_tries_once_more_and_then_tells(finished: FakeAws) -> None:
    finished.functions.refuses_with = "TooManyRequestsException"
    services = of_the_last_step(finished)
    with pytest.raises(AwsUnavailable, match="evidence could not be written"):
        close(services, has_ended=True)
    assert finished.topic.messages == []
    assert finished.operation.evidence == EvidenceRecord(error="AwsThrottled")

    close(services, has_ended=True)

    (message,) = finished.topic.messages
    assert "Evidence          not written: AwsThrottled" in message["Message"]


def test_evidence_of_a_run_that_was_stopped_is_there_at_lambdas_second_try(finished: FakeAws) -> None:
    finished.functions.refuses_with = "TooManyRequestsException"
    services = of_the_last_step(finished)
    with pytest.raises(AwsUnavailable):
        close(services, has_ended=True)
    finished.functions.refuses_with = None
    finished.functions.answers[FUNCTION] = {"status": "READY", "details": WRITTEN}

    close(services, has_ended=True)

    assert finished.operation.evidence == EvidenceRecord.model_validate(WRITTEN)
    assert WRITTEN["folder"] in finished.topic.messages[0]["Message"]


def test_evidence_that_the_last_step_asked_for_in_vain_is_asked_for_once_more_after_the_end(finished: FakeAws) -> None:
    finished.functions.refuses_with = "TooManyRequestsException"
    services = of_the_last_step(finished)
    close(services)
    finished.functions.refuses_with = None
    finished.functions.answers[FUNCTION] = {"status": "READY", "details": WRITTEN}

    for _ in range(2):
        close(services, has_ended=True)

    assert finished.operation.evidence == EvidenceRecord.model_validate(WRITTEN)
    assert len(finished.functions.calls) == 3  # two tries of the last step, and one after its end
    assert len(finished.topic.messages) == 1
