"""`./restore.sh drills`: every source cluster in view, with its restores over time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from botocore.exceptions import ClientError

from deployment.account import error_code, told
from restore_command.evidence import drills_shown
from restore_command.evidence.drills import SourceCluster, drills_of
from restore_command.exit_codes import SUCCEEDED
from restore_command.output import Output
from restore_command.pipeline import Pipeline
from restore_command.records import Run, records_of

_ENGINE = "aurora-postgresql"


def drills(pipeline: Pipeline, output: Output, *, days: int, fresh_days: int, html: Path | None) -> int:
    """Show which source clusters were restored, and which were not."""
    now = datetime.now(UTC)
    since = now - timedelta(days=days)
    with told():
        runs = records_of(pipeline).runs()
        population, unknown = _population(pipeline, runs)
    found = drills_of(runs, population, since=since, fresh_for=timedelta(days=fresh_days))
    if html is not None:
        about = {"since": since, "now": now, "region": pipeline.region, "fresh_days": fresh_days, "unknown": unknown}
        output.file(html, drills_shown.page_of(found, **about))
    if unknown:
        output.note(unknown)
    document = {
        "since": since.isoformat(),
        "until": now.isoformat(),
        "fresh_days": fresh_days,
        "population_known": not unknown,
        "sources": [item.document(now) for item in found],
    }
    output.result(document, drills_shown.table_of(found, now) if found else "No source cluster in view.")
    return SUCCEEDED


def _population(pipeline: Pipeline, runs: list[Run]) -> tuple[list[SourceCluster], str]:
    """Return the clusters of the source Region that are no targets, and a word if they may not be listed."""
    region = pipeline.defaults.source_region or pipeline.region
    targets = {run.target for run in runs} if region == pipeline.region else set()
    try:
        rds = pipeline.account.session.client("rds", region_name=region)
        pages = rds.get_paginator("describe_db_clusters").paginate()
        clusters = [cluster for page in pages for cluster in page["DBClusters"] if cluster["Engine"] == _ENGINE]
    except ClientError as error:
        why = f"which clusters there are in {region} is not known ({error_code(error)})"
        return [], f"{why}: those that were never restored are missing here"
    return [
        SourceCluster(cluster_id=name, region=region, account_id=cluster["DBClusterArn"].split(":")[4])
        for cluster in clusters
        if (name := cluster["DBClusterIdentifier"]) not in targets
    ], ""
