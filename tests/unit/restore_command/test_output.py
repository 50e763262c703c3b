"""What is printed: whole lines that can be copied, in colours where wanted, and nothing that commands a terminal."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from rich.console import Group
from rich.text import Text

from restore_command import commands, views
from restore_command.commands import Wanted
from restore_command.evidence import drills_shown
from restore_command.evidence.reporting import Form, report
from restore_command.options import Environment, output_of
from restore_command.output import Output, SafeConsole
from tests.unit.evidence.runs import BROKEN, a_request, a_restore
from tests.unit.operations import AT
from tests.unit.restore_command.desk import Desk
from utils.evidence.drills import Drills, SourceCluster
from utils.operation.model import CheckRecord, HealthRecord, OperationStatus, UsersRecord, Verdict
from utils.operation.records import OperationError
from utils.words import printable

# Clears the screen, sets the title, types for the reader, one-byte CSI, a bell, and writing from right to left.
PLANTED = "x\x1b[2J\x1b]0;mine\x07\x1b[6n\x9b31m\r\u202etxt<script>alert(1)</script>"
COMMANDS = {"\x1b", "\x9b", "\x07", "\r", "\u202e"}
ALL = Wanted(target=None, status=None, since=None, limit=20)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A run that failed, with an attack in every text that somebody else may write."""
    with mock_aws():
        made = Desk()
        users = UsersRecord(
            proofs={PLANTED: [PLANTED]}, shut_out=[PLANTED], kept=[PLANTED], databases=[PLANTED], outbound=[PLANTED],
            checks=[CheckRecord(name=PLANTED, database=PLANTED, expected=PLANTED, found=PLANTED, holds=False)],
            health=[HealthRecord(verdict=Verdict.FOR_A_PERSON, what=PLANTED, names=[PLANTED], count=1)],
        )  # fmt: skip
        error = OperationError(name="CheckFailed", message=PLANTED, step=BROKEN.step)
        made.store.create(a_restore(users=users, status=OperationStatus.FAILED, error=error, request=a_request()))
        yield made


def test_no_command_of_restore_sh_prints_what_a_terminal_obeys(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    commands.show(desk.pipeline, desk.output(), "nightly-1")
    commands.runs(desk.pipeline, desk.output(), ALL)
    desk.output().note(PLANTED)
    desk.output().result({}, PLANTED)
    report(desk.pipeline, desk.output(), "nightly-1", Form.MARKDOWN, None)

    printed = desk.printed + desk.noted + capsys.readouterr().out
    assert printed.count("alert(1)") > 12
    assert COMMANDS & set(printed) == set()


def test_in_json_it_is_written_in_ascii(desk: Desk) -> None:
    commands.show(desk.pipeline, desk.output(as_json=True), "nightly-1")
    assert COMMANDS & set(desk.printed) == set()
    assert json.loads(desk.printed)["message"] == PLANTED


def test_a_cluster_with_such_a_name_is_text_in_the_table_of_drills() -> None:
    source = SourceCluster(cluster_id=PLANTED, region="us-east-1", account_id="1")
    output = io.StringIO()
    table = drills_shown.table_of([Drills(source=source, restores=[], runs=0, fresh_until=None)], AT)
    SafeConsole(file=output, width=200).print(table)
    assert "alert(1)" in output.getvalue()
    assert COMMANDS & set(output.getvalue()) == set()


def test_what_people_write_is_printed_as_it_is() -> None:
    assert printable("Grüße, 日本\u00a0→ ✓\nnext") == "Grüße, 日本\u00a0→ ✓\nnext"


def printed_by(monkeypatch: pytest.MonkeyPatch, shown: Any, *, terminal: bool, **environment: str) -> str:
    """Return what an Output prints with these variables."""
    for name in ("NO_COLOR", "COLUMNS", "TERM", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    forced = {"FORCE_COLOR": "1"} if terminal else {}  # Rich's word for a terminal that is none
    for name, value in {"TERM": "xterm", **forced, **environment}.items():
        monkeypatch.setenv(name, value)
    output, written = Output(as_json=False), io.StringIO()
    output.console.file = written
    output.result(None, shown)
    return written.getvalue()


def test_a_command_is_one_line_also_where_it_is_longer_than_a_pipe_or_a_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = f"Verify it: ./restore.sh verify-report {tmp_path / ('folder' * 40)} --key public_key.pem"
    assert printed_by(monkeypatch, command, terminal=False) == f"{command}\n"
    assert printed_by(monkeypatch, command, terminal=True, COLUMNS="40") == f"{command}\n"


def test_colours_are_for_terminals_and_for_who_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    red = Text("failed", "red")
    assert "\x1b[31m" in printed_by(monkeypatch, red, terminal=True)
    assert printed_by(monkeypatch, red, terminal=True, NO_COLOR="1") == "failed\n"
    assert printed_by(monkeypatch, red, terminal=False) == "failed\n"


def test_a_table_is_as_wide_as_columns_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    narrow = Output(as_json=False)
    assert narrow.console.width == 50
    monkeypatch.delenv("COLUMNS")
    assert Output(as_json=False).console.width == 160


def test_commands_that_are_named_have_the_options_that_lead_to_the_same_pipeline(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = output_of(Environment.STAGING, "eu-west-1", as_json=False)
    output.note("Watch it: ./restore.sh watch n-1")
    output.result({}, "./restore.sh fleet resume many; ./restore.sh runs lists what there is")
    told = capsys.readouterr()
    assert told.err == "Watch it: ./restore.sh watch --env staging --region eu-west-1 n-1\n"
    assert told.out == (
        "./restore.sh fleet resume --env staging --region eu-west-1 many; "
        "./restore.sh runs --env staging --region eu-west-1 lists what there is\n"
    )


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_in_a_layout_a_command_has_its_options_once_and_loses_nothing(width: int) -> None:
    name, written = "nightly-2026-11-27-000000", io.StringIO()
    line = f"do what the message says; if that is not a new run, then ./restore.sh resume {name}"
    more = Text(f"More: ./restore.sh show {name}", "dim")
    layout = Group(more, *views._list("Next", [line]), views._indented(line), views._fields([("why", line)]), more)
    SafeConsole(" --env staging", file=written, width=width).print(layout)

    printed = " ".join(written.getvalue().split())
    assert printed.count("--env staging") == 5
    assert printed.count(f"./restore.sh resume --env staging {name}") == 3
    assert printed.count(f"./restore.sh show --env staging {name}") == 2


def test_a_layout_is_as_wide_as_what_is_printed_in_it() -> None:
    written = io.StringIO()
    layout = Group(*views._list("Next", ["start a new run: ./restore.sh start"]))
    SafeConsole(" --env staging --region eu-west-1", file=written, width=160).print(layout)
    assert written.getvalue() == "\nNext\n  - start a new run: ./restore.sh start --env staging --region eu-west-1\n"


def test_what_asks_no_pipeline_has_no_options(capsys: pytest.CaptureFixture[str]) -> None:
    told = "Verify it: ./restore.sh verify-report folder --key public_key.pem"
    output_of(Environment.STAGING, "eu-west-1", as_json=False).note(told)
    assert capsys.readouterr().err == f"{told}\n"


def test_commands_have_no_options_where_none_were_given(capsys: pytest.CaptureFixture[str]) -> None:
    output_of(None, None, as_json=False).note("Watch it: ./restore.sh watch n-1")
    assert capsys.readouterr().err == "Watch it: ./restore.sh watch n-1\n"
