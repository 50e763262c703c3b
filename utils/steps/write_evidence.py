"""What SNS Notification calls at the end of an operation: report.json, report.html and their signature, in S3."""

from datetime import UTC, datetime

from utils.evidence.attestation import envelope, pre_authentication_encoding, sha256, statement
from utils.evidence.compiling import evidence_of
from utils.evidence.page import page_of
from utils.operation.model import OperationStatus
from utils.operation.records import EvidenceRecord
from utils.operation.store import get_operation
from utils.runtime.contract import StepEvent, StepResult, StepStatus
from utils.runtime.services import Services

_TYPES = {"json": "application/json", "html": "text/html; charset=utf-8"}


def write_evidence(event: StepEvent, services: Services) -> StepResult:
    """Write the evidence of an operation that has ended; of one that runs there is none yet."""
    operation = get_operation(services.operations, event.operation_id)
    if operation.status is OperationStatus.RUNNING:
        return StepResult(status=StepStatus.READY, details=EvidenceRecord(error="still running").model_dump())
    evidence = evidence_of(operation, services.audit.trail(operation.operation_id), datetime.now(UTC))
    files = {"report.json": evidence.as_text().encode(), "report.html": page_of(evidence).encode()}
    key_arn = services.settings.evidence_key_id
    payload = statement(files, evidence, key_arn)
    signature = services.kms.sign(key_arn, pre_authentication_encoding(payload))
    files["report.dsse.json"] = envelope(payload, key_arn, signature).encode()
    bucket, folder = services.settings.evidence_bucket, f"{evidence.target.cluster_id}/{operation.operation_id}"
    for name, content in files.items():
        services.s3.put(bucket, f"{folder}/{name}", content, _TYPES[name.rpartition(".")[2]])
    record = EvidenceRecord(
        folder=f"s3://{bucket}/{folder}/",
        sha256={name: sha256(content) for name, content in files.items()},
        signed_by=key_arn,
    )
    return StepResult(status=StepStatus.READY, details=record.model_dump(exclude_none=True))
