"""What SNS Notification calls at the end of an operation: report.json, report.html and their signature, in S3."""

from collections.abc import Callable
from datetime import UTC, datetime

from utils.errors import AuroraRestoreError
from utils.evidence.attestation import envelope, pre_authentication_encoding, sha256, statement, statement_of_period
from utils.evidence.compiling import evidence_of
from utils.evidence.drills import SourceCluster
from utils.evidence.page import page_of
from utils.evidence.period import Period, Population, as_text, found_in, page_of_period
from utils.operation.model import Operation, OperationStatus
from utils.operation.records import EvidenceRecord
from utils.operation.store import get_operation
from utils.runtime.contract import EvidenceEvent, PeriodWanted, StepResult, StepStatus
from utils.runtime.services import Services

_TYPES = {"json": "application/json", "html": "text/html; charset=utf-8"}


def write_evidence(event: EvidenceEvent, services: Services) -> StepResult:
    """Write the evidence of an operation that has ended, or of a period; of one that runs there is none yet."""
    if event.period is not None:
        return _kept(_of_a_period(event.operation_id, event.period, services))
    operation = get_operation(services.operations, event.operation_id)
    if operation.status is OperationStatus.RUNNING:
        return _kept(EvidenceRecord(error="still running"))
    evidence = evidence_of(operation, services.audit.trail(operation.operation_id), datetime.now(UTC))
    files = {"report.json": evidence.as_text().encode(), "report.html": page_of(evidence).encode()}
    folder = f"{evidence.target.cluster_id}/{operation.operation_id}"
    return _kept(_signed(files, folder, lambda key: statement(files, evidence, key), services))


def _of_a_period(name: str, wanted: PeriodWanted, services: Services) -> EvidenceRecord:
    region = services.settings.target_region
    now = datetime.now(UTC)
    until = min(wanted.until or now, now)
    period = Period(made_at=now, until=until, days=wanted.days, fresh_days=wanted.fresh_days, region=region)
    operations, unreadable = services.operations.planned()
    population = _population(operations, unreadable, services)
    found = found_in(period, operations, population)
    files = {
        "drills.json": as_text(period, found, population).encode(),
        "drills.html": page_of_period(period, found, population).encode(),
    }
    return _signed(files, f"drills/{name}", lambda key: statement_of_period(files, period, key), services)


def _population(operations: list[Operation], unreadable: list[str], services: Services) -> Population:
    """Return the clusters of the source Region that are no targets; what is not known is said."""
    region = services.settings.source_region or services.settings.target_region
    targets = {operation.identifiers.target_cluster_id for operation in operations}
    unknown = [f"rows of another version of the pipeline are left out: {', '.join(unreadable)}"] if unreadable else []
    try:
        clusters = [
            SourceCluster(cluster_id=cluster.identifier, region=region, account_id=cluster.arn.split(":")[4])
            for cluster in services.rds(region).clusters()
            if region != services.settings.target_region or cluster.identifier not in targets
        ]
    except AuroraRestoreError as error:
        clusters = []
        unknown.append(f"which clusters there are in {region} is not known ({type(error).__name__})")
    return Population(clusters, "; ".join(unknown))


def _signed(
    files: dict[str, bytes], folder: str, statement_with: Callable[[str], bytes], services: Services
) -> EvidenceRecord:
    """Sign what is stated of the files by a key, and put all of it into the bucket."""
    key_arn, bucket = services.settings.evidence_key_id, services.settings.evidence_bucket
    payload = statement_with(key_arn)
    signature = services.kms.sign(key_arn, pre_authentication_encoding(payload))
    [stem] = {name.partition(".")[0] for name in files}
    all_files = {**files, f"{stem}.dsse.json": envelope(payload, key_arn, signature).encode()}
    for name, content in all_files.items():
        services.s3.put(bucket, f"{folder}/{name}", content, _TYPES[name.rpartition(".")[2]])
    digests = {name: sha256(content) for name, content in all_files.items()}
    return EvidenceRecord(folder=f"s3://{bucket}/{folder}/", sha256=digests, signed_by=key_arn)


def _kept(record: EvidenceRecord) -> StepResult:
    return StepResult(status=StepStatus.READY, details=record.model_dump(exclude_none=True))
