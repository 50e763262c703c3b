"""The command line: what is wrong with it is said before AWS is asked."""

from pathlib import Path

import pytest

from deployment.account import Refused
from restore_command import app
from restore_command.durations import typed
from restore_command.exit_codes import FAILED, INTERRUPTED, RUNNING, SUCCEEDED, USAGE
from restore_command.options import typed_options
from utils.words import duration


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run restore.sh's Python with a command line; return the exit code."""
    monkeypatch.setattr("sys.argv", ["restore.sh", *arguments])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    try:
        return app.main()
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("runs", "--since", "3x"), "found '3x', expected a number and m, h, d or w"),
        (("runs", "--status", "DONE"), "'DONE' is not one of"),
        (("runs", "--limit", "0"), "greater than or equal to 1"),
        (("start", "--input", "nowhere.json"), "nowhere.json"),
        (("resume",), "OPERATION"),
        (("shwo",), "No such command 'shwo'"),
        (("reject", "nightly-1"), "--reason"),
        (("verify-report", "report.json"), "--key"),
        (("report", "--json", "--html"), "one form at a time"),
        (("report", "--signed", "folder", "--html"), "as they were signed"),
        (("drills", "--days", "0"), "greater than or equal to 1"),
        (("drills", "--signed", "folder", "--html", "page.html"), "as it was signed"),
    ],
)
def test_a_wrong_command_line_is_named_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.setattr(app, "pipeline_of", lambda *_of: None)

    assert run(monkeypatch, *arguments) == USAGE
    assert told in capsys.readouterr().err


def test_a_request_that_is_no_text_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(app, "pipeline_of", lambda *_of: None)
    (tmp_path / "request.json").write_bytes(b"\xff\xfe")

    assert run(monkeypatch, "start", "--input", str(tmp_path / "request.json")) == USAGE
    assert "expected a file with a JSON object" in " ".join(capsys.readouterr().err.split())


def test_a_region_that_does_not_exist_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "runs", "--region", "mars-1") == FAILED
    assert capsys.readouterr().err.startswith("restore.sh: no Region 'mars-1'")


@pytest.mark.parametrize("leading", [("--env", "staging", "--region", "eu-west-1"), ("--env=staging",), ()])
def test_a_refusal_names_commands_that_lead_to_the_pipeline_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], leading: tuple[str, ...]
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise Refused("night is at work: ./restore.sh watch night")

    monkeypatch.setattr(app, "pipeline_of", lambda *_of: None)
    monkeypatch.setattr("restore_command.commands.resume", refuse)

    assert run(monkeypatch, "resume", "night", *leading) == FAILED
    options = " ".join(("", *leading)).replace("=", " ")
    assert capsys.readouterr().err == f"restore.sh: night is at work: ./restore.sh watch{options} night\n"


COMMANDS = [
    "start",
    "plan",
    "watch",
    "runs",
    "show",
    "resume",
    "undo",
    "afterwards",
    "approve",
    "reject",
    "report",
    "drills",
]


def test_exit_codes_are_told_in_the_help_and_in_the_readme(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = f"{SUCCEEDED} succeeded (or shown), {FAILED} failed"
    also = f"{USAGE} wrong command line or request, {RUNNING} the run goes on, {INTERRUPTED} interrupted"

    assert run(monkeypatch, "--help") == SUCCEEDED

    helped = " ".join(capsys.readouterr().out.split())
    readme = " ".join(Path("README.md").read_text(encoding="utf-8").split())
    assert [text for text in (told, also) for where in (helped, readme) if text not in where] == []
    assert (SUCCEEDED, FAILED, USAGE, RUNNING, INTERRUPTED) == (0, 1, 2, 3, 130)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_json_and_region(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert run(monkeypatch, command, "--help") == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--json", "--region", "--env"))


def test_times_are_written_and_typed_as_people_do() -> None:
    assert [duration(seconds) for seconds in (42, 1207, 3900)] == ["42 s", "20 min 07 s", "1 h 05 min"]
    assert [typed(text).total_seconds() for text in ("90m", "36h", "7d", "2w")] == [5400, 129_600, 604_800, 1_209_600]


@pytest.mark.parametrize("options", [[], ["--postpone", "8", "--cancel"]])
def test_what_becomes_of_a_cluster_is_either_put_off_or_called_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert run(monkeypatch, "afterwards", "nightly-1", *options) == USAGE
    assert "give one of the two" in capsys.readouterr().err


def test_it_is_put_off_by_some_time_or_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "afterwards", "nightly-1", "--postpone", "-1") == USAGE
    assert "'--postpone': Input should be greater than or equal to 0.001" in capsys.readouterr().err


def test_an_option_within_a_reason_leads_nowhere() -> None:
    arguments = ["reject", "n", "--env", "staging", "--reason", "unlike --env dev", "--region=eu-west-1"]
    assert set(typed_options(arguments).split(" --")[1:]) == {"env staging", "region eu-west-1"}
