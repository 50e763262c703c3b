"""The evidence of a run as restore.sh gives it."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from deployment.account import Refused
from restore_command.evidence.reporting import Form, fetch, report
from restore_command.exit_codes import SUCCEEDED
from tests.unit.evidence.runs import a_restore, at, rows
from tests.unit.operations import AT
from tests.unit.restore_command.desk import Desk
from utils.evidence.attestation import sha256
from utils.evidence.compiling import evidence_of
from utils.evidence.model import Evidence
from utils.evidence.page import page_of
from utils.operation.audit_log import DynamoDbAuditLog
from utils.operation.records import EvidenceRecord

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with mock_aws():
        made = Desk()
        made.store.create(a_restore())
        for row in rows():
            DynamoDbAuditLog(made.audit).append(row)
        yield made


def test_the_newest_run_is_reported_as_json_with_its_timeline(desk: Desk, capsys: Printed) -> None:
    assert report(desk.pipeline, desk.output(as_json=True), None, Form.JSON, None) == SUCCEEDED

    found = Evidence.model_validate_json(capsys.readouterr().out)
    assert found.operation_id == "nightly-1"
    assert [phase.name for phase in found.timeline] == ["check", "copy", "delete", "users"]


def test_a_report_is_written_to_a_file(desk: Desk, capsys: Printed, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    report(desk.pipeline, desk.output(), "nightly-1", Form.MARKDOWN, file)

    assert file.read_text().startswith("## ✅ staging was restored")
    assert capsys.readouterr().out == ""
    assert f"written to {file}" in desk.noted.replace("\n", "")
    with pytest.raises(Refused, match="could not be written"):
        report(desk.pipeline, desk.output(), "nightly-1", Form.MARKDOWN, tmp_path)


def test_what_is_not_there_or_had_no_plan_is_refused(desk: Desk) -> None:
    row = {"operation_id": "refused-1", "execution_arn": "arn:x", "status": "FAILED", "created_at": AT.isoformat()}
    desk.state.put_item(Item=row)
    with pytest.raises(Refused, match="no operation nightly-9"):
        report(desk.pipeline, desk.output(), "nightly-9", Form.JSON, None)
    with pytest.raises(Refused, match="refused-1 never had a plan"):
        report(desk.pipeline, desk.output(), "refused-1", Form.JSON, None)


def kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the run's evidence in a bucket, and its key in KMS, as the pipeline leaves them."""
    account = desk.pipeline.account
    session = boto3.session.Session(region_name="us-west-2")
    monkeypatch.setattr(type(account), "client", lambda _self, name: session.client(name))
    s3, kms = account.client("s3"), account.client("kms")
    s3.create_bucket(Bucket="evidence", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    operation = desk.store.find("nightly-1")
    assert operation is not None
    evidence = evidence_of(operation, rows(), at(35))
    files = {"report.json": evidence.as_text().encode(), "report.html": page_of(evidence).encode()}
    for name, content in files.items():
        s3.put_object(Bucket="evidence", Key=f"staging/nightly-1/{name}", Body=content)
    digests = {name: sha256(content) for name, content in files.items()}
    operation.evidence = EvidenceRecord(folder="s3://evidence/staging/nightly-1/", sha256=digests, signed_by=key)
    desk.store.save(operation)


def test_what_was_signed_is_what_is_reported(
    desk: Desk, capsys: Printed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept(desk, monkeypatch)

    report(desk.pipeline, desk.output(), "nightly-1", Form.HTML, tmp_path / "report.html")
    report(desk.pipeline, desk.output(), "nightly-1", Form.JSON, None)

    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert Evidence.model_validate_json(capsys.readouterr().out).made_at == at(35)
    assert "made now" not in desk.noted


def test_the_signed_files_are_fetched_with_the_public_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept(desk, monkeypatch)

    assert fetch(desk.pipeline, desk.output(), None, tmp_path / "evidence") == SUCCEEDED

    assert {path.name for path in (tmp_path / "evidence").iterdir()} == {"report.json", "report.html", "public_key.pem"}
    assert (tmp_path / "evidence/public_key.pem").read_text().startswith("-----BEGIN PUBLIC KEY-----")
    assert "verify-report" in desk.printed


def test_what_is_not_what_was_written_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(desk, monkeypatch)
    desk.pipeline.account.client("s3").put_object(Bucket="evidence", Key="staging/nightly-1/report.json", Body=b"{}")

    with pytest.raises(Refused, match="is not what was written"):
        report(desk.pipeline, desk.output(), "nightly-1", Form.MARKDOWN, None)


def test_without_signed_evidence_the_report_is_made_now_and_nothing_is_fetched(
    desk: Desk, capsys: Printed, tmp_path: Path
) -> None:
    report(desk.pipeline, desk.output(), "nightly-1", Form.HTML, None)

    assert "RESTORED" in capsys.readouterr().out
    assert "nightly-1 has no signed evidence: this is made now, from its rows" in desk.noted
    with pytest.raises(Refused, match="no signed evidence of nightly-1"):
        fetch(desk.pipeline, desk.output(), None, tmp_path)
