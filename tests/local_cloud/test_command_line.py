"""./local.sh: what it takes, what it refuses, what it prints."""

import importlib
import os
import subprocess
from pathlib import Path

import pytest

from local_cloud import cli
from local_cloud.aws_environment import UNWANTED
from local_cloud.cloud import CloudFailed, LocalCloud
from local_cloud.pipeline.commands import environment, running_cloud
from tooling.environments import REPOSITORY


def test_alone_it_runs_everything() -> None:
    options = cli.parse([])

    assert (options.command, options.keep) == (None, False)
    assert options.speed == cli.DEFAULT_SPEED


def test_psql_gets_every_argument_after_the_cluster() -> None:
    options = cli.parse(["psql", "shop-staging", "-d", "shop", "-c", "SELECT 1", "--csv"])

    assert options.cluster == "shop-staging"
    assert options.arguments == ["-d", "shop", "-c", "SELECT 1", "--csv"]


def test_restore_takes_an_input_file() -> None:
    assert cli.parse(["restore", "--input", "r.json"]).input == Path("r.json")
    assert cli.parse(["restore"]).input is None


def test_plan_takes_an_input_file_and_tells_programs_json() -> None:
    options = cli.parse(["plan", "--input", "r.json", "--json"])
    assert (options.input, options.json) == (Path("r.json"), True)
    assert (cli.parse(["plan"]).input, cli.parse(["plan"]).json) == (None, False)


@pytest.mark.parametrize("arguments", [["--speed", "0"], ["up", "--speed", "fast"], ["start"], ["psql"]])
def test_what_it_does_not_understand_it_names(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.parse(arguments)

    assert exit_.value.code == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", "up", "env", "restore", "plan", "status", "wait", "messages", "psql", "down"])
def test_every_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.parse([*command.split(), "--help"])

    assert exit_.value.code == 0
    assert "./local.sh" in capsys.readouterr().out.partition("examples:")[2]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_help_breaks_lines_between_words(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        cli.parse(["--help"])

    words = capsys.readouterr().out.partition("examples:")[0]
    assert [line for line in words.splitlines() if len(line) > columns] == []
    assert " ".join(words.split()).count("restore it into another Region, compare, stop, remove.") == 1


def test_commands_that_need_a_local_cloud_say_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("local_cloud.pipeline.commands.UP", tmp_path / "up")

    with pytest.raises(CloudFailed, match=r"\./local\.sh up"):
        running_cloud()


@pytest.mark.local_cloud
def test_env_makes_a_strict_shell_use_the_local_cloud(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local_cloud.pipeline.commands.UP", cloud.run_dir)
    environment()
    script = f"""set -eu
{capsys.readouterr().out}
{capsys.readouterr().out}
aws sts get-caller-identity --query Account --output text
aws rds describe-db-clusters --region us-east-1 --query 'length(DBClusters)' --output text >/dev/null
psql --version
sam --version
"""
    hostile = {"AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "x", "PGHOST": "production"}

    done = subprocess.run(
        ["sh", "-c", script], env={**os.environ, **hostile}, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[0] == "123456789012"
    assert "psql (PostgreSQL) 17" in done.stdout
    assert "SAM CLI" in done.stdout
    assert set(hostile) <= set(UNWANTED)


@pytest.mark.local_cloud
def test_the_commands_do_not_hide_the_users_python(cloud: LocalCloud) -> None:
    names = {path.name for path in (cloud.run_dir / "bin").iterdir()}

    assert {"aws", "sam", "psql", "pg_dump"} <= names
    assert not [name for name in names if "python" in name or "pip" in name]


def test_the_launcher_script_needs_only_python() -> None:
    done = subprocess.run(
        ["sh", str(REPOSITORY / "local.sh"), "--help"], capture_output=True, text=True, check=True, cwd="/"
    )

    assert "up" in done.stdout
    assert done.stderr == ""


def test_ctrl_c_while_its_modules_are_loaded_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "parse", interrupted)
    assert importlib.import_module("local_cloud.__main__").main() == 130
    assert capsys.readouterr().err.endswith("local.sh: stopped.\n")
