"""What `./local.sh` does in a local cloud: furnish it, restore in it, and prove the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

from local_cloud.cloud import LocalCloud
from local_cloud.pipeline import executions, postgres, report, shop
from local_cloud.pipeline.aurora_clusters import find_cluster, master_login
from local_cloud.pipeline.deployment import Deployment, Login, deploy
from local_cloud.pipeline.terminal import Terminal, table
from local_cloud.regions import TARGET_REGION

T = TypeVar("T")
STACK_PARAMETERS = {"SourceClusterId": shop.PRODUCTION, "TargetClusterId": shop.STAGING}


def furnish(cloud: LocalCloud, terminal: Terminal) -> Deployment:
    """Deploy the pipeline while the shop is made."""
    pool = ThreadPoolExecutor(2)
    try:
        deployed = pool.submit(_shown(terminal, "deploy with sam", lambda: deploy(cloud, STACK_PARAMETERS)))
        shop_text = "make production, its data and snapshot, and the old target"
        made = pool.submit(_shown(terminal, shop_text, lambda: shop.make_shop(cloud)))
        jobs: list[Future[Any]] = [made, deployed]
        for job in wait(jobs, return_when=FIRST_EXCEPTION).done:
            job.result()
        return deployed.result()
    finally:
        # Not waiting: after an interrupt or a failure the caller ends what still runs.
        pool.shutdown(wait=False, cancel_futures=True)


def _shown(terminal: Terminal, text: str, work: Callable[[], T]) -> Callable[[], T]:
    def run() -> T:
        with terminal.step(text):
            return work()

    return run


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a restore went; `rows_equal` is None when there was nothing to compare."""

    succeeded: bool
    rows_equal: bool | None = None


def restore_and_compare(
    cloud: LocalCloud, deployment: Deployment, request: Mapping[str, Any], terminal: Terminal
) -> Outcome:
    """Run the pipeline, show it live, then prove by counting that the data is all there."""
    execution = executions.start(cloud, deployment.state_machine_arn, request)
    terminal.note(f"operation {execution.rpartition(':')[2]}")
    progress = report.show_live(executions.follow(cloud, execution), terminal)
    terminal.say(f"\nSteps ({progress.seconds:.1f} s)\n{report.durations(progress)}")
    if progress.status != "SUCCEEDED":
        terminal.say(f"\n{report.failure(progress)}")
        return Outcome(succeeded=False)
    terminal.say(f"\nWhat was done\n{report.outcome(progress.output)}")
    if progress.output.get("dry_run"):
        return Outcome(succeeded=True)
    return _prove(cloud, deployment, progress.output, terminal)


def _prove(cloud: LocalCloud, deployment: Deployment, summary: Mapping[str, Any], terminal: Terminal) -> Outcome:
    target_id = str(summary["target_cluster_id"])
    _, target = find_cluster(cloud, target_id)
    found = sorted(_available_instances(cloud, target_id))
    expected = sorted(summary["instances"])
    if not found or found != expected:
        terminal.say(f"\nInstances of {target_id} that are available: found {found}, expected {expected}")
        return Outcome(succeeded=False)
    source = _source(cloud, str(summary["snapshot"]))
    if source is None:
        terminal.say("\nThe source is gone, or its master password is not known here: rows are not compared.")
        return Outcome(succeeded=True)
    cluster, login = source
    comparison = report.Comparison(
        source=_counts(cloud, cluster, login), target=_counts(cloud, target, deployment.master)
    )
    rows = table(["table", "source", "target", ""], comparison.rows())
    terminal.say(f"\nRows, counted in {cluster['DBClusterIdentifier']} and {target_id}\n{rows}")
    return Outcome(succeeded=True, rows_equal=comparison.is_equal)


def _available_instances(cloud: LocalCloud, cluster_id: str) -> list[str]:
    filters = [{"Name": "db-cluster-id", "Values": [cluster_id]}]
    found = cloud.client("rds", TARGET_REGION).describe_db_instances(Filters=filters)["DBInstances"]
    return [item["DBInstanceIdentifier"] for item in found if item["DBInstanceStatus"] == "available"]


def _source(cloud: LocalCloud, snapshot_arn: str) -> tuple[Mapping[str, Any], Login] | None:
    region, snapshot_id = snapshot_arn.split(":")[3], snapshot_arn.rpartition(":")[2]
    rds = cloud.client("rds", region)
    snapshots = rds.describe_db_cluster_snapshots(IncludeShared=True)["DBClusterSnapshots"]
    cluster_ids = [
        item["DBClusterIdentifier"] for item in snapshots if item["DBClusterSnapshotIdentifier"] == snapshot_id
    ]
    for cluster in rds.describe_db_clusters()["DBClusters"]:
        if cluster["DBClusterIdentifier"] in cluster_ids:
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
