"""What a local Aurora leaves behind when its process is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from local_cloud.aurora.postgres.host import DATA, remove_data

STOP_SECONDS = 20.0


def remove_leftovers(run_dir: Path) -> int:
    """Stop the servers that a killed local Aurora left running, remove its data; return how many servers there were."""
    servers = [server for server in map(_server_of, _pid_files(run_dir)) if server]
    for pid in servers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
    give_up = time.monotonic() + STOP_SECONDS
    for pid in servers:
        while _command_of(pid) and time.monotonic() < give_up:
            time.sleep(0.05)
        if _command_of(pid):
            os.kill(pid, signal.SIGQUIT)
    remove_data(run_dir)
    return len(servers)


def _pid_files(run_dir: Path) -> list[Path]:
    return list((run_dir / DATA).resolve().glob("*/data/postmaster.pid"))


def _server_of(pid_file: Path) -> int | None:
    """Return the process id if that process still is the server of this data directory."""
    lines = pid_file.read_text().splitlines()
    pid = int(lines[0]) if lines else 0
    return pid if pid > 0 and str(pid_file.parent) in _command_of(pid) else None


def _command_of(pid: int) -> str:
    """Return a process's command line, empty if there is no such process."""
    process = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        return process.read_bytes().replace(b"\0", b" ").decode() if process.exists() else ""
    shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()
