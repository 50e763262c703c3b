"""What ./local.sh shows of plans and runs, ./restore.sh shows, in the local cloud that runs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud import cli, handing_over
from local_cloud.cloud import LocalCloud
from tests.waiting import wait_for
from tooling import environments
from tooling.environments import REPOSITORY


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        (["status"], ["show"]),
        (["status", "nightly-1", "--json"], ["show", "nightly-1", "--json"]),
        (["wait", "nightly-1"], ["watch", "nightly-1"]),
        (["plan", "--input", "r.json", "--json"], ["plan", "--input", "r.json", "--json"]),
        (["plan"], ["plan"]),
    ],
)
def test_a_command_of_both_is_that_of_restore_sh(
    typed: list[str], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    executed: list[tuple[list[str], dict[str, str]]] = []

    class Described:
        def variables(self) -> dict[str, str]:
            return {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}

    monkeypatch.setattr("local_cloud.run_folder.describe", lambda _folder: Described())
    monkeypatch.setattr(os, "execve", lambda _path, command, variables: executed.append((command, variables)))
    monkeypatch.setenv("AWS_PROFILE", "production")
    options = cli.parse(typed)

    assert handing_over.is_handed_over(options.command)
    handing_over.hand_over(options)

    [(command, variables)] = executed
    assert command[1:] == ["-m", "restore_command", *asked]
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["PYTHONPATH"] == str(REPOSITORY)
    assert "AWS_PROFILE" not in variables


@pytest.mark.parametrize("typed", [[], ["up"], ["restore"], ["messages"], ["down"]])
def test_what_only_the_local_cloud_has_stays_its_own(typed: list[str]) -> None:
    assert not handing_over.is_handed_over(cli.parse(typed).command)


def test_without_a_local_cloud_it_is_said_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local_cloud.paths.UP", tmp_path / "up")

    assert handing_over.hand_over(cli.parse(["status"])) == 1
    assert capsys.readouterr().err == "local.sh: No local cloud is running. Start one with ./local.sh up.\n"


def test_handing_over_loads_nothing_that_the_standard_library_has_not() -> None:
    script = (
        "import sys; import local_cloud.handing_over\n"
        "foreign = {'boto3', 'botocore', 'psycopg2', 'rich', 'typer', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'loaded {foreign}' if foreign else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)


@pytest.mark.local_cloud
def test_restore_sh_answers_for_the_local_cloud_and_its_exit_code_is_the_answer(
    cloud: LocalCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    environments.ensure(("operator",))

    assert handing_over.call(cloud.environment(), "runs", "--since", "3x") == 2
    assert "found '3x'" in capfd.readouterr().err
    assert handing_over.call(cloud.environment(), "watch") == 1
    assert "no stack aurora-restore in us-west-2" in capfd.readouterr().err


def test_ctrl_c_waits_for_what_restore_sh_says_of_it(tmp_path: Path) -> None:
    began = tmp_path / "began"
    # A shell's job in the background ignores it, and so would what it starts.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    child = (
        f"{heed}import pathlib, sys, time\n"
        f"pathlib.Path({str(began)!r}).touch()\n"
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    time.sleep(0.3); sys.exit(3)"
    )
    parent = (
        f"{heed}import sys; from local_cloud import handing_over\n"
        f"handing_over._command = lambda _arguments: [sys.executable, '-c', {child!r}]\n"
        "sys.exit(handing_over.call({}, 'start'))"
    )
    with subprocess.Popen([sys.executable, "-c", parent], cwd=REPOSITORY, start_new_session=True) as process:
        wait_for(began.exists, "the child")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 3
