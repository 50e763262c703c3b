"""Who on this machine has a connection: an environment of a function, with the groups of its VpcConfig, or not."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from local_cloud.ministack import ministack_modules

_PROC = Path("/proc")
_TCP = _PROC / "net/tcp"
_HERE = "0100007F"  # 127.0.0.1, as the kernel writes it


def groups_of_function(client_port: int) -> set[str]:
    """Return the security groups of the function that connects from this port of 127.0.0.1; none if nobody does."""
    groups_by_process = {
        worker._proc.pid: set(worker.config.get("VpcConfig", {}).get("SecurityGroupIds") or [])
        for workers in list(ministack_modules.core("lambda_runtime")._workers.values())
        for worker in list(workers)
        if getattr(worker._proc, "pid", None) is not None
    }
    inside = {process: groups for process, groups in groups_by_process.items() if groups}
    if not inside:
        return set()
    return next((inside[process] for process in inside if _has_connection(process, client_port)), set())


def _has_connection(process: int, port: int) -> bool:
    if not _TCP.exists():
        return process in _told_by_lsof(port)
    with contextlib.suppress(OSError):
        socket = _socket_of(port)
        return any(str(file.readlink()) == socket for file in (_PROC / f"{process}/fd").iterdir())
    return False


def _socket_of(port: int) -> str:
    wanted = f"{_HERE}:{port:04X}"
    for line in _TCP.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == wanted:
            return f"socket:[{fields[9]}]"
    return ""


def _told_by_lsof(port: int) -> set[int]:
    lsof = shutil.which("lsof") or "/usr/sbin/lsof"
    found = subprocess.run([lsof, "-nPt", f"-iTCP@127.0.0.1:{port}"], capture_output=True, text=True, check=False)
    return {int(line) for line in found.stdout.split()}
