"""However a local cloud ends, no process and no run folder is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local_cloud import run_folder
from local_cloud.cloud import LocalCloud, stop
from tests.local_cloud.conftest import Workbench
from tooling import environments, processes
from tooling.environments import REPOSITORY

pytestmark = pytest.mark.local_cloud
HOLD = """
import signal, sys, time
from pathlib import Path
from local_cloud.cloud import LocalCloud
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background inherits that it is ignored
cloud = LocalCloud.start(run_dir=Path(sys.argv[1]), speed=1000)
rds = cloud.client("rds")
rds.create_db_cluster(DBClusterIdentifier="c", Engine="aurora-postgresql", MasterUsername="master",
                      MasterUserPassword="long-enough")
while rds.describe_db_clusters()["DBClusters"][0]["Status"] != "available":
    time.sleep(0.05)
rds.create_db_instance(DBInstanceIdentifier="c-1", DBClusterIdentifier="c", Engine="aurora-postgresql",
                       DBInstanceClass="db.r8g.large")
while rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] != "available":
    time.sleep(0.05)
print("ready", flush=True)
time.sleep(600)
"""

WORKS_ON = """
import os, time
def handler(event, context):
    with open({file!r} + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename({file!r} + ".new", {file!r})
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _environments() -> None:
    environments.ensure()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_when_its_owner_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    owner, run_dir = start_owner(tmp_path)
    family = processes.descendants(owner.pid)
    assert len(family) >= 4  # supervisor, server, PostgreSQL and its workers

    owner.send_signal(number)
    owner.wait()

    eventually(lambda: not run_dir.exists())
    eventually(lambda: not [pid for pid in family if is_running(pid)])


def test_when_its_server_is_killed(tmp_path: Path) -> None:
    owner, run_dir = start_owner(tmp_path)
    supervisor = processes.descendants(owner.pid)[0]
    server = processes.descendants(supervisor)[0]
    family = processes.descendants(owner.pid)

    os.kill(server, signal.SIGKILL)

    eventually(lambda: not run_dir.exists())
    owner.kill()
    owner.wait()
    eventually(lambda: not [pid for pid in family if is_running(pid)])


def test_when_its_supervisor_is_killed_the_next_start_removes_the_rest(tmp_path: Path) -> None:
    owner, run_dir = start_owner(tmp_path)
    family = processes.descendants(owner.pid)

    os.kill(family[0], signal.SIGKILL)
    eventually(lambda: not [pid for pid in family[1:] if is_running(pid)])
    owner.kill()
    owner.wait()
    assert run_dir.exists()
    run_folder.remove_dead(run_dir)

    assert not run_dir.exists()


def test_in_the_background_it_outlives_its_owner_until_it_is_stopped(tmp_path: Path) -> None:
    run_dir = tmp_path / "up"
    start = "import sys; from pathlib import Path; from local_cloud.cloud import LocalCloud; "
    start += "LocalCloud.start(run_dir=Path(sys.argv[1]), speed=1000, attached=False)"
    subprocess.run([sys.executable, "-c", start, str(run_dir)], check=True, cwd=REPOSITORY)

    assert LocalCloud.find(run_dir) is not None
    assert stop(run_dir)
    assert not run_dir.exists()
    assert not stop(run_dir)


def test_when_its_server_is_killed_while_a_function_is_at_work(tmp_path: Path) -> None:
    with LocalCloud.start(run_dir=tmp_path / "run", speed=1000) as cloud:
        bench = Workbench(cloud)
        at_work = tmp_path / "at-work"
        function = bench.function(WORKS_ON.format(file=str(at_work)), bench.role())
        cloud.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b"{}")
        eventually(at_work.exists)
        supervisor = run_folder.holder(cloud.run_dir)
        family = [supervisor, *processes.descendants(supervisor)]
        server = family[1]
        assert int(at_work.read_text()) in processes.descendants(server)

        os.kill(server, signal.SIGKILL)

        eventually(lambda: not [pid for pid in family if is_running(pid)])


def test_two_run_at_the_same_time(tmp_path: Path) -> None:
    with LocalCloud.start(run_dir=tmp_path / "a") as first, LocalCloud.start(run_dir=tmp_path / "b") as second:
        first.client("sns").create_topic(Name="only-here")

        assert first.client("sns").list_topics()["Topics"]
        assert not second.client("sns").list_topics()["Topics"]


def test_everything_listens_on_loopback_only(tmp_path: Path) -> None:
    owner, _ = start_owner(tmp_path)
    try:
        for pid in processes.descendants(owner.pid):
            assert not [address for address in listening_addresses(pid) if address != "0100007F"]
    finally:
        owner.kill()
        owner.wait()


def start_owner(tmp_path: Path) -> tuple[subprocess.Popen[str], Path]:
    tmp_path.chmod(0o755)
    run_dir = tmp_path / "run"
    command = [sys.executable, "-c", HOLD, str(run_dir)]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    owner.stdout.close()
    return owner, run_dir


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def listening_addresses(pid: int) -> set[str]:
    sockets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].partition(":")[0])
    return found
