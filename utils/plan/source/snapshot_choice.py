"""Which snapshot is restored: the newest available one, or the one that was named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from utils import tags
from utils.aws.rds_models import Snapshot
from utils.aws.rds_reader import ENGINE, RdsReader
from utils.aws.rds_statuses import SNAPSHOT, Verdict
from utils.errors import SnapshotNotAvailable, SnapshotNotFound, SnapshotNotRestorable, SnapshotTooOld
from utils.identifiers import is_snapshot_arn, region_and_account, time_of_automated_snapshot
from utils.operation.planned import RejectedSnapshot
from utils.request.source import LATEST, Source
from utils.restore_type import RestoreType
from utils.settings import Settings
from utils.words import counted

# AWS takes one before a major version upgrade: it is of the old version and not a backup somebody chose.
_UPGRADE_PREFIX = "preupgrade"
_MOST_REJECTED = 20
_NO_BACKUPS = {tags.Role.COPY.value, tags.Role.FINAL.value, tags.Role.SOURCE.value}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The source snapshot, and those of the source cluster that it was not, each with the reason."""

    snapshot: Snapshot
    rejected: Sequence[RejectedSnapshot] = ()


def choose_snapshot(source: Source, rds: RdsReader, settings: Settings) -> Choice:
    """Pick the source snapshot in the source Region; raises the snapshot errors."""
    if source.snapshot == LATEST:
        return _newest(source, rds, settings.account_id)
    named = _named(source, rds, settings)
    return Choice(snapshot=_dated(named, _origin_here(named, source, rds, settings.account_id) or named))


def check_age(
    identifier: str,
    created_at: datetime | None,
    max_age_hours: float | None,
    now: datetime,
    restore_type: RestoreType = RestoreType.SNAPSHOT,
) -> float:
    """Return the age of a snapshot, or of a source cluster's point in time, in hours; raises `SnapshotTooOld`."""
    if created_at is None:
        raise SnapshotNotAvailable(
            f"snapshot {identifier} without a creation time",
            expected="a finished snapshot",
            action="wait until it is available, or name another one",
        )
    # Clocks differ: what was taken a moment ago may bear a later time.
    age = max((now - created_at).total_seconds() / 3600, 0.0)
    if max_age_hours is not None and age > max_age_hours:
        is_snapshot = restore_type is RestoreType.SNAPSHOT
        what, kind = ("snapshot", "snapshot") if is_snapshot else ("cluster", "time")
        raise SnapshotTooOld(
            f"{what} {identifier} of {created_at:%Y-%m-%d %H:%M} UTC, {age:.1f} hours old",
            field="source.snapshot" if is_snapshot else "source.restore_time",
            expected=f"a {kind} no older than source.max_age_hours = {max_age_hours:g}",
            action="find out why the source has no newer snapshot, or allow the age"
            if is_snapshot
            else "name a later time, or allow the age",
        )
    return round(age, 2)


def _newest(source: Source, rds: RdsReader, own_account: str) -> Choice:
    shared = source.account_id not in (None, own_account)
    found = rds.shared_snapshots() if shared else rds.snapshots_of(source.cluster_id)
    by_arn = {snapshot.arn: snapshot for snapshot in found}
    of_source = [
        snapshot
        for snapshot in found
        if snapshot.cluster_id == source.cluster_id
        and (not shared or region_and_account(snapshot.arn)[1] == source.account_id)
    ]
    reasons = {snapshot.arn: _why_not(snapshot) for snapshot in of_source}
    candidates = [_dated(snapshot, _origin(snapshot, by_arn)) for snapshot in of_source if not reasons[snapshot.arn]]
    if not candidates:
        where = f" shared by account {source.account_id}" if shared else ""
        raise SnapshotNotFound(
            f"no available snapshot of cluster {source.cluster_id} in {source.region}{where} "
            f"({counted(len(found), 'snapshot')} of any kind)",
            field="source.snapshot",
            expected="at least one with status available",
            action="take or share a snapshot, or correct source.cluster_id and source.region",
        )
    chosen = max(candidates, key=lambda snapshot: (snapshot.created_at, snapshot.identifier))
    reasons |= {other.arn: f"older: of {other.created_at:%Y-%m-%d %H:%M} UTC" for other in candidates}
    others = sorted(of_source, key=_newest_first, reverse=True)
    rejected = [
        RejectedSnapshot(identifier=_own_name(other), why=reasons[other.arn])
        for other in others
        if other.arn != chosen.arn
    ]
    return Choice(snapshot=chosen, rejected=rejected[:_MOST_REJECTED])


def _why_not(snapshot: Snapshot) -> str:
    """Say why a snapshot of the source cluster is no candidate; empty for one that is."""
    if snapshot.engine != ENGINE:
        return f"of engine {snapshot.engine}"
    if snapshot.status not in SNAPSHOT.ready or snapshot.created_at is None:
        return f"its status is {snapshot.status}"
    if _own_name(snapshot).startswith(_UPGRADE_PREFIX):
        return "taken by AWS before an upgrade"
    if _is_the_pipelines(snapshot):
        return f"the pipeline's own ({snapshot.tags[tags.ROLE]})"
    return ""


