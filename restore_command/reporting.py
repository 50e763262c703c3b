"""The evidence of a run, in the form that is asked for."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from deployment.account import Refused, told
from restore_command.exit_codes import SUCCEEDED
from restore_command.output import Output
from restore_command.pipeline import AUDIT_TABLE, STATE_TABLE, Pipeline
from restore_command.records import Records
from utils.evidence.compiling import evidence_of
from utils.evidence.markdown import markdown_of
from utils.evidence.model import Evidence
from utils.operation.audit_log import DynamoDbAuditLog
from utils.operation.model import Operation


class Form(StrEnum):
    """The forms of a report."""

    JSON = "json"
    MARKDOWN = "markdown"


def report(pipeline: Pipeline, output: Output, name: str | None, form: Form, file: Path | None) -> int:
    """Write the evidence of a run to a file, or print it."""
    with told():
        operation = _operation(pipeline, name)
        trail = DynamoDbAuditLog(pipeline.table(AUDIT_TABLE)).trail(operation.operation_id)
    text = _FORMS[form](evidence_of(operation, trail, datetime.now(UTC)))
    if file is None:
        sys.stdout.write(text)
        return SUCCEEDED
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{file} could not be written: {error}") from None
    output.note(f"written to {file}")
    return SUCCEEDED


_FORMS = {Form.JSON: Evidence.as_text, Form.MARKDOWN: markdown_of}


def _operation(pipeline: Pipeline, name: str | None) -> Operation:
    records = Records(pipeline.table(STATE_TABLE), pipeline.table(AUDIT_TABLE))
    run = records.find(name) if name else next(iter(records.runs()), None)
    if run is None:
        raise Refused(f"no operation {name}: ./restore.sh runs lists what there is" if name else "no run yet")
    if run.operation is None:
        raise Refused(
            f"{run.operation_id} never had a plan, so there is nothing to report: ./restore.sh show tells why"
        )
    return run.operation
