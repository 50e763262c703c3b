"""The command line of ./local.sh."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from local_cloud.screen.layout import wrapped

DEFAULT_SPEED = 120.0

_EPILOG = """\
examples:
  ./local.sh                                  the whole demonstration; exit code 0 if all data is restored
  ./local.sh --speed 200 --keep               faster, and the logs stay in .local/run
  ./local.sh up && eval "$(./local.sh env)"   a shell in which aws, sam, boto3 and psql use the local cloud
  ./local.sh restore --input request.json     run the pipeline with a request of your own, and watch
  ./local.sh messages                         what people were told at the end of each run
  ./local.sh psql shop-staging -d shop -c 'SELECT count(*) FROM shop.orders'
  ./local.sh down
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    root = argparse.ArgumentParser(
        prog="./local.sh",
        description=wrapped(
            "The Aurora Restore Pipeline on this machine: a local AWS with real PostgreSQL, on 127.0.0.1 only. "
            "Without a command it shows everything once: install, start, deploy, make a production cluster with "
            "data, restore it into another Region, compare, stop, remove."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_speed(root)
    root.add_argument("--keep", action="store_true", help="leave the run folder with its logs there at the end")
    commands = root.add_subparsers(dest="command", metavar="COMMAND")
    up = _command(commands, "up", "have a local cloud run in the background; nothing to do if it runs",
                  "./local.sh up --speed 200")  # fmt: skip
    _add_speed(up)
    _command(commands, "env", "print what makes a shell use the local cloud", 'eval "$(./local.sh env)"')
    restore = _command(commands, "restore", "run the pipeline once and watch it",
                       "./local.sh restore\n"
                       "  ./local.sh restore --input statemachine/inputs/nightly_refresh.json")  # fmt: skip
    restore.add_argument("--input", type=Path, metavar="FILE", help="JSON request; default {}: the stack's defaults")
    plan = _command(commands, "plan", "show what a run would do: settings, snapshots, checks, time; nothing is changed",
                    "./local.sh plan\n  ./local.sh plan --input statemachine/inputs/nightly_refresh.json")  # fmt: skip
    plan.add_argument("--input", type=Path, metavar="FILE", help="JSON request; default {}: the stack's defaults")
    _add_json(plan)
    status = _command(commands, "status", "tell how an operation stands, or how it ended, as ./restore.sh show does",
                      "./local.sh status\n  ./local.sh status my-first-restore --json")  # fmt: skip
    _add_operation(status)
    _add_json(status)
    wait = _command(commands, "wait", "follow an operation to its end, as ./restore.sh watch does; 0 if it succeeded",
                    "./local.sh wait my-first-restore")  # fmt: skip
    _add_operation(wait)
    messages = _command(commands, "messages", "show what people were told: the messages of the local topics",
                        "./local.sh messages\n  ./local.sh messages my-first-restore")  # fmt: skip
    messages.add_argument("operation_id", nargs="?", metavar="OPERATION_ID", help="only the messages of this operation")
    _add_json(messages)
    psql = _command(commands, "psql", "psql on a cluster, as its master user",
                    "./local.sh psql shop-production\n"
                    "  ./local.sh psql shop-staging -d shop -c 'SELECT count(*) FROM shop.orders'\n"
                    "  PGUSER=app_user PGPASSWORD=... ./local.sh psql shop-staging -d shop")  # fmt: skip
    psql.add_argument("cluster", metavar="CLUSTER", help="cluster identifier, in either Region")
    psql.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="arguments for psql itself")
    _command(commands, "down", "stop the local cloud in the background and remove it", "./local.sh down")
    return root


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the parsed command line; ends the process with 2 and a hint if it is wrong."""
    return parser().parse_args(arguments)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, purpose: str, examples: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=purpose,
        description=purpose[0].upper() + purpose[1:] + ".",
        epilog=f"examples:\n  {examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_operation(to: argparse.ArgumentParser) -> None:
    to.add_argument("operation_id", nargs="?", metavar="OPERATION_ID", help="default: the newest operation")


def _add_json(to: argparse.ArgumentParser) -> None:
    to.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_speed(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--speed",
        type=_speed,
        default=DEFAULT_SPEED,
        metavar="N",
        help=f"how many times faster than AWS waits and durations pass (default {DEFAULT_SPEED:g})",
    )


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 1 <= speed <= 5000:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1 to 5000")
    return speed
