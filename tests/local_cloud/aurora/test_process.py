"""Start, stop and what a killed process leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.aurora import AuroraSettings, LocalAurora, ScaledClock, remove_leftovers
from local_cloud.aurora.postgres.memory import SHARED_MEMORY
from tests.local_cloud.aurora.story import Region

VICTIM = """
import sys, time
from pathlib import Path
from local_cloud.aurora import AuroraSettings, LocalAurora
local = LocalAurora(AuroraSettings(run_dir=Path(sys.argv[1]), speed=5000))
print(local.start(), flush=True)
time.sleep(60)
"""


def servers_of(run_dir: Path) -> list[str]:
    """Return the process ids of the PostgreSQL servers with data below a run folder."""
    return [pid.read_text().split()[0] for pid in (run_dir / "data").resolve().glob("*/data/postmaster.pid")]


def shared_memory_of(pid: str) -> list[str]:
    """Return the shared memory of a server that would outlive it if it is killed (Linux)."""
    maps = Path(f"/proc/{pid}/maps")
    return re.findall(rf"{SHARED_MEMORY}/PostgreSQL\.\d+", maps.read_text()) if maps.exists() else []


def is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


def test_a_stop_leaves_logs_and_journal_but_no_server_and_no_data(tmp_path: Path) -> None:
    local = LocalAurora(AuroraSettings(run_dir=tmp_path, speed=5000))
    local.start()
    Region(local.endpoint, "us-east-1", local.ca_path).has_cluster("short")
    pids = servers_of(tmp_path)
    assert len(pids) == 1
    assert not shared_memory_of(pids[0])
    local.stop()
    local.stop()
    assert not any(map(is_alive, pids))
    assert {path.name for path in tmp_path.iterdir()} == {"ca.pem", "journal.jsonl", "logs"}


def test_the_servers_of_a_killed_process_can_be_removed(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as victim:
        assert victim.stdout
        endpoint = victim.stdout.readline().strip()
        Region(endpoint, "us-east-1", tmp_path / "ca.pem").has_cluster("orphan")
        victim.send_signal(signal.SIGKILL)
    (pid,) = servers_of(tmp_path)
    assert is_alive(pid)
    assert remove_leftovers(tmp_path) == 1
    assert not (tmp_path / "data").exists()
    assert remove_leftovers(tmp_path) == 0


def test_the_clock_runs_faster_and_can_skip() -> None:
    real = 1_000_000.0

    def real_time() -> float:
        return real

    clock = ScaledClock(100, real_time)
    start = clock.now()
    real += 2
    assert (clock.now() - start).total_seconds() == pytest.approx(200)
    clock.skip(50)
    assert (clock.now() - start).total_seconds() == pytest.approx(250)
    assert clock.real_seconds_until(clock.after(300)) == pytest.approx(3)
    with pytest.raises(ValueError, match="greater than 0"):
        ScaledClock(0)
