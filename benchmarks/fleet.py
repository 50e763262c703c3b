"""A fleet of fifty drills on the local cloud, five of which must fail: how long, and were RDS's quotas kept.

RDS copies five snapshots at a time into a Region, so fifty copies have a shortest time that no fleet can beat; the
table tells how far from it the fleet was, in RDS's own time. Each drill has a snapshot of its own: copies of the same
one RDS makes one after the other. Needs the development environment (./test.sh makes it):
.local/envs/dev/bin/python -m benchmarks.fleet --help
"""

import argparse
import json
import math
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.fleet_stand_in import stand_in
from local_cloud.aurora.settings import Durations, Quotas
from local_cloud.cloud import LocalCloud
from local_cloud.credentials import ACCOUNT_ID
from local_cloud.pipeline.demonstration import furnish
from local_cloud.pipeline.shop import PRODUCTION, SNAPSHOT
from local_cloud.regions import SOURCE_REGION
from local_cloud.screen.terminal import Terminal

_NAME = "benchmark"
_SECONDS_BETWEEN_LOOKS = 2.0


@dataclass
class Seen:
    """The most that an observer saw at a time."""

    copies: int = 0
    clusters: int = 0
    instances: int = 0
    snapshots: int = 0
    runs: int = 0


def main() -> None:
    """Run the fleet, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=50, help="how many (default 50)")
    parser.add_argument("--failing", type=int, default=5, help="how many of them ask for a snapshot that is not there")
    parser.add_argument("--at-once", type=int, default=16, help="max_concurrency (default 16)")
    parser.add_argument("--speed", type=float, default=8, help="seconds of RDS's in one of ours (default 8)")
    parser.add_argument(
        "--wait-speed",
        type=float,
        default=3,
        help="the same for the state machines' waits (default 3)",
    )
    parser.add_argument(
        "--stand-in", action="store_true", help="runs that only copy and wait: measures the fleet, not this machine"
    )
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud.start(
            run_dir=Path(folder) / "run", speed=chosen.speed, wait_speed=chosen.wait_speed, shortest_wait=0.0
        ) as cloud,
    ):
        terminal = Terminal()
        machine = furnish(cloud, terminal).state_machine_arn
        with terminal.step(f"make {chosen.targets} snapshots of production"):
            _make_snapshots(cloud, chosen.targets)
        fleet, requests = machine.replace("-pipeline", "-fleet"), _requests(chosen)
        if chosen.stand_in:
            stand_in(cloud, machine, _arn(""))
        else:
            with terminal.step("call every function once"):
                _call_functions(cloud)
        began = time.monotonic()
        ended, seen = _run(cloud, fleet, requests, chosen.at_once)
        _print(cloud, chosen, ended, seen, (time.monotonic() - began) * chosen.speed)


def _make_snapshots(cloud: LocalCloud, number: int) -> None:
    """Copy production's snapshot within its Region, one after the other, without waiting for RDS's time."""
    rds = cloud.client("rds", SOURCE_REGION)
    for name in map(_snapshot, range(number)):
        rds.copy_db_cluster_snapshot(SourceDBClusterSnapshotIdentifier=SNAPSHOT, TargetDBClusterSnapshotIdentifier=name)
        cloud.aurora_control("POST", "clock", {"skip": Durations().copy_snapshot})
        rds.get_waiter("db_cluster_snapshot_available").wait(
            DBClusterSnapshotIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )


def _snapshot(number: int) -> str:
    return f"{SNAPSHOT}-{number:03}"


def _arn(snapshot: str) -> str:
    return f"arn:aws:rds:{SOURCE_REGION}:{ACCOUNT_ID}:cluster-snapshot:{snapshot}"


def _requests(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    every = max(chosen.targets // chosen.failing, 1) if chosen.failing else chosen.targets + 1
    failing = {number for number in range(chosen.targets) if number % every == every - 1}
    return [
        {
            "source": {"cluster_id": PRODUCTION, "snapshot": "nobodys" if number in failing else _snapshot(number)},
            "target": {"cluster_id": f"shop-drill-{number:03}", "instances": {"instance_class": "db.r8g.large"}},
            "afterwards": {"action": "delete", "after_hours": 0},
        }
        for number in range(chosen.targets)
    ]


def _call_functions(cloud: LocalCloud) -> None:
    """Call one function after the other: here the first environment of each loads what later ones find loaded."""
    functions = cloud.client("lambda")
    for name in (item["FunctionName"] for item in functions.list_functions()["Functions"]):
        functions.invoke(FunctionName=name, Payload=json.dumps({"verify": {}}))


def _run(cloud: LocalCloud, fleet: str, requests: list[Any], at_once: int) -> tuple[dict[str, Any], Seen]:
    """Run the fleet to its end, and look at RDS and at the runs all the while."""
    states, rds, seen = cloud.client("stepfunctions"), cloud.client("rds"), Seen()
    asked = {"operations": requests, "max_concurrency": at_once, "tolerated_failures": len(requests)}
    arn = states.start_execution(stateMachineArn=fleet, name=_NAME, input=json.dumps(asked))["executionArn"]
    pipeline = fleet.replace("-fleet", "-pipeline")
    while True:
        found: dict[str, Any] = states.describe_execution(executionArn=arn)
        snapshots = rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
        under_way = states.list_executions(stateMachineArn=pipeline, statusFilter="RUNNING")["executions"]
        seen.copies = max(seen.copies, sum(item["Status"] == "copying" for item in snapshots))
        seen.snapshots = max(seen.snapshots, len(snapshots))
        seen.clusters = max(seen.clusters, len(rds.describe_db_clusters()["DBClusters"]))
        seen.instances = max(seen.instances, len(rds.describe_db_instances()["DBInstances"]))
        seen.runs = max(seen.runs, len(under_way))
        if found["status"] != "RUNNING":
            return found, seen
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _print(cloud: LocalCloud, chosen: argparse.Namespace, ended: dict[str, Any], seen: Seen, seconds: float) -> None:
    runs = [_described(cloud, ended["executionArn"], number) for number in range(1, chosen.targets + 1)]
    restored = [run for run in runs if run["status"] == "SUCCEEDED"]
    # The fastest run did not wait for its turn: copied, restored, proven.
    fastest = min((run["stopDate"] - run["startDate"]).total_seconds() for run in restored) * chosen.speed
    copy, quotas = Durations().copy_snapshot, Quotas()
    most = quotas.copies_in_progress
    least = math.ceil(len(restored) / most) * copy + fastest - copy
    print("| what | |\n|---|---:|")
    print(f"| {ended['status']} | {json.loads(ended.get('output', '{}')).get('verdict', ended.get('cause', ''))} |")
    print(f"| runs at a time, at most | {seen.runs} of {chosen.at_once} |")
    print(f"| copies at a time, at most | {seen.copies} of {most} |")
    print(f"| clusters at a time, at most | {seen.clusters} of {quotas.clusters} |")
    print(f"| instances at a time, at most | {seen.instances} of {quotas.instances} |")
    print(f"| manual snapshots at a time, at most | {seen.snapshots} of {quotas.manual_snapshots} |")
    print(f"| one run by itself, in RDS's time | {timedelta(seconds=round(fastest))} |")
    print(f"| shortest time that {most} copies at a time allow | {timedelta(seconds=round(least))} |")
    print(f"| the fleet | {timedelta(seconds=round(seconds))} |")
    print(f"| ratio | {seconds / least:.2f} |")
    for run in runs:
        if run["status"] != "SUCCEEDED":
            print(f"\n{run['name']} {run['status']} {run.get('error', '')}: {run.get('cause', '')[:200]}")


def _described(cloud: LocalCloud, fleet: str, number: int) -> dict[str, Any]:
    run = f"{fleet.replace('-fleet:', '-pipeline:')}-{number:03}"
    found: dict[str, Any] = cloud.client("stepfunctions").describe_execution(executionArn=run)
    return found


if __name__ == "__main__":
    main()
