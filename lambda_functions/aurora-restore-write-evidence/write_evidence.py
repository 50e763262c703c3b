"""Write the evidence of an operation that has ended, and sign it."""

from utils.aurora_utils import Helper, Services, StepEvent, StepResult, step, write_evidence


@step(Helper.WRITE_EVIDENCE)
def handler(event: StepEvent, services: Services) -> StepResult:
    """Write report.json, report.html and report.dsse.json."""
    return write_evidence(event, services)
