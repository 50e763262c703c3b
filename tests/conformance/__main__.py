"""`./test.sh --conformance aws`: asks AWS every fact, writes down what it answers, and removes what it made."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import uuid
from collections import Counter
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.conformance.asking import Asked, ask
from tests.conformance.bench import TAG, Bench
from tests.conformance.fact import Fact, all_facts
from tests.conformance.leftovers import find_leftovers
from tests.conformance.record import FOLDER, Record

_SUCCEEDED, _DIFFERS, _USAGE, _LEFT_BEHIND, _STOPPED = 0, 1, 2, 3, 130
# Two clusters of one Aurora capacity unit at a time: dollars an hour (us-east-1, aws.amazon.com/rds/aurora/pricing).
_DOLLARS_AN_HOUR = 2 * 0.12
_DOLLARS_BESIDE = 0.10
_HELP = f"""
Everything that is made is named conformance-… and has the tag {TAG}; it is removed at the end, also after Ctrl-C.
The default VPC is used. A KMS key stays for the 7 days that AWS demands, free of charge.

Exit codes: 0 all as stated, 1 something is otherwise, 2 usage or credentials, 3 something was left behind,
130 stopped.
"""


def main() -> int:
    """Run; return the exit code."""
    # A shell that starts this in the background has it ignore Ctrl-C, which removes what was made.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options = _options()
    facts = [fact for fact in all_facts() if fnmatchcase(f"{fact.service}/{fact.name}", f"*{options.only}*")]
    if options.list or not facts:
        _list(facts)
        return _SUCCEEDED if facts else _USAGE
    try:
        session = boto3.Session(
            profile_name=options.profile, region_name=options.region or os.environ.get("AWS_REGION")
        )
        if not session.region_name:
            _say("No Region: give --region, such as us-east-1")
            return _USAGE
        bench = Bench(session, uuid.uuid4().hex[:8], _say, minute=_minute())
        account = bench.account
    except (ClientError, BotoCoreError) as error:
        _say(f"No credentials that AWS takes ({error}): give --profile, or set AWS_PROFILE")
        return _USAGE
    if options.sweep:
        return _sweep(bench)
    if not _is_confirmed(facts, account, bench.region):
        _say("Nothing was done.")
        return _USAGE
    return _run(bench, facts, options.record)


def _run(bench: Bench, facts: list[Fact], folder: Path) -> int:
    asked: list[Asked] = []
    stopped = False
    try:
        for item in ask(bench, facts):
            asked.append(item)
            _say(f"{len(asked):3d}/{len(facts)}  {_verdict(item)}  {item.fact.service}: {item.fact.statement}")
            if item.otherwise:
                _say(f"         {item.otherwise}")
    except KeyboardInterrupt:
        stopped = True
        _say("Stopped; removing what was made. A second Ctrl-C leaves it: find it again with --sweep")
    left = bench.remove_all()
    _count(asked)
    if len(asked) == len(all_facts()):
        _say(f"The record: {Record.of(asked, bench.region, datetime.now(UTC)).write(folder)}")
    else:
        _say("No record was written: not every fact was asked")
    if left:
        _say("Left behind; try again with --sweep:\n  " + "\n  ".join(left))
        return _LEFT_BEHIND
    if stopped:
        return _STOPPED
    return _DIFFERS if any(item.otherwise for item in asked) else _SUCCEEDED


def _sweep(bench: Bench) -> int:
    found = find_leftovers(bench)
    for what, remove in reversed(found):
        bench.remove_at_the_end(what, remove)
    if left := bench.remove_all():
        _say("Still there:\n  " + "\n  ".join(left))
        return _LEFT_BEHIND
    _say(
        f"{len(found)} things were left behind by earlier runs, and are removed" if found else "Nothing was left behind"
    )
    return _SUCCEEDED


def _is_confirmed(facts: list[Fact], account: str, region: str) -> bool:
    minutes = sum(fact.minutes for fact in facts)
    dollars = minutes / 60 * _DOLLARS_AN_HOUR + _DOLLARS_BESIDE
    _say(
        f"{len(facts)} facts will be asked in account {account}, Region {region}: about {minutes:.0f} minutes and "
        f"{dollars:.2f} US dollars. Clusters, snapshots, functions, roles and more are made, and removed again."
    )
    sys.stdout.write(f"Type the account's number to begin: {account} > ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == account


def _list(facts: list[Fact]) -> None:
    for fact in facts:
        _say(f"{fact.service}/{fact.name}\n    {fact.statement}\n    {fact.source}")
        if fact.only_aws:
            _say(f"    only on AWS: {fact.only_aws}")
    local = sum(not fact.only_aws for fact in facts)
    _say(f"{len(facts)} facts, {local} of them can be asked of the local cloud")


def _count(asked: list[Asked]) -> None:
    services = Counter(item.fact.service for item in asked)
    otherwise = Counter(item.fact.service for item in asked if item.otherwise)
    _say(f"\n{'service':24} {'asked':>6} {'as stated':>10} {'otherwise':>10}")
    for service, number in services.items():
        _say(f"{service:24} {number:6d} {number - otherwise[service]:10d} {otherwise[service]:10d}")


def _verdict(item: Asked) -> str:
    return "OTHERWISE" if item.otherwise else "as stated"


def _minute() -> float:
    """Seconds that a minute of waiting lasts: the tests' local cloud has another clock."""
    return float(os.environ.get("CONFORMANCE_MINUTE", "60"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./test.sh --conformance",
        description="Asks AWS what this project believes about it, and writes down what it answers.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("endpoint", choices=["aws"], help="whom to ask; the local cloud is asked by every ./test.sh")
    parser.add_argument("--profile", help="a profile of ~/.aws/config (default: AWS_PROFILE, or the environment)")
    parser.add_argument("--region", help="the Region that is asked (default: the profile's, or AWS_REGION)")
    parser.add_argument("--only", default="", metavar="PATTERN", help="facts whose service/name contains it")
    parser.add_argument("--list", action="store_true", help="list the facts with their sources, and ask nothing")
    parser.add_argument("--sweep", action="store_true", help="remove what earlier runs left behind, found by its tag")
    parser.add_argument(
        "--record", type=Path, default=FOLDER, metavar="FOLDER", help="where the record goes (%(default)s)"
    )
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
