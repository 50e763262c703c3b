"""The notification of an operation's end, in the words that people get: one message for each run."""

from utils.aws.notifier import LONGEST_SUBJECT, Notification
from utils.errors import SO_FAR
from utils.operation.model import OperationStatus, ScriptRecord
from utils.operation.records import OperationError
from utils.report.advice import Advice
from utils.report.changes import says_nothing_was_changed, without_a_plan
from utils.report.commands import execution_url, resume_command
from utils.report.envelope import About, notification
from utils.report.exposure import exposure_in_words
from utils.report.preview_text import lines_of
from utils.report.summary import Summary
from utils.restore_type import RestoreType
from utils.words import duration, outage

_WIDTH = 17
_IF_IT_CAN = "If that is not a new run, resume this operation afterwards:"


def message_for_success(summary: Summary) -> Notification:
    """Write the message of a run that succeeded, or of a dry run."""
    lines = _dry_run(summary) if summary.dry_run else _success(summary)
    next_steps = [] if summary.dry_run else _bring_back_in_chat(summary)
    subject = _subject(summary.target_cluster_id, "SUCCEEDED (dry run)" if summary.dry_run else "SUCCEEDED")
    about = About(
        operation_id=summary.operation_id,
        status=summary.status,
        target_cluster_id=summary.target_cluster_id,
        snapshot=summary.snapshot,
        console_url=summary.console_url,
    )
    return notification(subject, lines, about, summary.as_json(), next_steps)


def message_for_failure(
    operation_id: str,
    execution_arn: str,
    error: OperationError,
    summary: Summary | None,
    advice: Advice = Advice.NEW_RUN,
) -> Notification:
    """Write the message of a run that failed: which step, why, what was changed, what to do.

    There is no summary of a request that was refused before there was a plan.
    """
    about = About(
        operation_id=operation_id,
        status=OperationStatus.FAILED,
        target_cluster_id=summary.target_cluster_id if summary else "",
        snapshot=summary.snapshot if summary else None,
        console_url=execution_url(execution_arn),
    )
    resume = resume_command(operation_id, execution_arn) if advice is Advice.RESUME else None
    lines = [f"Operation {operation_id} failed{_at(error)} with {error.name}.", "", error.message, ""]
    lines += _what_is_left(summary, error) if summary else [without_a_plan(error.message)]
    lines += ["", _next(advice, resume)]
    lines += ["", *_indented(resume)] if resume else []
    lines += _evidence(summary) if summary else []
    lines += _link(about.console_url)
    is_back = ", old data back" if summary and summary.brought_back else ""
    subject = _subject(about.target_cluster_id or operation_id, f"FAILED{is_back}: {error.name}")
    detail = (summary.as_json() if summary else {}) | {
        "operation_id": operation_id,
        "status": about.status.value,
        "error": error.model_dump(),
        "console_url": about.console_url,
        "resume": resume,
    }
    return notification(subject, lines, about, detail, [step for step in (error.message, resume) if step])


def _success(summary: Summary) -> list[str]:
    seconds = summary.seconds
    took = f", in {duration(seconds['total'])}" if "total" in seconds else ""
    lines = [
        f"{summary.target_cluster_id} is restored from {summary.source_cluster_id} as of {_minute(summary)} UTC"
        f"{took}. Its users are proven.",
        "",
        _row("Endpoint", f"{summary.endpoint}:{summary.port}"),
        _row("Version", f"Aurora PostgreSQL {summary.engine_version}"),
        _row("Instances", ", ".join(summary.instances)),
        *([_row("Settings", summary.settings)] if summary.settings else []),
        *_swap(summary),
        *_afterwards(summary),
        *(_row("Left as it is", note) for note in summary.notes),
        _source(summary),
        _row("Snapshot copy", summary.copied or "not needed"),
        _row("Storage", f"{summary.storage_gib} GiB"),
        "",
        "Durations",
        *(f"  {_row(phase, duration(value))}" for phase, value in seconds.items()),
        "",
        "Users",
        *(f"  {_row(name, '; '.join(proofs))}" for name, proofs in summary.users.items()),
        "",
        _row("Exposure", exposure_in_words(summary)),
        _row("Shut out", ", ".join(summary.shut_out) or "none: the snapshot brought no other login"),
        *_kept_and_ways_out(summary),
        _row("Scripts run", ", ".join(map(_script_in_words, summary.scripts)) or "none"),
        _row("Checks that hold", ", ".join(f"{item.name} ({item.found})" for item in summary.checks) or "none"),
        _row("Pruned snapshots", ", ".join(summary.pruned) or "none"),
        "",
        *_health(summary),
    ]
    return [*lines, *_deletion(summary), *_evidence(summary), *_link(summary.console_url)]


def _afterwards(summary: Summary) -> list[str]:
    return [_row("Afterwards", summary.afterwards)] if summary.afterwards else []


def _swap(summary: Summary) -> list[str]:
    if summary.old_cluster is None:
        return []
    lasted = outage(summary.outage_seconds, summary.outage_uncertainty_seconds)
    hours = summary.keep_old_hours
    kept = "delete it when nobody needs it any more" if hours is None else f"it is deleted after {hours:g} hours"
    return [
        _row("Old cluster", f"{summary.old_cluster}, with its data as it was: {kept}"),
        _row("Outage", f"{lasted} in which {summary.target_cluster_id} did not answer"),
    ]


