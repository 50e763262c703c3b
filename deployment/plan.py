"""A dry run in the deployed account, printed for people."""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deployment import stacks
from deployment.account import Account, Refused, told
from deployment.names import Names
from utils.json_text import NotJson, read_json
from utils.report.preview_text import Tone, lines_of_output

_LOOK_SECONDS = 1.0
_COLOURS = {Tone.HEADING: "1", Tone.GOOD: "32", Tone.ATTENTION: "33", Tone.BAD: "1;31", Tone.QUIET: "2"}


def plan(account: Account, names: Names, environment: str, file: Path, *, as_json: bool = False) -> int:
    """Start a dry run of the request in `file` and print what it would do; 1 if the run would be refused."""
    request = _request(file)
    with told():
        pipeline = stacks.find_stack(account, names.pipeline)
        if pipeline is None:
            first = f"./deploy.sh deploy --env {environment} --region {account.region}"
            raise Refused(f"no stack {names.pipeline} in {account.region}: run {first} first")
        states = account.client("stepfunctions")
        name = f"plan-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"
        started = states.start_execution(
            stateMachineArn=stacks.state_machine_of(account, pipeline),
            name=name,
            input=json.dumps({**request, "dry_run": True}),
        )
        ended = _wait(states, started["executionArn"])
    if ended["status"] != "SUCCEEDED":
        print(f"The run would be refused: {ended.get('error', ended['status'])}\n{ended.get('cause', '')}")
        return 1
    summary: dict[str, Any] = json.loads(ended["output"])
    if as_json:
        print(json.dumps(summary.get("preview", summary["plan"]), indent=2))
        return 0
    print(f"Nothing was changed. On {summary['target_cluster_id']} in {account.region}, with {file}:")
    print("\n".join(lines_of_output(summary, _marked if _has_colours() else _as_it_is)))
    return 0


def _has_colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _as_it_is(_: Tone, text: str) -> str:
    return text


def _marked(tone: Tone, text: str) -> str:
    return f"\x1b[{_COLOURS[tone]}m{text}\x1b[0m"


def _request(file: Path) -> dict[str, Any]:
    try:
        request = read_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NotJson) as error:
        raise Refused(f"--input {file}: found no JSON ({error}); expected a file with a JSON object") from None
    if not isinstance(request, dict):
        raise Refused(f"--input {file}: found {type(request).__name__}, expected a JSON object, the request")
    return request


def _wait(states: Any, execution: str) -> dict[str, Any]:
    """Wait for the end; the state machine's own time-outs bound it."""
    while True:
        answer: dict[str, Any] = states.describe_execution(executionArn=execution)
        if answer["status"] != "RUNNING":
            return answer
        time.sleep(_LOOK_SECONDS)
