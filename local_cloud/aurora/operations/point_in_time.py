"""RestoreDBClusterToPointInTime: a full copy as of a moment, or a clone as of now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, NotSupportedError, invalid_combination, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.cluster_settings import MEMBERS, ORDINARY, cluster_settings, settle
from local_cloud.aurora.operations.clusters import cluster_answer, new_cluster_allowed
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.restore import restored_cluster
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.describe import restorable_times
from local_cloud.aurora.state.resources import Cluster, Encryption, Snapshot

CLONE = "copy-on-write"
TYPES = ("full-copy", CLONE)
# None of these is a member of RestoreDBClusterToPointInTime: the new cluster is as its source.
_OF_THE_SOURCE = {"AvailabilityZones", "Engine", "EngineVersion"}


@operation(
    "RestoreDBClusterToPointInTime",
    identifier="DBClusterIdentifier",
    supports="SourceDBClusterIdentifier RestoreType RestoreToTime UseLatestRestorableTime "
    + " ".join(name for name in MEMBERS.split() if name not in _OF_THE_SOURCE),
    only=ORDINARY
    | {"PubliclyAccessible": (False,), "EnableVPCNetworking": (True,), "EnableInternetAccessGateway": (False,)},
)
def restore_db_cluster_to_point_in_time(call: Call) -> dict[str, Any]:
    """Answer RestoreDBClusterToPointInTime: a cluster without instances; what is not passed gets its default."""
    params = call.params
    identifier = validate.identifier(params, "DBClusterIdentifier")
    is_clone = validate.one_of(params, "RestoreType", TYPES[0], TYPES) == CLONE
    source = call.state.cluster(params.get("SourceDBClusterIdentifier", ""))
    moment = _moment(call, is_clone=is_clone)
    settings = cluster_settings(call, source.engine_version, default_retention=source.backup_retention)
    new_cluster_allowed(call, identifier)
    encryption = _encryption(call, source)
    base, until = None, None
    if is_clone:
        _clonable(call, source)
    else:
        base, until = _base(call, source, moment)
    cluster = restored_cluster(
        call, identifier, params.get("Port", source.server.port), source, encryption=encryption, **settings
    )
    if is_clone:
        cluster.clone_group = source.clone_group

    def work() -> None:
        if base is None or until is None:
            source.server.copy_to(cluster.volume)
        else:
            cluster.server.recover(base.volume, source.server, until)

    seconds = call.settings.durations.clone_cluster if is_clone else call.settings.durations.restore_cluster
    call.begin(cluster, seconds, lambda: settle(call, cluster), work=work)
    return cluster_answer(call, cluster)


def _moment(call: Call, *, is_clone: bool) -> datetime | None:
    """Return the moment that is asked for, None for the latest."""
    wanted, latest = call.params.get("RestoreToTime"), call.params.get("UseLatestRestorableTime", False)
    if wanted is not None and latest:
        raise invalid_combination("RestoreToTime can't be specified when UseLatestRestorableTime is enabled.")
    if wanted is None and not latest:
        raise invalid_combination("Specify either RestoreToTime or UseLatestRestorableTime.")
    if wanted is not None and is_clone:
        raise invalid_combination("RestoreToTime can't be specified if the RestoreType is copy-on-write.")
    return None if wanted is None else wanted if wanted.tzinfo else wanted.replace(tzinfo=UTC)


def _base(call: Call, source: Cluster, moment: datetime | None) -> tuple[Snapshot, datetime]:
    """Return the newest automated snapshot that was whole before the moment, and when that was in real time."""
    now = call.now
    times = restorable_times(source, call.state, now)
    at = moment or now
    require(
        times and times["EarliestRestorableTime"] <= at <= times["LatestRestorableTime"],
        invalid_value(
            f"The specified time {at.isoformat()} is not within the restorable times of {source.identifier}."
        ),
    )
    if not source.server.running:
        raise NotSupportedError("A restore to a point in time of a cluster whose server does not run")
    bases = [
        item
        for item in call.state.snapshots.values()
        if item.cluster_resource_id == source.resource_id
        and item.restorable_since is not None
        and item.restorable_since <= at
    ]
    newest = max(bases, key=lambda item: item.restorable_since or item.create_time)
    return newest, call.engine.clock.real_time_of(at)


def _clonable(call: Call, source: Cluster) -> None:
    require(
        source.members and source.status == "available",
        errors.cluster_state(f"Cannot clone DB cluster {source.identifier}: it has no available instance."),
    )
    clones = [item for item in call.state.clusters.values() if item.clone_group == source.clone_group]
    most = call.settings.quotas.clones
    require(
        len(clones) <= most,
        ApiError("DBClusterQuotaExceededFault", f"Cannot create more than {most} copy-on-write clones.", 403),
    )


def _encryption(call: Call, source: Cluster) -> Encryption:
    key_id = call.params.get("KmsKeyId")
    of_source = source.encryption.kms_key_arn
    if of_source is None:
        if key_id:
            raise invalid_combination("KmsKeyId cannot be specified for the restore of an unencrypted DB cluster.")
        return Encryption()
    call.key(of_source)
    if not key_id:
        return source.encryption
    key = call.key(key_id)
    return Encryption(kms_key_arn=key.arn, aws_managed_key=key.aws_managed)
