"""Planted passwords are in the secret store and nowhere else."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import pytest

from local_cloud.pipeline.deployment import Deployment
from tests.integration.stage.afternoon import OPERATION, OWN_LOGIN_PASSWORD, OWNER, Afternoon
from tests.integration.stage.night import Night
from tests.integration.stage.production import LOGINS
from tests.integration.stage.production import MASTER as PRODUCTION_MASTER
from tests.integration.stage.stories import Storyteller
from tests.integration.stage.watch import CommandLines
from tests.integration.stage.world import AUDIT_TABLE, OLD_MASTER, STATE_TABLE, World


def planted(deployment: Deployment) -> list[str]:
    """Return every password that is known to the tests."""
    users = (deployment.application_user, deployment.readonly_user, deployment.devops_user)
    logins = (PRODUCTION_MASTER, OLD_MASTER, OWNER, *LOGINS.values(), deployment.master, *users)
    return [*(login.password for login in logins), OWN_LOGIN_PASSWORD]


def _log_events(world: World) -> str:
    logs = world.client("logs")
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    ]
    assert len(groups) >= 11
    return "\n".join(
        event["message"]
        for group in groups
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for event in page["events"]
    )


def _rows(table: str) -> Callable[[World], str]:
    def read(world: World) -> str:
        pages = world.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return json.dumps([item for page in pages for item in page["Items"]])

    return read


def _histories(world: World) -> str:
    paginator = world.client("stepfunctions").get_paginator("list_executions")
    pages = paginator.paginate(stateMachineArn=world.deployment.state_machine_arn)
    names = [execution["name"] for page in pages for execution in page["executions"]]
    return str([world.history(name) for name in names])


def _journal(world: World) -> str:
    return str([astuple(call) for call in world.journal()])


def _postgres_logs(world: World) -> str:
    files = sorted((world.cloud.run_dir / "aurora" / "logs").glob("**/*"))
    return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())


PLACES: dict[str, tuple[Callable[[World], str], str]] = {
    "logs": (_log_events, '"operation_id":"nightly"'),
    "operation rows": (_rows(STATE_TABLE), "nightly"),
    "audit rows": (_rows(AUDIT_TABLE), "nightly"),
    "execution histories": (_histories, "shop-staging"),
    "notifications": (lambda world: str(world.mailbox.messages()), "shop-staging"),
    "the local Aurora's journal": (_journal, "MasterUserPassword"),
    "PostgreSQL's logs": (_postgres_logs, "CREATE ROLE"),
}


@pytest.fixture(scope="module", autouse=True)
def _something_happened(storyteller: Storyteller, night: Night, afternoon: Afternoon) -> tuple[Night, Afternoon]:
    storyteller.all_told()
    return night, afternoon


@pytest.mark.parametrize("place", PLACES)
def test_no_password_is_in(world: World, place: str) -> None:
    read, expected = PLACES[place]
    text = read(world)
    assert expected in text, f"the search in {place} finds nothing at all"
    assert [password for password in planted(world.deployment) if password in text] == []


def test_no_password_was_on_a_command_line(world: World, command_lines: CommandLines) -> None:
    seen = "\n".join(command_lines.seen())
    for expected in ("functions/zygote.py", "bin/postgres", "psql", "aws", "sam"):
        assert expected in seen, f"the watch saw no {expected}"
    assert [password for password in planted(world.deployment) if password in seen] == []


def test_no_password_is_in_any_file_of_the_run(world: World) -> None:
    run_dir = world.cloud.run_dir
    elsewhere = {path.resolve() for path in run_dir.glob("aurora/*")}  # where PostgreSQL's user cannot reach the run
    folders = [run_dir, *(path for path in elsewhere if not path.is_relative_to(run_dir))]
    passwords = planted(world.deployment)
    found = _files_with([*passwords, OPERATION], folders)
    assert run_dir / "aurora" / "journal.jsonl" in found, "the search finds nothing at all"
    assert [file for file in found if any(password.encode() in file.read_bytes() for password in passwords)] == []


def _files_with(words: list[str], folders: list[Path]) -> list[Path]:
    """Search every file, data directories of PostgreSQL included."""
    done = subprocess.run(
        ["grep", "--recursive", "--files-with-matches", "--text", "--fixed-strings", "--no-messages", "-f-", *folders],
        input="\n".join(words), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [Path(line) for line in done.stdout.splitlines()]
