"""The evidence of a run, in the form that is asked for: as it was signed, else made now from the rows."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from rich.console import Group
from rich.text import Text

from deployment.account import Refused, told
from restore_command.evidence import stored
from restore_command.evidence.verifying import DOES_NOT_PROVE, PROVES, verify
from restore_command.exit_codes import FAILED, SUCCEEDED
from restore_command.output import Output
from restore_command.pipeline import AUDIT_TABLE, Pipeline
from restore_command.records import records_of
from utils.evidence.compiling import evidence_of
from utils.evidence.markdown import markdown_of
from utils.evidence.model import Evidence
from utils.evidence.page import page_of
from utils.operation.audit_log import DynamoDbAuditLog
from utils.operation.model import Operation
from utils.operation.records import EvidenceRecord
from utils.words import printable


class Form(StrEnum):
    """The forms of a report."""

    JSON = "json"
    HTML = "html"
    MARKDOWN = "markdown"


_FORMS: dict[Form, Callable[[Evidence], str]] = {
    Form.JSON: Evidence.as_text,
    Form.HTML: page_of,
    Form.MARKDOWN: markdown_of,
}


def report(pipeline: Pipeline, output: Output, name: str | None, form: Form, file: Path | None) -> int:
    """Write the evidence of a run to a file, or print it."""
    text = _text(pipeline, output, _operation(pipeline, name), form)
    if file is None:
        # What is piped or kept is as it was signed, byte by byte.
        sys.stdout.write(printable(text) if sys.stdout.isatty() else text)
        return SUCCEEDED
    output.file(file, text)
    return SUCCEEDED


def fetch(pipeline: Pipeline, output: Output, name: str | None, folder: Path) -> int:
    """Fetch what was signed, the signature and the public key."""
    operation = _operation(pipeline, name)
    record = operation.evidence
    if record is None or record.folder is None:
        why = record.error if record else "it ended before evidence was kept, or has not ended"
        raise Refused(f"there is no signed evidence of {operation.operation_id}: {why}")
    return hand_out(pipeline, output, record, folder)


def hand_out(pipeline: Pipeline, output: Output, record: EvidenceRecord, folder: Path) -> int:
    """Fetch what was signed into a folder, with the public key, and say how it is verified."""
    account = pipeline.account
    paths = [str(path) for path in stored.fetch(account.client("s3"), account.client("kms"), record, folder)]
    output.result(
        {"files": paths, "signed_by": record.signed_by},
        "\n".join([*paths, f"Verify it: ./restore.sh verify-report {folder} --key {folder / stored.PUBLIC_KEY}"]),
    )
    return SUCCEEDED


def verify_report(output: Output, files: list[Path], key: Path) -> int:
    """Say whether files are the evidence that a key signed."""
    found = verify(files, key)
    lines = [
        *(Text(f"✓ {line}", "green") for line in found.right),
        *(Text(f"✗ {line}", "bold red") for line in found.wrong),
        *(Text(f"· {name}: not looked at, it was not given", "yellow") for name in found.not_given),
        Text(f"\n{'VERIFIED' if found.holds else 'NOT VERIFIED'}", "bold green" if found.holds else "bold red"),
        *([Text(found.of), *(Text(f"It is proven {line}.") for line in PROVES)] if found.holds else []),
        *(Text(f"Not proven: {line}.", "dim") for line in DOES_NOT_PROVE),
    ]
    output.result(found.document(), Group(*lines))
    return SUCCEEDED if found.holds else FAILED


def _text(pipeline: Pipeline, output: Output, operation: Operation, form: Form) -> str:
    record = operation.evidence
    if record is not None and record.folder is not None:
        name = "report.html" if form is Form.HTML else "report.json"
        content = stored.read(pipeline.account.client("s3"), record, name).decode()
        return markdown_of(Evidence.model_validate_json(content)) if form is Form.MARKDOWN else content
    output.note(f"{operation.operation_id} has no signed evidence: this is made now, from its rows")
    with told():
        trail = DynamoDbAuditLog(pipeline.table(AUDIT_TABLE)).trail(operation.operation_id)
    return _FORMS[form](evidence_of(operation, trail, datetime.now(UTC)))


def _operation(pipeline: Pipeline, name: str | None) -> Operation:
    records = records_of(pipeline)
    with told():
        run = records.find(name) if name else next(iter(records.runs()), None)
        if run is None:
            raise records.missing(name) if name else Refused("no run yet")
    if run.operation is None:
        raise Refused(
            f"{run.operation_id} never had a plan, so there is nothing to report: ./restore.sh show tells why"
        )
    return run.operation
