"""Whether the evidence of every operation is where its row says, or its row says why there is none."""

from botocore.exceptions import ClientError

from tests.faults.cases import Case
from tests.faults.playing import Played

FILES = ("report.json", "report.html", "report.dsse.json")


def problems_of_evidence(run: Played, case: Case) -> list[str]:
    """Say what is missing; what is told is right only where writing it met a fault."""
    may_be_missing = any(
        one.location.is_evidence or one.location.closes or one.location.is_audit_row
        for one in case.faults
        if one.kind.is_permanent or one.kind.name.endswith("given-up")
    )
    problems = []
    for name in run.operations:
        row = run.laboratory.world.row(name) or {}
        if "plan" not in row or row.get("retires") or row.get("undoes"):
            continue
        evidence = row.get("evidence") or {}
        if evidence.get("folder"):
            problems += _missing(run, evidence["folder"])
        elif not evidence.get("error"):
            problems.append(f"{name} says neither where its evidence is nor why there is none")
        elif not may_be_missing:
            problems.append(f"no evidence of {name}: {evidence['error']}")
    return problems


def _missing(run: Played, folder: str) -> list[str]:
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    s3, problems = run.laboratory.world.client("s3"), []
    for file in FILES:
        try:
            s3.head_object(Bucket=bucket, Key=f"{prefix}{file}")
        except ClientError:
            problems.append(f"{folder}{file} is missing")
    return problems
