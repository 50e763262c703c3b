"""The supervisor: owns a run folder, runs the server, and leaves nothing behind when either ends.

Ends when it gets SIGTERM or SIGINT, when the server ends, or (--attached) when its standard input ends,
which happens however its parent dies.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from local_cloud import run_folder
from tooling import processes

_SERVER_STOP_SECONDS = 20.0
_STOP, _SERVER_ENDED = b"s", b"e"


def main() -> int:
    """Run a local cloud to its end."""
    options = _options()
    told, tell = os.pipe()  # a signal's handler may always write to it
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: os.write(tell, _STOP))
    processes.adopt_orphans()
    with run_folder.hold(options.run_dir):
        server = _start_server(options)
        if options.attached:
            threading.Thread(target=_wait_for_end_of_input, args=(tell,), daemon=True).start()
        threading.Thread(target=_wait_for_end_of_server, args=(server, tell), daemon=True).start()
        why = os.read(told, 1)
        _stop_server(server)
        processes.end_descendants()
        _clean_up(options.run_dir, keep=options.keep)
    return 0 if why == _STOP else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local_cloud.ministack")
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--speed", type=float, required=True)
    parser.add_argument("--wait-speed", type=float, required=True)
    parser.add_argument("--shortest-wait", type=float, required=True)
    parser.add_argument("--hop", action="store_true")
    parser.add_argument("--attached", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the run folder (logs) there")
    return parser.parse_args()


def _start_server(options: argparse.Namespace) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "local_cloud.ministack.server"]
    arguments = ["--run-dir", str(options.run_dir), "--speed", str(options.speed)]
    arguments += ["--wait-speed", str(options.wait_speed), "--shortest-wait", str(options.shortest_wait)]
    arguments += ["--hop"] * options.hop
    with (options.run_dir / "cloud.log").open("ab") as log:
        return subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=log, stderr=log)


def _stop_server(server: subprocess.Popen[bytes]) -> None:
    if server.stdin:
        server.stdin.close()
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(_SERVER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _clean_up(run_dir: Path, *, keep: bool) -> None:
    run_folder.remove_aurora(run_dir)
    if not keep:
        shutil.rmtree(run_dir, ignore_errors=True)
        return
    (run_dir / run_folder.KEPT).touch()
    for part in ("lambda", "tmp", "bin"):
        shutil.rmtree(run_dir / part, ignore_errors=True)


def _wait_for_end_of_input(tell: int) -> None:
    sys.stdin.buffer.read()
    os.write(tell, _STOP)


def _wait_for_end_of_server(server: subprocess.Popen[bytes], tell: int) -> None:
    server.wait()
    os.write(tell, _SERVER_ENDED)


if __name__ == "__main__":
    sys.exit(main())
