"""`./restore.sh drills`: every source cluster in view, with its restores over time."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from deployment.account import Refused, error_code, told
from restore_command.evidence import drills_shown
from restore_command.evidence.reporting import hand_out
from restore_command.execution import new_name
from restore_command.exit_codes import SUCCEEDED
from restore_command.output import Output
from restore_command.pipeline import EVIDENCE_FUNCTION, Pipeline
from restore_command.records import Run, records_of
from utils.evidence.drills import SourceCluster
from utils.evidence.period import Period, Population, document_of, found_in, notes_on, page_of_period
from utils.operation.records import EvidenceRecord

_ENGINE = "aurora-postgresql"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """So many days to the end of the last one (UTC), or to now; and for how long a restore proves its source."""

    days: int
    fresh_days: int
    last_day: datetime | None = None

    @property
    def until(self) -> datetime | None:
        """The first moment after the last day."""
        return self.last_day.replace(tzinfo=UTC) + timedelta(days=1) if self.last_day else None


def drills(pipeline: Pipeline, output: Output, wanted: Wanted, html: Path | None) -> int:
    """Show which source clusters were restored, and which were not."""
    now = datetime.now(UTC)
    until = min(wanted.until or now, now)
    period = Period(made_at=now, until=until, days=wanted.days, fresh_days=wanted.fresh_days, region=pipeline.region)
    with told():
        runs = records_of(pipeline).runs()
        population = _population(pipeline, runs)
    found = found_in(period, (run.operation for run in runs if run.operation is not None), population)
    if html is not None:
        output.file(html, page_of_period(period, found, population))
    for note in notes_on(period, population):
        output.note(note)
    shown = drills_shown.table_of(found, period.until) if found else "No source cluster in view."
    output.result(document_of(period, found, population), shown)
    return SUCCEEDED


def sign(pipeline: Pipeline, output: Output, wanted: Wanted, folder: Path) -> int:
    """Have the pipeline report and sign the same period, from its own rows, and fetch that."""
    period: dict[str, Any] = {"days": wanted.days, "fresh_days": wanted.fresh_days}
    if wanted.until is not None:
        period["until"] = wanted.until.isoformat()
    event = {"operation_id": new_name("drills"), "period": period}
    with told():
        answer = pipeline.account.client("lambda").invoke(
            FunctionName=pipeline.names.of(EVIDENCE_FUNCTION), Payload=json.dumps(event).encode()
        )
    document = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Refused(f"{EVIDENCE_FUNCTION} failed: {document.get('errorType')}: {document.get('errorMessage')}")
    return hand_out(pipeline, output, EvidenceRecord.model_validate(document["details"]), folder)


def _population(pipeline: Pipeline, runs: list[Run]) -> Population:
    """Return the clusters of the source Region that are no targets, and a word if they may not be listed."""
    region = pipeline.defaults.source_region or pipeline.region
    targets = {run.target for run in runs} if region == pipeline.region else set()
    try:
        rds = pipeline.account.session.client("rds", region_name=region)
        pages = rds.get_paginator("describe_db_clusters").paginate()
        clusters = [cluster for page in pages for cluster in page["DBClusters"] if cluster["Engine"] == _ENGINE]
    except ClientError as error:
        why = f"which clusters there are in {region} is not known ({error_code(error)})"
        return Population([], f"{why}: those that were never restored are missing here")
    found = [
        SourceCluster(cluster_id=name, region=region, account_id=cluster["DBClusterArn"].split(":")[4])
        for cluster in clusters
        if (name := cluster["DBClusterIdentifier"]) not in targets
    ]
    return Population(found)
