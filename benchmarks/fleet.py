"""A fleet of fifty drills on the local cloud, five of which must fail: how long, and were RDS's quotas kept.

RDS copies five snapshots at a time into a Region, so fifty copies have a shortest time that no fleet can beat; the
table tells how far from it the fleet was, in RDS's own time. Needs the development environment (./test.sh makes it):
.local/envs/dev/bin/python -m benchmarks.fleet --help
"""

import argparse
import json
import math
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from local_cloud.aurora.settings import Durations, Quotas
from local_cloud.cloud import LocalCloud
from local_cloud.pipeline.demonstration import furnish
from local_cloud.screen.terminal import Terminal

_STATE_TABLE = "aurora-restore-state"
_NAME = "benchmark"


@dataclass
class Seen:
    """The most that an observer saw at a time."""

    copies: int = 0
    clusters: int = 0
    runs: int = 0


def main() -> None:
    """Run the fleet, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=50, help="how many (default 50)")
    parser.add_argument("--failing", type=int, default=5, help="how many of them ask for a snapshot that is not there")
    parser.add_argument("--at-once", type=int, default=20, help="max_concurrency (default 20)")
    parser.add_argument("--speed", type=float, default=20, help="seconds of RDS's in one of ours (default 20)")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud.start(run_dir=Path(folder) / "run", speed=chosen.speed) as cloud,
    ):
        machine = furnish(cloud, Terminal()).state_machine_arn
        began = time.monotonic()
        ended, seen = _run(cloud, machine.replace("-pipeline", "-fleet"), _requests(chosen), chosen.at_once)
        _print(cloud, chosen, ended, seen, (time.monotonic() - began) * chosen.speed)


def _requests(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    every = max(chosen.targets // chosen.failing, 1) if chosen.failing else chosen.targets + 1
    failing = {number for number in range(chosen.targets) if number % every == every - 1}
    return [
        {
            "source": {"cluster_id": "shop-production"} | ({"snapshot": "nobodys"} if number in failing else {}),
            "target": {"cluster_id": f"shop-drill-{number:03}", "instances": {"instance_class": "db.r8g.large"}},
            "afterwards": {"action": "delete", "after_hours": 0},
        }
        for number in range(chosen.targets)
    ]


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
        seen.clusters = max(seen.clusters, len(rds.describe_db_clusters()["DBClusters"]))
        seen.runs = max(seen.runs, len(under_way))
        if found["status"] != "RUNNING":
            return found, seen
        time.sleep(1)


def _print(cloud: LocalCloud, chosen: argparse.Namespace, ended: dict[str, Any], seen: Seen, seconds: float) -> None:
    rows = [_row(cloud, f"{_NAME}-{number:03}") for number in range(1, chosen.targets + 1)]
    restored = [row for row in rows if row.get("finished_at") and row["status"] == "SUCCEEDED"]
    # The fastest run did not wait for its turn: copied, restored, proven.
    fastest = min(_seconds(row, "created_at", "finished_at") for row in restored) * chosen.speed
    copy, most = Durations().copy_snapshot, Quotas().copies_in_progress
    least = math.ceil(len(restored) / most) * copy + fastest - copy
    print("| what | |\n|---|---:|")
    print(f"| {ended['status']} | {json.loads(ended.get('output', '{}')).get('verdict', ended.get('cause', ''))} |")
    print(f"| runs at a time, at most | {seen.runs} of {chosen.at_once} |")
    print(f"| copies at a time, at most | {seen.copies} of {most} |")
    print(f"| clusters at a time, at most | {seen.clusters} of {Quotas().clusters} |")
    print(f"| one run by itself, in RDS's time | {timedelta(seconds=round(fastest))} |")
    print(f"| shortest time that {most} copies at a time allow | {timedelta(seconds=round(least))} |")
    print(f"| the fleet | {timedelta(seconds=round(seconds))} |")
    print(f"| ratio | {seconds / least:.2f} |")


def _row(cloud: LocalCloud, operation_id: str) -> dict[str, Any]:
    table = cloud.client("dynamodb")
    item = table.get_item(TableName=_STATE_TABLE, Key={"operation_id": {"S": operation_id}})["Item"]
    return {name: value["S"] for name, value in item.items() if "S" in value}


def _seconds(row: dict[str, Any], start: str, end: str) -> float:
    return (datetime.fromisoformat(row[end]) - datetime.fromisoformat(row[start])).total_seconds()


if __name__ == "__main__":
    main()
