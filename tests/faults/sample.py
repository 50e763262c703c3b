"""The part of the sweep that `./test.sh` runs: every step and every kind of fault at least once, always the same."""

from collections.abc import Iterable

from tests.faults.cases import AUDIT_ROW, KINDS, SQL_KINDS, Case, RoundTrip

# What a step is for; where it changes nothing, its own row.
_ESSENCE = {
    "snapshot-check": "PutItem@state",
    "copy-snapshot": "CopyDBClusterSnapshot",
    "check-copy-status": "DescribeDBClusterSnapshots",
    "delete-rds": "DeleteDBCluster",
    "check-delete-status": "DescribeDBClusters",
    "restore-snapshot": "RestoreDBClusterFromSnapshot",
    "check-restore-status": "DescribeDBInstances",
    "setup-db-users": "ModifyDBCluster",
    "archive-snapshot": "DeleteDBClusterSnapshot",
    "sns-notification": "DeleteItem@state",
}


def sample(cases: Iterable[Case]) -> list[Case]:
    """Return one case for each step, with the kinds in turn, and one for each kind at the database."""
    every = list(cases)
    kinds = {step: KINDS[number % len(KINDS)].name for number, step in enumerate(_ESSENCE)}
    chosen = [
        next(case for case in every if case.kind.name == kind and _is_at(case, step, _ESSENCE[step]))
        for step, kind in kinds.items()
    ]
    trips = [case for case in every if isinstance(case.location, RoundTrip)]
    for number, sql_kind in enumerate(SQL_KINDS, start=1):
        at = [case for case in trips if case.kind == sql_kind]
        chosen.append(at[len(at) * number // (len(SQL_KINDS) + 1)])
    return chosen


def find(cases: Iterable[Case], step: str, operation: str, kind: str) -> Case:
    """Return the first case of a kind at a call of a step."""
    return next(case for case in cases if case.kind.name == kind and _is_at(case, step, operation))


def _is_at(case: Case, step: str, operation: str) -> bool:
    """Tell whether this is the step's own call, and not one of a function that is only asked what it reaches."""
    is_step = isinstance(case.location, RoundTrip) or AUDIT_ROW in case.location.path
    return is_step and case.case_id.startswith(f"{step}/") and f"-{operation}/" in case.case_id
