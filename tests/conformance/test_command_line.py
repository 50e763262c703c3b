"""`./test.sh --conformance aws`, with a local cloud in AWS's place: nothing is done unasked, nothing is left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.credentials import ACCOUNT_ID
from tests.conformance.bench import Bench
from tests.conformance.leftovers import find_leftovers

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def command(cloud: LocalCloud, tmp_path: Path) -> tuple[list[str], Mapping[str, str]]:
    """The command, and its variables."""
    called = [sys.executable, "-m", "tests.conformance", "aws", "--region", "us-west-2", "--record", str(tmp_path)]
    return called, {**os.environ, **cloud.environment(), "CONFORMANCE_MINUTE": "4"}


def run(command: tuple[list[str], Mapping[str, str]], *more: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    called, variables = command
    return subprocess.run(
        [*called, *more], env=variables, input=typed, capture_output=True, text=True, timeout=120, check=False
    )


def leftovers(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    return [what for what, _ in find_leftovers(Bench(boto3.Session(region_name="us-west-2"), "look", print))]


def test_it_says_what_it_costs_and_does_nothing_unless_told(command: tuple[list[str], Mapping[str, str]]) -> None:
    done = run(command, "--only", "sns", typed="yes\n")
    assert done.returncode == 2
    assert "minutes and" in done.stdout
    assert "US dollars" in done.stdout
    assert done.stdout.endswith("Nothing was done.\n")


def test_it_asks_counts_and_removes_what_it_made(
    command: tuple[list[str], Mapping[str, str]], cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(command, "--only", "sns", typed=f"{ACCOUNT_ID}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as stated  sns: An empty message: InvalidParameter." in done.stdout
    assert "Removing topic arn:aws:sns:" in done.stdout
    assert "No record was written: not every fact was asked" in done.stdout
    assert not [what for what in leftovers(cloud, monkeypatch) if what.startswith("sns")]


def test_after_ctrl_c_everything_is_removed_too(
    command: tuple[list[str], Mapping[str, str]], cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    called, variables = command
    with subprocess.Popen(
        [*called, "--only", "stepfunctions/*"],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{ACCOUNT_ID}\n")
        process.stdin.flush()
        lines = iter(process.stdout.readline, "")
        next(line for line in lines if "as stated" in line)
        process.send_signal(signal.SIGINT)
        rest = "".join(lines)
    assert process.returncode == 130, rest
    assert "Stopped; removing what was made" in rest
    assert "Removing role conformance-" in rest
    assert not [what for what in leftovers(cloud, monkeypatch) if what.startswith(("states", "role"))]


def test_what_was_left_behind_is_found_by_its_tag_and_removed(
    command: tuple[list[str], Mapping[str, str]], cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    bench = Bench(boto3.Session(region_name="us-west-2"), "forgot", print, minute=4)
    cluster = bench.aurora.new_cluster()
    made = [bench.made.topic, bench.made.table, bench.made.secret(), bench.made.bucket, bench.made.role]
    stranger = cloud.client("rds").create_db_cluster(
        DBClusterIdentifier="conformance-of-somebody",
        Engine="aurora-postgresql",
        MasterUsername="a",
        MasterUserPassword="not-a-secret",
    )["DBCluster"]["DBClusterIdentifier"]

    done = run(command, "--sweep")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Removing cluster {cluster}" in done.stdout
    for name in made:
        assert f"{name.rpartition(':')[2].rpartition('/')[2]}" in done.stdout
    assert stranger not in done.stdout
    assert "Nothing was left behind" in run(command, "--sweep").stdout


def test_the_list_tells_statement_and_source(command: tuple[list[str], Mapping[str, str]]) -> None:
    done = run(command, "--list", "--only", "a-rename-moves")
    assert done.returncode == 0
    assert "rds/a-rename-moves-the-clusters-endpoint" in done.stdout
    assert "only on AWS: the local Aurora's endpoints are ports" in done.stdout
