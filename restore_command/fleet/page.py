"""A fleet as a page of its own, one file without scripts; all that it shows is text."""

from datetime import UTC, datetime

from restore_command.fleet import views
from restore_command.fleet.fleets import Fleet
from restore_command.views import how
from utils.evidence.page import template_of
from utils.operation.model import OperationStatus
from utils.words import duration


def page_of(fleet: Fleet, region: str) -> str:
    """Return the page."""
    restored = [member for member in fleet.members if member.status == OperationStatus.SUCCEEDED]
    longest = max((member.run.seconds for member in restored if member.run), default=None)
    return template_of("fleet.html.jinja").render(
        fleet=fleet,
        region=region,
        counts=views.counts(fleet),
        done=views.done(fleet),
        restored=len(restored),
        failed=sum(member.failed for member in fleet.members),
        took=duration(round(((fleet.stopped_at or datetime.now(UTC)) - fleet.started_at).total_seconds())),
        longest=duration(round(longest)) if longest is not None else "-",
        rows=[
            (member, duration(round(member.run.seconds)) if member.run else "-", how(member.run) if member.run else "-")
            for member in fleet.members
        ],
        made_at=datetime.now(UTC),
    )
