"""What ./local.sh status, wait and messages tell."""

import dataclasses
import io
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_cloud import run_folder
from local_cloud.aws_environment import command_environment
from local_cloud.cloud import LocalCloud
from local_cloud.pipeline import commands, messages, report
from local_cloud.pipeline.demonstration import stack_parameters
from local_cloud.pipeline.status import Status
from local_cloud.screen.layout import duration_text, fields, seen, wrapped
from local_cloud.screen.palette import Palette
from restore_command.execution import Progress, Visit
from tooling.environments import REPOSITORY

PLAIN, COLOURED = Palette(coloured=False), Palette(coloured=True)
START = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
ARN = "arn:aws:states:us-west-2:123456789012:execution:aurora-restore-pipeline"
SUMMARY = {
    "snapshot": "arn:aws:rds:us-east-1:123456789012:cluster-snapshot:rds:shop-production-2026-01-01-07-00",
    "copy": "arn:aws:rds:us-west-2:123456789012:cluster-snapshot:aurora-restore-copy-shop-staging-473579767af0",
    "final_snapshot": "arn:aws:rds:us-west-2:123456789012:cluster-snapshot:aurora-restore-final-shop-473579767af0",
    "target_cluster_id": "shop-staging",
    "engine_version": "17.5",
    "instances": ["shop-staging-1"],
    "endpoint": "127.0.0.1",
    "port": 5432,
    "users": {"app_user": ["shop: logs in, can read, can write, cannot alter, cannot create tables (5 tables)"] * 2},
}


def status(progress: Progress, row: dict[str, Any] | None = None, how_far: str = "") -> Status:
    return Status(progress=progress, row=row, speed=120.0, how_far=how_far)


def ended(name: str, state: str, **more: Any) -> Progress:
    return Progress(
        name,
        status=state,
        visits={"Snapshot Check": Visit("Snapshot Check", 4.0, 1), "Delete RDS": Visit("Delete RDS", 61.0, 2)},
        current="Delete RDS",
        started_at=START,
        stopped_at=START + timedelta(seconds=65),
        **more,
    )


def test_the_first_line_says_how_it_ended() -> None:
    good = status(ended("nightly", "SUCCEEDED", output=SUMMARY)).text(PLAIN).splitlines()
    bad = status(ended("nightly", "FAILED", error="SnapshotTooOld", cause="too old")).text(PLAIN).splitlines()

    assert good[0] == "nightly  ✓ SUCCEEDED in 1 min 05 s"
    assert bad[0] == "nightly  ✗ FAILED after 1 min 05 s"
    assert "SnapshotTooOld" in bad


def test_failure_and_success_have_colours_of_their_own_and_no_color_is_heard() -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    good = status(ended("nightly", "SUCCEEDED", output=SUMMARY)).text(COLOURED)
    bad = status(ended("nightly", "FAILED", error="SnapshotTooOld")).text(COLOURED)

    assert "\x1b[32m✓ SUCCEEDED\x1b[0m" in good
    assert "\x1b[1;31m✗ FAILED\x1b[0m" in bad
    assert Palette.of(Tty(), {}).coloured
    assert not Palette.of(Tty(), {"NO_COLOR": "1"}).coloured
    assert not Palette.of(Tty(), {"TERM": "dumb"}).coloured
    assert not Palette.of(io.StringIO(), {}).coloured


def test_what_runs_tells_how_far_its_phase_is() -> None:
    running = dataclasses.replace(ended("nightly", "RUNNING"), current="Wait for Copy", stopped_at=None)

    text = status(running, how_far="62 %").text(PLAIN)

    assert "… RUNNING for" in text.splitlines()[0]
    assert text.endswith("Now  Wait for Copy: 62 %")


