"""When a PostgreSQL server that was started takes connections."""

from __future__ import annotations

import contextlib
import subprocess
import time

from local_cloud.aurora.postgres.volume import Volume

START_SECONDS = 60.0
STATUS_LINE = 8  # of postmaster.pid


def becomes_ready(process: subprocess.Popen[bytes], volume: Volume) -> bool:
    """Wait until the server takes connections, after any recovery; False if it ended or takes too long."""
    pid_file = volume.data / "postmaster.pid"
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            return False
        with contextlib.suppress(FileNotFoundError):
            lines = pid_file.read_text().splitlines()
            if len(lines) >= STATUS_LINE and lines[STATUS_LINE - 1].strip() == "ready":
                return True
        time.sleep(0.01)
    process.kill()
    process.wait()
    return False
