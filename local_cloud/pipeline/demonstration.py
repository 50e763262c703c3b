"""What `./local.sh` does in a local cloud: furnish it, restore in it, and prove the result."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from local_cloud.cloud import LocalCloud
from local_cloud.handing_over import call
from local_cloud.pipeline import postgres, shop
from local_cloud.pipeline.aurora_clusters import find_cluster, master_login
from local_cloud.pipeline.comparison import Comparison
from local_cloud.pipeline.deployment import Deployment, Login, deploy
from local_cloud.regions import TARGET_REGION
from local_cloud.screen.layout import table
from local_cloud.screen.terminal import Terminal
from restore_command import execution as executions

T = TypeVar("T")
STACK_PARAMETERS = {"SourceClusterId": shop.PRODUCTION, "TargetClusterId": shop.STAGING}
_FURNISHED = "furnished"
# What a phase may need of this machine's time, however fast Aurora's time runs; and the pipeline's own limits.
_REAL_SECONDS_OF_A_PHASE, _SHORTEST_BUDGET_HOURS, _LONGEST_BUDGET_HOURS = 60, 2, 120


def furnish(cloud: LocalCloud, terminal: Terminal) -> Deployment:
    """Deploy the pipeline while the shop is made."""
    pool = ThreadPoolExecutor(2)
    try:
        deployed = pool.submit(
            _shown(terminal, "deploy with sam", lambda: deploy(cloud, stack_parameters(cloud.speed)))
        )
        shop_text = "make production, its data and snapshot, and the old target"
        made = pool.submit(_shown(terminal, shop_text, lambda: shop.make_shop(cloud)))
        jobs: list[Future[Any]] = [made, deployed]
        for job in wait(jobs, return_when=FIRST_EXCEPTION).done:
            job.result()
        (cloud.run_dir / _FURNISHED).touch()
        return deployed.result()
    finally:
        # Not waiting: after an interrupt or a failure the caller ends what still runs.
        pool.shutdown(wait=False, cancel_futures=True)


def stack_parameters(speed: float) -> dict[str, str]:
    """Return the stack's parameters: where hours of RDS's time pass in a second, a phase may take more of them."""
    hours = min(speed * _REAL_SECONDS_OF_A_PHASE / 3600, _LONGEST_BUDGET_HOURS)
    if hours <= _SHORTEST_BUDGET_HOURS:
        return STACK_PARAMETERS
    budgets = {"copy_hours": max(hours, 12), "delete_hours": hours, "restore_hours": max(hours, 12)}
    return {**STACK_PARAMETERS, "RequestDefaults": json.dumps({"budgets": budgets})}


def is_furnished(cloud: LocalCloud) -> bool:
    """Tell whether a local cloud has everything; one whose `up` was killed has not."""
    return (cloud.run_dir / _FURNISHED).exists()


def _shown(terminal: Terminal, text: str, work: Callable[[], T]) -> Callable[[], T]:
    def run() -> T:
        with terminal.step(text):
            return work()

    return run


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a restore went: ./restore.sh's exit code; `rows_equal` is None when there was nothing to compare."""

    exit_code: int
    rows_equal: bool | None = None


def restore_and_compare(cloud: LocalCloud, deployment: Deployment, request: Path | None, terminal: Terminal) -> Outcome:
    """Run the pipeline as an operator does, then prove by counting that the data is all there."""
    name, variables = executions.new_name(), cloud.environment()
    asked = ["--input", str(request)] if request else []
    exit_code = call(variables, "start", "--watch", "--name", name, *asked)
    if exit_code != 0:
        return Outcome(exit_code=exit_code)
    terminal.say()
    call(variables, "show", name)
    states = cloud.client("stepfunctions")
    [ended] = executions.follow(states, executions.find(states, deployment.state_machine_arn, name), seconds=0)
    return Outcome(exit_code=0) if ended.output.get("dry_run") else _prove(cloud, deployment, ended.output, terminal)


def _prove(cloud: LocalCloud, deployment: Deployment, summary: Mapping[str, Any], terminal: Terminal) -> Outcome:
    target_id = str(summary["target_cluster_id"])
    _, target = find_cluster(cloud, target_id)
    found = sorted(_available_instances(cloud, target_id))
    expected = sorted(summary["instances"])
    if not found or found != expected:
        text = f"Instances of {target_id} that are available: found {found}, expected {expected}"
        terminal.say(f"\n{terminal.palette.bad('✗')} {text}")
        return Outcome(exit_code=1)
    source = _source(cloud, summary)
    if source is None:
        terminal.say("\nThe source is gone, or its master password is not known here: rows are not compared.")
        return Outcome(exit_code=0)
    cluster, login = source
    comparison = Comparison(source=_counts(cloud, cluster, login), target=_counts(cloud, target, deployment.master))
    compared = table(["table", "source", "target", ""], comparison.rows(terminal.palette))
    heading = terminal.palette.heading(f"Rows, counted in {cluster['DBClusterIdentifier']} and {target_id}")
    terminal.say(f"\n{heading}\n{compared}")
    return Outcome(exit_code=0, rows_equal=comparison.is_equal)


def _available_instances(cloud: LocalCloud, cluster_id: str) -> list[str]:
    filters = [{"Name": "db-cluster-id", "Values": [cluster_id]}]
    found = cloud.client("rds", TARGET_REGION).describe_db_instances(Filters=filters)["DBInstances"]
    return [item["DBInstanceIdentifier"] for item in found if item["DBInstanceStatus"] == "available"]


def _source(cloud: LocalCloud, summary: Mapping[str, Any]) -> tuple[Mapping[str, Any], Login] | None:
    region = str(summary["snapshot"]).split(":")[3]
    for cluster in cloud.client("rds", region).describe_db_clusters()["DBClusters"]:
        if cluster["DBClusterIdentifier"] == summary["source_cluster_id"]:
            login = master_login(cloud, region, cluster)
            return (cluster, login) if login else None
    return None


def _counts(cloud: LocalCloud, cluster: Mapping[str, Any], login: Login) -> dict[str, int]:
    """Count the rows of every table of every database of a cluster."""
    entrance = postgres.database_of(cluster, "postgres", login)
    names = postgres.query(
        cloud, entrance, "SELECT datname FROM pg_database WHERE datname NOT IN ('rdsadmin', 'template0', 'template1')"
    )
    counts: dict[str, int] = {}
    for (name,) in names:
        database = postgres.database_of(cluster, name, login)
        counts |= {f"{name}.{relation}": rows for relation, rows in postgres.exact_counts(cloud, database).items()}
    return counts
