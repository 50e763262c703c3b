"""The evidence in Markdown, short, for the summary of a job."""

import re
from collections.abc import Iterable
from html import escape

from utils.evidence.model import Evidence, Objective, Phase, Result, SourceEvidence
from utils.restore_type import RestoreType
from utils.words import duration, printable

_MARKS = {Result.RESTORED: "✅", Result.PLANNED: "📝", Result.FAILED: "❌", Result.UNDONE: "↩️"}
_MOST = 20


def _what(source: SourceEvidence) -> str:
    if source.restore_type is RestoreType.SNAPSHOT:
        return f"{source.cluster_id}, snapshot {source.snapshot_id}"
    return f"{source.cluster_id} itself, {source.restore_type}"


def markdown_of(evidence: Evidence) -> str:
    """Return it; whatever comes from a database or a request is text, and no markup."""
    verdict, source, target = evidence.verdict, evidence.source, evidence.target
    rows = [
        ("Operation", evidence.operation_id),
        ("Source", f"{_what(source)} ({source.region}, {source.account_id})"),
        ("As of", f"{source.created_at:%Y-%m-%d %H:%M} UTC, {source.age_hours:g} hours old when picked"),
        ("Target", f"{target.cluster_id} ({target.region}, {target.account_id})"),
        ("Recovery time", objective_in_words(evidence.rto)),
        ("Recovery point", objective_in_words(evidence.rpo)),
    ]
    phases = [(phase.name, *phase_in_words(phase)) for phase in evidence.timeline]
    checks = [(item.name, item.expected, item.found, "yes" if item.holds else "no") for item in evidence.checks]
    users = [(user.name, "; ".join(user.proofs)) for user in evidence.access.users]
    parts = [
        f"## {_MARKS[verdict.result]} {text_of(verdict.sentence)}",
        *([text_of(verdict.error.message)] if verdict.error else []),
        _table(("", ""), rows),
        *_section("Timeline", _table(("phase", "work", "waiting", "approval"), phases) if phases else ""),
        *_section("Users", _table(("user", "proven"), users) if users else ""),
        *_section("Checks", _table(("check", "expected", "found", "holds"), checks) if checks else ""),
        *_section("Changed", _list(verdict.changes)),
        *_section("Deviations", _list(evidence.deviations)),
        *_section("Stands now", _list(_standing(evidence))),
        *_section("Not tested", _list(evidence.not_tested)),
    ]
    return "\n\n".join(parts) + "\n"


def objective_in_words(objective: Objective) -> str:
    """Say what was measured beside what was meant."""
    return f"{measured_in_words(objective)}; {against_objective(objective)}"


def measured_in_words(objective: Objective) -> str:
    """Say what was measured."""
    return "not measured" if objective.measured_seconds is None else duration(objective.measured_seconds)


def against_objective(objective: Objective) -> str:
    """Say what was meant, and whether that was met."""
    if objective.target_seconds is None:
        return "the request has no objective"
    met = {True: "met", False: "missed", None: "not known whether met"}[objective.met]
    return f"objective {duration(objective.target_seconds)}: {met}"


def phase_in_words(phase: Phase) -> tuple[str, str, str]:
    """Return the durations of work, waiting and approval."""
    work, waiting, approval = (
        duration(round(seconds)) for seconds in (phase.work_seconds, phase.waiting_seconds, phase.approval_seconds)
    )
    return work, waiting, approval


def text_of(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    return re.sub(r"([\\`*_{}\[\]|~!])", r"\\\1", escape(printable(" ".join(text.split())), quote=False))


def _standing(evidence: Evidence) -> list[str]:
    costs = evidence.costs
    if costs is None or not costs.standing:
        return []
    known = f"estimated ${costs.monthly_usd:,.2f} a month at list prices, as far as it is known"
    return [*(f"{item.what}: {item.amount}" for item in costs.standing), known]


def _section(title: str, body: str) -> list[str]:
    return [f"### {title}", body] if body else []


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *([text_of(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _list(lines: list[str]) -> str:
    more = [f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return "\n".join(f"- {text_of(line)}" for line in [*lines[:_MOST], *more])