def test_a_resumption_names_what_it_goes_on_with_and_the_original_its_resumptions() -> None:
    error = {"name": "CapacityUnavailable", "message": "no capacity", "step": "Restore Snapshot"}
    row = {
        "status": "SUCCEEDED",
        "executions": [{"execution_arn": f"{ARN}:nightly", "error": error}, {"execution_arn": f"{ARN}:again"}],
    }
    resumption = ended("again", "SUCCEEDED", output=SUMMARY, request={"resume": "nightly"})

    told = " ".join(status(resumption, row).text(PLAIN).split())
    of_original = " ".join(status(ended("nightly", "FAILED", error="CapacityUnavailable"), row).text(PLAIN).split())

    assert "It goes on with operation nightly, which had failed at Restore Snapshot: CapacityUnavailable." in told
    assert "It was resumed as again; the operation is SUCCEEDED now." in of_original


def test_at_80_columns_no_word_is_broken_and_no_line_is_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    message = "Cluster shop-staging carries no tag aurora-restore:replaceable=true, so it is never touched. " * 3
    for progress in (
        ended("nightly", "SUCCEEDED", output=SUMMARY),
        ended("nightly", "FAILED", error="TargetNotReplaceable", cause=json.dumps({"errorMessage": message})),
    ):
        text = status(progress).text(COLOURED)
        assert [line for line in text.splitlines() if seen(line) > 80] == []
    assert wrapped(f"  see {'x' * 90} there").splitlines() == ["  see", f"  {'x' * 90}", "  there"]
    assert wrapped(f"Users      {'word ' * 16}").splitlines()[1] == f"{' ' * 11}word word"
    assert fields([("name", "word " * 16 + "end")]).splitlines()[1] == "        word word end"


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


def test_a_dry_run_says_what_a_run_would_do() -> None:
    planned = ended("look", "SUCCEEDED", output={"dry_run": True, "plan": ["copy the snapshot", "delete the old"]})

    lines = status(planned).text(PLAIN).splitlines()

    assert lines[-5:] == [
        "  Nothing was changed: it was a dry run.",
        "",
        "A run would",
        "   1. copy the snapshot",
        "   2. delete the old",
    ]


def test_a_plan_is_in_colours_only_for_who_sees_them() -> None:
    check = {"name": "KMS key", "outcome": "warn", "found": "old", "expected": "a new one", "do": "rotate it"}
    setting = {"name": "port", "before": 5432, "after": 6000, "source": "the request"}
    lists = ("rejected", "protects", "copies", "makes", "prunes", "keeps", "not_put_back")
    preview = {
        **dict.fromkeys(lists, ()),
        "actions": ["copy it"],
        "settings": [setting],
        "checks": [check],
        "deletes": ["staging"],
        "expected_minutes": {"copy": 20.0},
        "earlier_runs": 1,
    }
    plain = report.plan({"preview": preview}, Palette(coloured=False))
    assert "~ port 5432 -> 6000  (the request)" in plain
    assert "warn KMS key                    old\n       expected a new one; what to do: rotate it" in plain
    assert "copy 20 min (the middle of 1 earlier run)" in plain
    assert "\x1b" not in plain
    coloured = report.plan({"preview": preview}, Palette(coloured=True))
    assert "\x1b[33mwarn\x1b[0m" in coloured
    assert "\x1b[33mstaging\x1b[0m" in coloured


def test_json_holds_all_of_it() -> None:
    row = {"operation_id": "nightly", "status": "FAILED"}

    document = json.loads(status(ended("nightly", "FAILED", error="SnapshotTooOld", cause="too old"), row).document())

    assert document["execution"]["status"] == "FAILED"
    assert document["execution"]["steps"][1] == {"state": "Delete RDS", "times": 2, "seconds": 61.0}
    assert document["row"] == row


def test_durations_are_written_as_people_do() -> None:
    assert [duration_text(seconds) for seconds in (4.25, 42, 65, 3700)] == ["4.2 s", "42 s", "1 min 05 s", "1 h 01 min"]


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
