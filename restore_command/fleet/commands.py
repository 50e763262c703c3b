"""What each command of `./restore.sh fleet` does."""

import json
import time
from dataclasses import replace
from pathlib import Path

from rich.live import Live

from deployment.account import Refused, told
from restore_command import execution as executions
from restore_command.exit_codes import FAILED, RUNNING, SUCCEEDED, USAGE
from restore_command.fleet import fleets, requests, views
from restore_command.fleet.fleets import Fleet
from restore_command.fleet.page import page_of
from restore_command.fleet.requests import Checked
from restore_command.output import Output
from restore_command.pipeline import Pipeline

_LOOK_SECONDS = 5.0
_LONGEST_NAME = 76  # 80 characters are an execution's; each run adds a number


def start(pipeline: Pipeline, output: Output, text: str, name: str, *, watch: bool) -> int:
    """Check every request of a fleet and start it; nothing is started if one does not fit."""
    checked = _checked(pipeline, output, text)
    return USAGE if checked is None else _start(pipeline, output, checked, name, watch=watch)


def plan(pipeline: Pipeline, output: Output, text: str) -> int:
    """Let every run of a fleet make its plan, and tell which of them would be refused."""
    checked = _checked(pipeline, output, text, dry_run=True)
    if checked is None:
        return USAGE
    every = checked.request.model_copy(update={"tolerated_failures": len(checked.operations)})
    return _start(pipeline, output, replace(checked, request=every), executions.new_name("plan"), watch=True)


def resume(pipeline: Pipeline, output: Output, name: str, *, watch: bool) -> int:
    """Start a fleet of what another one did not restore: operations that failed go on, others are started anew."""
    with told():
        fleet = fleets.find(pipeline, name)
    if not fleet.is_over:
        raise Refused(f"{name} is at work: ./restore.sh fleet watch {name}")
    if fleet.requests.unknown:
        raise Refused(
            f"what {name} has not started is not known ({fleet.requests.unknown}): start a fleet of that anew"
        )
    left = [member.again for member in fleet.members if member.failed or member.run is None]
    if not left:
        raise Refused(f"{name} left nothing to go on with: ./restore.sh fleet show {name} tells how its runs stand")
    asked = {field: value for field, value in fleet.asked.items() if field != "operations_from"}
    checked = _checked(pipeline, output, json.dumps({**asked, "operations": left}))
    return USAGE if checked is None else _start(pipeline, output, checked, executions.new_name("resume"), watch=watch)


def watch(pipeline: Pipeline, output: Output, name: str | None) -> int:
    """Follow a fleet to its end; Ctrl-C leaves it alone."""
    with told():
        return _follow(pipeline, output, fleets.find(pipeline, name))


def show(pipeline: Pipeline, output: Output, name: str | None, html: Path | None) -> int:
    """Show a fleet, one line a target; as a page as well if a file is named."""
    with told():
        fleet = fleets.find(pipeline, name)
    if html is not None:
        output.file(html, page_of(fleet, pipeline.region))
    output.result(fleet.document(), views.one(fleet))
    return SUCCEEDED


def _checked(pipeline: Pipeline, output: Output, text: str, *, dry_run: bool = False) -> Checked | None:
    checked, problems = requests.read(text, pipeline, dry_run=dry_run)
    for problem in problems:
        output.note(f"restore.sh: {problem}")
    return checked


def _start(pipeline: Pipeline, output: Output, checked: Checked, name: str, *, watch: bool) -> int:
    name = name or executions.new_name("fleet")
    if len(name) > _LONGEST_NAME:
        raise Refused(f"--name: found {len(name)} characters; expected at most {_LONGEST_NAME}; nothing was started")
    with told():
        arn = executions.start(
            pipeline.states, pipeline.fleet_machine_arn, checked.request.model_dump(exclude_none=True), name
        )
        if watch:
            return _follow(pipeline, output, fleets.at(pipeline, arn))
    said = f"started {name}, {len(checked.operations)} restores\nWatch it: ./restore.sh fleet watch {name}"
    output.result({"fleet": name, "execution_arn": arn}, said)
    return SUCCEEDED


def _follow(pipeline: Pipeline, output: Output, fleet: Fleet) -> int:
    try:
        if output.is_live:
            with Live(console=output.console, auto_refresh=False) as display:
                while not fleet.is_over:
                    display.update(views.one(fleet), refresh=True)
                    fleet = _after_a_while(pipeline, fleet)
        else:
            said = ""
            while not fleet.is_over:
                if views.counts(fleet) != said and not output.as_json:
                    output.note(said := views.counts(fleet))
                fleet = _after_a_while(pipeline, fleet)
    except KeyboardInterrupt:
        output.note(f"{fleet.name} goes on. Watch it again: ./restore.sh fleet watch {fleet.name}")
        return RUNNING
    output.result(fleet.document(), views.one(fleet))
    return SUCCEEDED if fleet.status == "SUCCEEDED" else FAILED


def _after_a_while(pipeline: Pipeline, fleet: Fleet) -> Fleet:
    time.sleep(_LOOK_SECONDS)
    return fleets.at(pipeline, fleet.arn, fleet.requests)
