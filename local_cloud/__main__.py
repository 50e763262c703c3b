"""Entry of ./local.sh: installs the environments with nothing but the standard library, then goes on in one of them."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from types import FrameType


def main() -> int:
    """Run one command and return its exit code."""
    try:
        return _run()
    except KeyboardInterrupt:
        print("\nlocal.sh: stopped.", file=sys.stderr)
        return 130


def _run() -> int:
    # Here, so that Ctrl-C is understood while they are loaded.
    from local_cloud import cli, handing_over
    from tooling import environments, installers

    options = cli.parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        environments.ensure(report=lambda line: print(line, file=sys.stderr, flush=True))
    except installers.EnvironmentFailed as error:
        print(f"local.sh: {error}", file=sys.stderr)
        return 1
    if handing_over.is_handed_over(options.command):
        return handing_over.hand_over(options)
    if os.path.realpath(sys.prefix) != os.path.realpath(environments.ENVIRONMENTS / "cloud"):
        python = environments.environment_bin("cloud") / "python"
        os.execv(python, [str(python), "-m", "local_cloud", *sys.argv[1:]])  # noqa: S606
    # Only importable in the environment: it needs boto3.
    exit_code: int = importlib.import_module("local_cloud.pipeline.run_command").run(options)
    return exit_code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
