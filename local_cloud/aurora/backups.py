"""Automated backups, for the clusters that were asked for: one a night in the backup window, until they expire."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

from local_cloud.aurora.engine import Engine, as_service
from local_cloud.aurora.operations.snapshots import take_snapshot
from local_cloud.aurora.state.resources import Cluster, Snapshot
from local_cloud.aurora.timeline import Task

logger = logging.getLogger(__name__)


def take_automated_snapshot(engine: Engine, cluster: Cluster) -> str:
    """Take the automated snapshot of a cluster now and return its identifier; the timeline's lock is held."""
    identifier = f"rds:{cluster.identifier}-{engine.clock.now():%Y-%m-%d-%H-%M}"
    take_snapshot(as_service(engine, cluster), cluster, identifier, {}, "automated")
    return identifier


def take_recovery_point(engine: Engine, cluster: Cluster) -> str:
    """Take a snapshot of a cluster as AWS Backup does and return its identifier; the timeline's lock is held.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html names them awsbackup:job-<id>.
    """
    identifier = f"awsbackup:job-{uuid.uuid4()}"
    take_snapshot(as_service(engine, cluster), cluster, identifier, {}, "awsbackup")
    return identifier


def back_up_nightly(engine: Engine, cluster: Cluster) -> None:
    """Take an automated snapshot at the beginning of each backup window to come, until the cluster is gone."""

    def night() -> None:
        if engine.store.find(cluster.arn) is not cluster:
            return
        try:
            if cluster.status == "available":
                take_automated_snapshot(engine, cluster)
                _remove_expired(engine, cluster)
        finally:
            back_up_nightly(engine, cluster)

    now = engine.clock.now()
    due = next_window(cluster.backup_window, now)
    engine.timeline.add(Task(subject=f"{cluster.arn}#backup", start=now, due=due, finish=night, failed=_say))


def next_window(window: str, now: datetime) -> datetime:
    """Return the next beginning of a daily window such as 07:00-07:30 (UTC)."""
    hour, minute = window.partition("-")[0].split(":")
    today = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def _remove_expired(engine: Engine, cluster: Cluster) -> None:
    """Remove the automated snapshots that are older than the retention period, unless they are just being copied."""
    state = engine.store.state(cluster.account_id, cluster.region)
    oldest = engine.clock.now() - timedelta(days=cluster.backup_retention)
    everywhere = [snapshot for region in engine.store.states() for snapshot in region.snapshots.values()]
    copied = {snapshot.source_arn for snapshot in everywhere if snapshot.status == "copying"}
    for snapshot in list(state.snapshots.values()):
        if _is_backup_of(snapshot, cluster) and snapshot.create_time < oldest and snapshot.arn not in copied:
            del state.snapshots[snapshot.identifier]
            engine.timeline.run(snapshot.volume.remove)


def _is_backup_of(snapshot: Snapshot, cluster: Cluster) -> bool:
    return (
        snapshot.snapshot_type == "automated"
        and snapshot.cluster_resource_id == cluster.resource_id
        and snapshot.status == "available"
    )


def _say(error: BaseException) -> None:
    logger.error("an automated backup failed: %s", error)
