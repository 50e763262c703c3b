"""The evidence of a run as restore.sh gives it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from deployment.account import Refused
from restore_command.exit_codes import SUCCEEDED
from restore_command.reporting import Form, report
from tests.unit.evidence.runs import a_restore, rows
from tests.unit.operations import AT
from tests.unit.restore_command.desk import Desk
from utils.evidence.model import Evidence
from utils.operation.audit_log import DynamoDbAuditLog

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