def _health(summary: Summary) -> list[str]:
    if not summary.health:
        return []
    return ["Health of the copy", *(f"  - {finding}" for finding in summary.health), ""]


def _kept_and_ways_out(summary: Summary) -> list[str]:
    lines = [_row("Logins kept", ", ".join(summary.kept_logins) or "none")]
    if summary.unknown_logins:
        lines.append(_row("Not found", f"{', '.join(summary.unknown_logins)}, of keep_logins"))
    title = "Ways out OPEN" if summary.outbound_closed is False else "Ways out closed"
    if summary.disarmed:
        lines.append(_row("Disarmed", ", ".join(summary.disarmed)))
    return [*lines, _row(title, ", ".join(summary.outbound) or "none")]


def _dry_run(summary: Summary) -> list[str]:
    shown = lines_of(summary.preview.as_json()) if summary.preview else [f"- {line}" for line in summary.plan]
    return ["Dry run: nothing was changed.", *shown, *_evidence(summary), *_link(summary.console_url)]


def _warned_of(summary: Summary) -> list[str]:
    if not summary.warnings:
        return []
    return ["", "Known before it began", *(f"  - {warning}" for warning in summary.warnings)]


def _what_is_left(summary: Summary, error: OperationError) -> list[str]:
    seconds = ", ".join(f"{phase} {duration(value)}" for phase, value in summary.seconds.items())
    return [
        _row("Target", summary.target_cluster_id),
        *_afterwards(summary),
        *(_row(name, value) for name, value in summary.old_data().items()),
        _source(summary),
        _row("Snapshot copy", summary.copied or "none"),
        _row("Durations", seconds or "no phase ended"),
        _row("Exposure", exposure_in_words(summary)),
        _row("Shut out", ", ".join(summary.shut_out) or "nobody yet"),
        *([] if SO_FAR in error.message or says_nothing_was_changed(error.message) else _changed(summary)),
        *_warned_of(summary),
        "",
        *_deletion(summary),
    ]


def _changed(summary: Summary) -> list[str]:
    return ["", "Changed so far", *(f"  - {sentence}" for sentence in summary.changes.sentences())]


def _deletion(summary: Summary) -> list[str]:
    deleted = ", ".join(summary.deleted) or "nothing"
    if summary.changes.gone_by_others:
        deleted = "nothing: somebody else deleted or renamed the old target"
    lines = [_row("Deleted", deleted)]
    if summary.changes.final_snapshot_lost:
        return [*lines, _row("Final snapshot", "lost: what the old cluster held cannot be brought back")]
    if summary.half_restored_by and summary.deleted:
        why = f"none: the old cluster was what operation {summary.half_restored_by} left half-restored"
        return [*lines, _row("Final snapshot", why)]
    if not summary.final_snapshot:
        nothing_left = [_row("Final snapshot", "none was wanted: what the old cluster held is gone")]
        return [*lines, *(nothing_left if summary.deleted else [])]
    if summary.brought_back:
        return [*lines, _row("Final snapshot", summary.final_snapshot)]
    commands = [line for command in summary.bring_back for line in _indented(command)]
    lines += [_row("Final snapshot", summary.final_snapshot), ""]
    return [
        *lines,
        "To bring the old cluster back, under another name, with its own logins and passwords:",
        "",
        *commands,
    ]


def _subject(what: str, outcome: str) -> str:
    """Return the subject; a long name gives way, the outcome never does."""
    room = LONGEST_SUBJECT - len(f"Aurora restore of  {outcome}")
    name = what if len(what) <= room else f"{what[: room - 3]}..."
    return f"Aurora restore of {name} {outcome}"


def _bring_back_in_chat(summary: Summary) -> list[str]:
    return [f"Bring the old cluster back: `{' && '.join(summary.bring_back)}`"] if summary.bring_back else []


def _at(error: OperationError) -> str:
    return f" at step {error.step}" if error.step else ""


def _next(advice: Advice, resume: str | None) -> str:
    if advice is Advice.NEITHER:
        return "Next: nothing, the operation is over or another execution works on it."
    return f"Next: do what the message says. {_IF_IT_CAN if resume else 'Then start a new run. It is not resumed.'}"


def _link(console_url: str | None) -> list[str]:
    return ["", f"Execution: {console_url}"] if console_url else []


def _evidence(summary: Summary) -> list[str]:
    return ["", _row("Evidence", summary.evidence)] if summary.evidence else []


def _script_in_words(script: ScriptRecord) -> str:
    # Production's triggers and views had the master's rights in it: a person should know.
    return f"{script.s3_uri} in {script.database}{', as the master user' if script.as_master else ''}"


def _source(summary: Summary) -> str:
    if summary.restore_type is RestoreType.SNAPSHOT:
        return _row("Source snapshot", f"{summary.snapshot}, {summary.snapshot_age_hours:g} hours old")
    how = "cloned" if summary.restore_type is RestoreType.COPY_ON_WRITE else "point in time"
    return _row("Source cluster", f"{summary.snapshot}, {how}, as of {_minute(summary)} UTC")


def _row(name: str, value: str) -> str:
    return f"{name:<{_WIDTH}} {value}"


def _indented(command: str) -> list[str]:
    return [f"    {line}" for line in command.splitlines()]


def _minute(summary: Summary) -> str:
    return f"{summary.snapshot_created_at:%Y-%m-%d %H:%M}"