def _newest_first(snapshot: Snapshot) -> tuple[datetime, str]:
    return snapshot.created_at or datetime.max.replace(tzinfo=UTC), snapshot.identifier


def _named(source: Source, rds: RdsReader, settings: Settings) -> Snapshot:
    snapshot = rds.find_snapshot(_searchable(source, settings))
    if snapshot is None:
        raise SnapshotNotFound(
            f"no snapshot {source.snapshot} in {source.region}",
            field="source.snapshot",
            expected="an existing snapshot, owned by or shared with this account",
            action="correct source.snapshot, source.region or source.account_id",
        )
    if snapshot.engine != ENGINE:
        raise SnapshotNotRestorable(
            f"snapshot {snapshot.identifier} of engine {snapshot.engine}",
            field="source.snapshot",
            expected=ENGINE,
            action="name a snapshot of an Aurora PostgreSQL cluster",
        )
    if snapshot.cluster_id != source.cluster_id:
        raise SnapshotNotFound(
            f"snapshot {snapshot.identifier} of cluster {snapshot.cluster_id}",
            field="source.snapshot",
            expected=f"a snapshot of source.cluster_id = {source.cluster_id}",
            action="correct one of the two",
        )
    if SNAPSHOT.judge(snapshot.status, snapshot.identifier) is not Verdict.READY:
        raise SnapshotNotAvailable(
            f"snapshot {snapshot.identifier} with status {snapshot.status}",
            field="source.snapshot",
            expected="status available",
            action="wait until it is available, or name another one",
        )
    return snapshot


def _is_the_pipelines(snapshot: Snapshot) -> bool:
    # The final snapshot of what the pipeline replaced, or its copy, is no backup of the cluster of that name; nor is
    # that of another environment beside this one.
    return tags.MANAGED in snapshot.tags and snapshot.tags.get(tags.ROLE) in _NO_BACKUPS


def _origin(snapshot: Snapshot, by_arn: Mapping[str, Snapshot]) -> Snapshot:
    """Follow a copy to what it is a copy of, as far as that is still there: its data is as old as that."""
    for _ in by_arn:
        source = by_arn.get(snapshot.source_arn or "")
        if source is None or source.created_at is None:
            break
        snapshot = source
    return snapshot


def _origin_here(snapshot: Snapshot, source: Source, rds: RdsReader, own_account: str) -> Snapshot | None:
    """Return what a named copy is a copy of, None if that is in another Region or account, or gone."""
    if snapshot.source_arn is None or region_and_account(snapshot.source_arn) != (source.region, own_account):
        return None
    origin = rds.find_snapshot(snapshot.source_arn)
    return origin if origin is not None and origin.created_at is not None else None


def _dated(snapshot: Snapshot, origin: Snapshot) -> Snapshot:
    """Return a copy with the time of its data: its origin's, or what the name of an unseen automated snapshot says."""
    unseen = time_of_automated_snapshot(origin.source_arn or "")
    return replace(snapshot, created_at=unseen or origin.created_at)


def _own_name(snapshot: Snapshot) -> str:
    # RDS gives a shared snapshot its ARN as identifier, and an automated one the prefix `rds:`.
    return snapshot.arn.rsplit(":", 1)[-1]


def _searchable(source: Source, settings: Settings) -> str:
    if is_snapshot_arn(source.snapshot):
        region, account = region_and_account(source.snapshot)
        if region != source.region:
            raise SnapshotNotFound(
                f"the ARN of a snapshot in {region}",
                field="source.snapshot",
                expected=f"a snapshot in source.region = {source.region}",
                action="correct one of the two",
            )
        if source.account_id not in (None, account):
            raise SnapshotNotFound(
                f"the ARN of a snapshot of account {account}",
                field="source.snapshot",
                expected=f"a snapshot of source.account_id = {source.account_id}",
                action="correct one of the two",
            )
        return source.snapshot
    if source.account_id not in (None, settings.account_id):
        # Another account's snapshot is found by its full ARN only.
        return f"arn:{settings.partition}:rds:{source.region}:{source.account_id}:cluster-snapshot:{source.snapshot}"
    return source.snapshot


def check_shareable(snapshot: Snapshot, settings: Settings) -> None:
    """Refuse another account's snapshot under that account's default key, which never leaves it."""
    _, account = region_and_account(snapshot.arn)
    if account != settings.account_id and (snapshot.kms_key_id or "").endswith("alias/aws/rds"):
        raise SnapshotNotRestorable(
            f"snapshot {snapshot.identifier} under the key aws/rds of account {account}",
            field="source.snapshot",
            expected="a snapshot under a customer managed key that is open to this account",
            action="copy it in its own account under such a key and share the copy",
        )
