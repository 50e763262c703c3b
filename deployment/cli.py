"""The command line of deploy.sh. Only the standard library is imported here, so that --help needs nothing installed."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ENVIRONMENTS = ("dev", "staging", "prod")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    from deployment import commands
    from deployment.account import Refused

    try:
        return commands.run(options)
    except Refused as error:
        print(f"deploy.sh: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("deploy.sh: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh",
        description="Deploys the Aurora Restore Pipeline to the target Region. Every command can be run again.",
        epilog="Credentials come from the environment or from a profile (AWS_PROFILE), as for the AWS CLI.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    bootstrap = _command(
        commands, "bootstrap",
        "deploys the prerequisites: code bucket, KMS key, secrets, topic, DBA role; once per environment and Region",
    )  # fmt: skip
    _changes(bootstrap, "prerequisites")
    bootstrap.add_argument(
        "--beside", action="store_true",
        help="beside another environment of this account and Region: all names begin with aurora-restore-ENV, and "
        "clusters that it may replace are tagged aurora-restore:replaceable=ENV",
    )  # fmt: skip
    bootstrap.add_argument(
        "--source-account", action="store_true",
        help="in the account that owns production, if that is another one, and in the source Region: deploys what "
        "shares a snapshot every night; with --set of TargetAccountId, TargetRegion, SourceClusterId, SourceKeyArn",
    )  # fmt: skip

    put_secret = _command(
        commands, "put-secret",
        "puts a secret's value: from a file, from standard input, or generated; the master's as the DBA role",
    )  # fmt: skip
    put_secret.add_argument("name", choices=("master-credentials", "app-credentials"))
    source = put_secret.add_mutually_exclusive_group(required=True)
    source.add_argument("--file", help="JSON file with the value; - reads standard input")
    source.add_argument("--generate", action="store_true", help="new passwords that nobody sees, for the usual users")

    deploy = _command(
        commands, "deploy", "builds the packages, checks the templates, shows the change set, deploys the pipeline"
    )
    _changes(deploy, "pipeline")
    deploy.add_argument(
        "--host", action="store_true", help="packages for this machine's Python ($PYTHON), for the local cloud"
    )

    _command(commands, "verify", "checks prerequisites and pipeline; 1 if anything fails, with what to do about it")

    plan = _command(commands, "plan", "lets the deployed pipeline plan a run (dry run) and prints what it would do")
    plan.add_argument("--input", type=Path, required=True, help="JSON file with the request")
    plan.add_argument("--json", action="store_true", help="prints the plan as JSON, for programs")

    selftest = _command(
        commands, "selftest",
        "drills a throwaway source of its own through the deployed pipeline, verifies data, logins and evidence, and "
        "removes all of it; on AWS an hour and less than a dollar",
    )  # fmt: skip
    selftest.add_argument("--yes", action="store_true", help="asks nothing; minutes and cost are told all the same")
    selftest.add_argument(
        "--source-region", help="Region of the source: the stack's SourceRegion (default), or its own"
    )
    selftest.add_argument("--source-subnet-group", help="DB subnet group of the source (default: the default VPC's)")
    selftest.add_argument(
        "--target", help="cluster in whose subnets and security groups the drill restores (default: TargetClusterId)"
    )
    selftest.add_argument("--engine-version", help="version of the source (default: the target's, else the Region's)")
    selftest.add_argument("--keep", action="store_true", help="keeps source and snapshot to look at; --sweep removes")
    selftest.add_argument("--sweep", action="store_true", help="asks, and removes what selftests left, by its tag")
    selftest.epilog = (
        "Ctrl-C stops the drill and removes what was made. Exit codes: 0 all as it should be, 1 a step failed or it "
        "was refused, 2 usage, 3 something was left behind, 130 stopped."
    )

    destroy = _command(commands, "destroy", "deletes the pipeline's stack; says what stays and how to remove that")
    destroy.add_argument("--yes", action="store_true", help="asks nothing")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=f"{name}: {what}.")
    parser.add_argument(
        "--env", choices=ENVIRONMENTS, default="dev",
        help="environment: section of samconfig.toml with the stacks' parameters, and the secrets' name (default dev)",
    )  # fmt: skip
    parser.add_argument("--region", help="target Region (default: AWS_REGION, AWS_DEFAULT_REGION, the profile's)")
    return parser


def _changes(parser: argparse.ArgumentParser, stack: str) -> None:
    parser.add_argument("--yes", action="store_true", help="asks nothing; the change set is shown all the same")
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], dest="parameters",
        help=f"parameter of the {stack} stack, over the one in samconfig.toml; can be repeated",
    )  # fmt: skip
