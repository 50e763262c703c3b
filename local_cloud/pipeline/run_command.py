"""From a parsed command line to a command, and from its errors to exit codes."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.cloud import CloudFailed
from local_cloud.pipeline import commands
from local_cloud.screen.layout import wrapped
from local_cloud.screen.palette import Palette
from tooling import processes

_PIPE_CLOSED = 128 + signal.SIGPIPE


def run(options: argparse.Namespace) -> int:
    """Run a command; 1 and a clear line for what the user can do something about, 130 when interrupted."""
    exit_code = _run(options)
    if exit_code != 0:
        # A thread may still wait for sam or psql: end these, and do not wait for the thread.
        processes.end_descendants()
        sys.stdout.flush()
        os._exit(exit_code)
    return exit_code


def _run(options: argparse.Namespace) -> int:
    failed = Palette.of(sys.stderr).bad("local.sh:")
    try:
        return _flushed(_dispatch(options))
    except BrokenPipeError:  # whoever read the output has had enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        print("\nlocal.sh: stopped; everything is removed.", file=sys.stderr)
        return 130
    except (CloudFailed, FileNotFoundError) as error:
        print(wrapped(f"{failed} {error}"), file=sys.stderr)
    except (ClientError, BotoCoreError) as error:
        print(wrapped(f"{failed} the local cloud answered: {error}"), file=sys.stderr)
    return 1


def _flushed(exit_code: int) -> int:
    sys.stdout.flush()
    return exit_code


def _dispatch(options: argparse.Namespace) -> int:
    acts: dict[str | None, Callable[[], int]] = {
        None: lambda: commands.run_all(options.speed, keep=options.keep),
        "up": lambda: commands.up(options.speed),
        "env": commands.environment,
        "restore": lambda: commands.restore(options.input),
        "messages": lambda: commands.show_messages(options.operation_id, as_json=options.json),
        "psql": lambda: commands.psql(options.cluster, options.arguments),
        "down": commands.down,
    }
    return acts[options.command]()
