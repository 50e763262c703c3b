"""Write the evidence of an operation that has ended, or of all restores in a period, and sign it."""

from utils.aurora_utils import EvidenceEvent, Helper, Services, StepResult, step, write_evidence


@step(Helper.WRITE_EVIDENCE, EvidenceEvent)
def handler(event: EvidenceEvent, services: Services) -> StepResult:
    """Write report.json, report.html and report.dsse.json; drills.* of a period."""
    return write_evidence(event, services)
