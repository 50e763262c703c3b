"""What a person sees of a fleet: how many stand how, and one line for each target."""

from collections import Counter

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from restore_command.fleet.fleets import NOT_STARTED, Fleet, Member
from restore_command.views import how
from utils.operation.model import OperationStatus
from utils.words import duration

_WORDS = {
    "RUNNING": "at work",
    NOT_STARTED: "not started",
}
_STYLES = {"SUCCEEDED": ("✓", "green"), "RUNNING": ("…", "yellow"), NOT_STARTED: ("·", "dim")}
_FAILED = ("✗", "bold red")


def one(fleet: Fleet) -> RenderableType:
    """Return all of a fleet: its counts, its targets, and what to type next."""
    mark, colour = _STYLES.get(fleet.status, _FAILED)
    head = Text.assemble((fleet.name, "bold"), "  ", (f"{mark} {fleet.status}", colour), f"  {counts(fleet)}")
    table = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for name in ("operation", "target", "status"):
        table.add_column(name, overflow="fold")
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("ended by", overflow="fold")
    for member in fleet.members:
        mark, colour = _STYLES.get(member.status, _FAILED)
        took = duration(round(member.run.seconds)) if member.run else "-"
        table.add_row(
            Text(member.run.operation_id if member.run else member.operation_id), Text(member.target or "-"),
            Text(f"{mark} {member.status}", colour), took, Text(how(member.run) if member.run else "-"),
        )  # fmt: skip
    # A fleet that was refused has no targets; why is all that there is to say of it.
    body: RenderableType = table if fleet.members else Text(fleet.cause)
    unknown = [Text(f"Only runs that began are shown: {fleet.requests.unknown}.")] if fleet.requests.unknown else []
    return Group(head, body, *unknown, *(Text(line, "dim") for line in next_steps(fleet)))


def counts(fleet: Fleet) -> str:
    """Return how many stand how, such as `45 of 50 restored, 5 failed`."""
    found = Counter(_word(member) for member in fleet.members)
    best = done(fleet)
    first = f"{found.pop(best, 0)} of {len(fleet.members)} {best}"
    return ", ".join([first, *(f"{number} {word}" for word, number in sorted(found.items()))])


def done(fleet: Fleet) -> str:
    """Return the word for what the best of its runs come to: dry runs restore nothing."""
    return "planned" if fleet.is_dry_run else "restored"


def _word(member: Member) -> str:
    if member.status == OperationStatus.SUCCEEDED:
        return "planned" if member.is_dry_run else "restored"
    return _WORDS.get(member.status, member.status.lower())


def next_steps(fleet: Fleet) -> list[str]:
    """Return what to type next."""
    failed = [member.run.operation_id for member in fleet.members if member.failed and member.run]
    unchanged = ["Nothing was changed."] if fleet.is_dry_run and fleet.is_over else []
    if not failed:
        return unchanged
    return [
        *unchanged,
        f"Why: ./restore.sh show {failed[0]}",
        *([f"When that is mended: ./restore.sh fleet resume {fleet.name}"] if fleet.is_over else []),
    ]
