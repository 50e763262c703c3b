"""What ./local.sh messages tells, and how everything that it prints looks."""

import io
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local_cloud import run_folder
from local_cloud.aws_environment import command_environment
from local_cloud.cloud import LocalCloud
from local_cloud.pipeline import commands, messages
from local_cloud.pipeline.demonstration import stack_parameters
from local_cloud.screen.layout import fields, seen, wrapped
from local_cloud.screen.palette import Palette
from tooling.environments import REPOSITORY

PLAIN, COLOURED = Palette(coloured=False), Palette(coloured=True)


def test_at_80_columns_no_word_is_broken_and_no_line_is_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    message = "Cluster shop-staging carries no tag aurora-restore:replaceable=true, so it is never touched. " * 3
    assert [line for line in wrapped(COLOURED.bad(message)).splitlines() if seen(line) > 80] == []
    assert wrapped(f"  see {'x' * 90} there").splitlines() == ["  see", f"  {'x' * 90}", "  there"]
    assert wrapped(f"Users      {'word ' * 16}").splitlines()[1] == f"{' ' * 11}word word"
    assert fields([("name", "word " * 16 + "end")]).splitlines()[1] == "        word word end"


def test_no_color_is_heard_and_a_pipe_has_none() -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert COLOURED.good("same") == "\x1b[32msame\x1b[0m"
    assert Palette.of(Tty(), {}).coloured
    assert not Palette.of(Tty(), {"NO_COLOR": "1"}).coloured
    assert not Palette.of(Tty(), {"TERM": "dumb"}).coloured
    assert not Palette.of(io.StringIO(), {}).coloured


def test_a_command_to_copy_stays_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command = '    aws stepfunctions start-execution --region us-west-2 --input \'{"resume": "nightly"}\' --name again'

    assert wrapped(command) == command


def test_where_time_runs_fast_a_phase_may_take_more_of_it() -> None:
    assert "RequestDefaults" not in stack_parameters(120)
    assert json.loads(stack_parameters(5000)["RequestDefaults"])["budgets"]["delete_hours"] == pytest.approx(
        83.3, abs=0.1
    )


def test_an_alarm_is_told_in_names_and_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    alarm = json.dumps({"AlarmName": "late", "Trigger": {"Period": 300}, "InsufficientData": []})
    message = {"time": "2026-01-01T02:00:00+00:00", "topic": "arn:aws:sns:us-west-2:1:t", "subject": "ALARM: late"}

    told = messages.text_of([{**message, "message": {"default": alarm}}], PLAIN)

    assert told.splitlines()[-2:] == ["  AlarmName  late", '  Trigger    {"Period": 300}']


def test_a_reader_that_has_had_enough_makes_no_traceback() -> None:
    script = (
        "from argparse import Namespace\n"
        "from local_cloud.pipeline import commands, run_command\n"
        "commands.down = lambda: print('line\\n' * 100_000)\n"
        "run_command.run(Namespace(command='down'))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_of_two_that_start_at_once_the_second_waits_and_finds_it_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local_cloud.paths.LOCAL", tmp_path)
    waits, order = threading.Event(), []

    def second() -> None:
        with run_folder.one_at_a_time("up", waits.set):
            order.append("second")

    other = threading.Thread(target=second)
    with run_folder.one_at_a_time("up", lambda: pytest.fail("nobody is at work")):
        other.start()
        assert waits.wait(10)
        order.append("first")
    other.join()
    assert order == ["first", "second"]

    class Running:
        run_dir, endpoint, speed = tmp_path, "http://127.0.0.1:1", 120.0

    (tmp_path / "furnished").touch()
    monkeypatch.setattr(LocalCloud, "find", lambda _folder: Running())
    monkeypatch.setattr(run_folder, "remove_all_dead", lambda: None)
    assert commands.up(5000.0) == 0
    assert "Already running: http://127.0.0.1:1, 120 times faster" in capsys.readouterr().out


@pytest.mark.local_cloud
def test_messages_of_the_local_topics_can_be_read(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("local_cloud.pipeline.commands.UP", cloud.run_dir)
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="for-people")["TopicArn"]
    attribute = {"DataType": "String", "StringValue": "nightly"}
    sns.publish(
        TopicArn=topic,
        Subject="Aurora restore of shop-staging SUCCEEDED",
        Message=json.dumps({"default": "All went well.", "https": "{}"}),
        MessageStructure="json",
        MessageAttributes={"operation_id": attribute},
    )
    sns.publish(
        TopicArn=topic,
        Subject="Aurora restore of other FAILED: SnapshotTooOld",
        Message="word " * 40,
        MessageAttributes={"operation_id": {"DataType": "String", "StringValue": "another"}},
    )

    commands.show_messages("nightly", as_json=False)
    one = capsys.readouterr().out
    commands.show_messages("another", as_json=False)
    another = capsys.readouterr().out
    commands.show_messages(None, as_json=False)
    all_of_them = capsys.readouterr().out

    assert "topic for-people\nAurora restore of shop-staging SUCCEEDED\n\nAll went well.\n" in one
    assert "other" not in one
    assert "Aurora restore of other FAILED: SnapshotTooOld" in all_of_them
    # Other tests' messages are there, too.
    assert max(len(line) for line in (one + another).splitlines()) <= 80
    assert [item["subject"] for item in messages.messages_in(cloud.run_dir, "nightly")] == [
        "Aurora restore of shop-staging SUCCEEDED"
    ]


@pytest.mark.local_cloud
def test_a_single_state_can_be_tried_with_the_cli_in_a_shell_of_the_local_cloud(cloud: LocalCloud) -> None:
    """TestState has a host of its own on AWS; https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html"""
    state = json.dumps({"Type": "Pass", "Result": {"a": 1}, "End": True})
    role = "arn:aws:iam::123456789012:role/any"
    command = ["aws", "stepfunctions", "test-state", "--definition", state, "--role-arn", role]
    variables = command_environment(cloud.environment())

    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=variables, executable=cloud.run_dir / "bin" / "aws"
    )

    assert json.loads(done.stdout)["status"] == "SUCCEEDED"
