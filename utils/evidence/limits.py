"""The honest part of the evidence: what was not tested, and what did not come out as meant."""

from collections.abc import Sequence

from utils.evidence.model import Objective, Phase
from utils.operation.model import Operation, OperationStatus, UsersRecord, Verdict
from utils.words import duration

_NEVER_TESTED = (
    "Whether an application works on the copy: none was started against it.",
    "Whether every row came along: rows are compared only where a check of the request does.",
    "How the copy behaves under load, or when its writer fails over.",
    "Names, networks, certificates and services around the database that an application needs.",
    "Who may delete or change the source's backups: the pipeline looks at no backup vault, lock or administrator.",
)

# The phases at whose end people get in.
_OPENING = {"users", "swap"}
_CLOCKS_MAY_DIFFER = 120.0  # seconds


def not_tested(operation: Operation) -> list[str]:
    """Return what the operation says nothing about."""
    if operation.request.dry_run:
        return ["Anything but the plan: this was a dry run, and nothing was restored.", *_NEVER_TESTED]
    if operation.undoes is not None:
        return [
            "Anything but that the former cluster answers under the target's name, over checked TLS: nothing was "
            "restored, and its users and data are its own.",
            *_NEVER_TESTED,
        ]
    users = operation.users or UsersRecord()
    said = []
    if operation.restore is None or operation.restore.finished_at is None:
        said.append("Whether the snapshot can be restored: the run ended before a cluster was complete.")
    if users.finished_at is None:
        said.append("Whether anybody can log in: the run ended before its users were proven.")
    if operation.bring_back is not None:
        said.append("What is in the old data that was brought back: nobody looked into it, only logins were tried.")
    if not operation.request.checks:
        said.append("What is in the copy: the request has no checks.")
    elif len(users.checks) < len(operation.request.checks):
        said.append(f"{len(operation.request.checks) - len(users.checks)} checks of the request: they were not asked.")
    if not operation.request.post_restore_sql:
        said.append("Whether personal data is masked: the request has no scripts.")
    else:
        said.append("Whether the scripts mask everything: what they leave out is looked for only by checks.")
    if not operation.request.health.amcheck:
        said.append("Whether indexes fit their tables: the request names no database for amcheck.")
    return [*said, *_of_a_drill(operation.identifiers.drill_of), *_NEVER_TESTED]


def _of_a_drill(target: str | None) -> list[str]:
    if target is None:
        return []
    return [
        f"What hangs on {target} (endpoints, proxies, scaling, subscriptions): a drill has none of it.",
        "Whether all of the drill is gone: its clean-up ends after this, and tells in a message of its own.",
    ]


def deviations(operation: Operation, rto: Objective, rpo: Objective, timeline: Sequence[Phase]) -> list[str]:
    """Return what did not come out as meant, or needs a person."""
    users, restore, begun = operation.users or UsersRecord(), operation.restore, operation.begun
    comparison = restore.settings.comparison if restore else None
    parts = [
        *([f"failed: {operation.error.name}"] if operation.error and _has_failed(operation) else []),
        *(["the recovery time objective was missed"] if rto.met is False else []),
        *(["the recovery point objective was missed"] if rpo.met is False else []),
        *_clocks_apart(rto, timeline),
        *([f"worked on by {len(operation.executions)} executions"] if operation.is_resumed else []),
        *(["the final snapshot of the old target is lost"] if begun.final_snapshot_lost else []),
        *([f"the old data was not brought back: {begun.not_brought_back}"] if begun.not_brought_back else []),
        *(f"setting not as planned: {difference}" for difference in (comparison.differences if comparison else [])),
        *(f"known before it began: {warning}" for warning in operation.plan.warnings),
        *(f"left as it is: {note}" for note in (restore.notes if restore else [])),
        *(f"not found, of keep_logins: {name}" for name in users.unknown_logins),
        *(f"production's login is kept: {name}" for name in users.kept),
        *(["ways out of the copy are open"] if users.outbound_closed is False and users.outbound else []),
        *(f"ran with the master's rights: {script.s3_uri}" for script in users.scripts if script.as_master),
        *(str(finding) for finding in users.health if finding.verdict is Verdict.FOR_A_PERSON),
    ]
    return list(dict.fromkeys(parts))


def _clocks_apart(rto: Objective, timeline: Sequence[Phase]) -> list[str]:
    """Tell of a recovery time by RDS's clock that the timeline, which is by the functions', does not confirm."""
    opened = [phase.finished_at for phase in timeline if phase.name in _OPENING]
    if rto.measured_seconds is None or not opened:
        return []
    by_functions = (opened[-1] - timeline[0].finished_at).total_seconds()
    if abs(rto.measured_seconds - by_functions) <= max(_CLOCKS_MAY_DIFFER, by_functions / 10):
        return []
    by_rds, by_them = duration(rto.measured_seconds), duration(round(by_functions))
    return [f"the clocks ran apart: recovery took {by_rds} by RDS's clock, {by_them} by the functions'"]


def _has_failed(operation: Operation) -> bool:
    return operation.status is OperationStatus.FAILED
