"""Hands over to ./restore.sh: what plans and runs look like is told by one code, here and on AWS.

Needs nothing but the standard library, so that a command is handed over before anything of the local cloud is loaded.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from local_cloud import paths, run_folder
from local_cloud.aws_environment import command_environment
from local_cloud.screen.palette import Palette
from tooling.environments import REPOSITORY, environment_bin

NOT_RUNNING = "No local cloud is running. Start one with ./local.sh up."
_COMMANDS = {"plan": "plan", "status": "show", "wait": "watch"}
_GOODBYE_SECONDS = 10.0


def is_handed_over(command: str | None) -> bool:
    """Tell whether ./restore.sh has that command as well."""
    return command in _COMMANDS


def hand_over(options: argparse.Namespace) -> int:
    """Become ./restore.sh with its command; 1 if no local cloud runs."""
    description = run_folder.describe(paths.UP)
    if description is not None:
        command = _command(_arguments(options))
        os.execve(command[0], command, _environment(description.variables()))  # noqa: S606
    print(f"{Palette.of(sys.stderr).bad('local.sh:')} {NOT_RUNNING}", file=sys.stderr)
    return 1


def call(variables: Mapping[str, str], *arguments: str) -> int:
    """Run ./restore.sh, which shows on this terminal what it does; return its exit code.

    Ctrl-C reaches it as well: it says what becomes of the run, and ends.
    """
    with subprocess.Popen(_command(arguments), env=_environment(variables)) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            try:
                return child.wait(_GOODBYE_SECONDS)
            except subprocess.TimeoutExpired:  # a signal that only this process has got
                child.terminate()
                raise KeyboardInterrupt from None


def _arguments(options: argparse.Namespace) -> list[str]:
    arguments = [_COMMANDS[options.command]]
    if getattr(options, "operation_id", None):
        arguments.append(options.operation_id)
    if getattr(options, "input", None):
        arguments += ["--input", str(options.input)]
    return [*arguments, *["--json"] * getattr(options, "json", False)]


def _command(arguments: Sequence[str]) -> list[str]:
    return [str(environment_bin("operator") / "python"), "-m", "restore_command", *arguments]


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    return {**command_environment(variables), "PYTHONPATH": str(REPOSITORY), "PYTHONSAFEPATH": "1"}
