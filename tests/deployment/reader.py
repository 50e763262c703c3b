"""Somebody who follows the documentation: a fresh checkout, a terminal, and answers to what is asked."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tooling.environments import LOCAL, REPOSITORY

# Each block runs in a shell of its own that begins with the variables of the one before.
_SHELL = """
trap 'env -0 >"$VARIABLES"' EXIT
# The functions of the local cloud run under this machine's Python, as docs/04_production_deployment.md says.
./deploy.sh() {
    if [[ $1 == deploy ]]; then set -- "$@" --host; fi
    PYTHON=.local/envs/cloud/bin/python command ./deploy.sh "$@"
}
set -aeuo pipefail
"""
_ANSWERS = {"[y/N]: ": "y", "Type its name: ": "aurora-restore"}
_LOCAL_ONLY = shutil.ignore_patterns(
    ".git", ".local", ".aws-sam", "build", "__pycache__", ".*_cache", ".coverage*", ".hypothesis"
)


def check_out(folder: Path) -> Path:
    """Copy the repository as it is now, with what is installed here, and what is known of the same templates."""
    shutil.copytree(REPOSITORY, folder, ignore=_LOCAL_ONLY, symlinks=True)
    (folder / ".local").mkdir()
    for name in _INSTALLED_ONCE:
        (LOCAL / name).mkdir(exist_ok=True)
        (folder / ".local" / name).symlink_to((LOCAL / name).resolve())
    return folder


# The environments, the layer's dependencies, and which templates were valid: each depends on its content alone.
_INSTALLED_ONCE = ("envs", "layers", "valid-templates")


class Reader:
    """A shell in a checkout; a variable that one block sets is there in the next."""

    def __init__(self, checkout: Path, variables: Mapping[str, str]) -> None:
        self._checkout = checkout
        self._kept = checkout / ".local/variables"
        self._variables = {**variables, "VARIABLES": str(self._kept)}

    def run(self, commands: str, *, seconds: float = 900.0) -> str:
        """Run commands in a terminal; fails with what they print unless their exit code is 0."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            ["bash", "-c", _SHELL + commands], cwd=self._checkout, env=self._variables,
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        try:
            printed = _answered(ours, give_up=time.monotonic() + seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            os.close(ours)
            code = process.wait(60)
        assert code == 0, f"exit code {code} of\n{commands}\n{printed[-6000:]}"
        entries = self._kept.read_text().rstrip("\0").split("\0")
        self._variables = dict(entry.split("=", 1) for entry in entries)
        return printed


def _answered(terminal: int, *, give_up: float) -> str:
    """Return all that is printed until the terminal is left, and type the answers to what is asked."""
    printed = ""
    asked_until = 0
    while time.monotonic() < give_up:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # nobody has the terminal open any more
            return _plain(printed)
        if not chunk:
            return _plain(printed)
        printed += chunk.decode(errors="replace")
        for question, answer in _ANSWERS.items():
            if question in _plain(printed[asked_until:]):
                asked_until = len(printed)
                os.write(terminal, f"{answer}\n".encode())
    raise AssertionError(f"not finished in time:\n{_plain(printed)[-6000:]}")


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
