"""CopyDBClusterSnapshot."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import invalid_combination, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.snapshots import new_snapshot_allowed
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.describe_snapshots import describe_snapshot
from local_cloud.aurora.state.resources import Encryption, Snapshot
from local_cloud.aurora.state.tagging import requested_tags


@operation(
    "CopyDBClusterSnapshot",
    identifier="TargetDBClusterSnapshotIdentifier",
    # PreSignedUrl has a meaning in GovCloud only; SourceRegion never travels
    supports="SourceDBClusterSnapshotIdentifier KmsKeyId CopyTags Tags PreSignedUrl SourceRegion",
)
def copy_db_cluster_snapshot(call: Call) -> dict[str, Any]:
    """Answer CopyDBClusterSnapshot, called in the destination Region."""
    identifier = validate.identifier(call.params, "TargetDBClusterSnapshotIdentifier")
    tags = requested_tags(call.params)
    source = visible_snapshot(call, call.params["SourceDBClusterSnapshotIdentifier"])
    require(
        source.status == "available",
        errors.snapshot_state(
            f"Cannot copy the snapshot {source.identifier}: it is not in the available state, "
            f"its status is {source.status}."
        ),
    )
    new_snapshot_allowed(call, identifier)
    under_way = [item for item in call.state.snapshots.values() if item.status == "copying"]
    most = call.settings.quotas.copies_in_progress
    require(len(under_way) < most, errors.snapshot_quota(f"Cannot copy more than {most} snapshots across regions"))
    encryption = _encryption(call, source)
    if "Tags" not in call.params and call.params.get("CopyTags", False):
        tags = {key: value for key, value in source.tags.items() if not key.startswith("aws:")}
    copy = Snapshot(
        identifier=identifier,
        arn=call.state.arn("cluster-snapshot", identifier),
        tags=tags,
        account_id=call.caller.account_id,
        region=call.region,
        cluster_identifier=source.cluster_identifier,
        cluster_resource_id=source.cluster_resource_id,
        cluster_create_time=source.cluster_create_time,
        create_time=call.now,
        engine_version=source.engine_version,
        master_username=source.master_username,
        volume=call.engine.farm.new_volume(f"snapshot-{call.region}-{identifier}-{id(call):x}"),
        encryption=encryption,
        port=source.port,
        database_name=source.database_name,
        status="copying",
        source_arn=source.arn,
        allocated_gib=source.allocated_gib,
        availability_zones=call.state.zones,
        iam_auth=source.iam_auth,
        backup_retention=source.backup_retention,
        backup_window=source.backup_window,
        storage_type=source.storage_type,
        vpc_id=source.vpc_id,
    )
    call.state.snapshots[identifier] = copy
    _start_copying(call, source, copy, under_way)
    return {"DBClusterSnapshot": describe_snapshot(copy, call.now)}


def visible_snapshot(call: Call, name: str) -> Snapshot:
    """Return the snapshot of a name (own, this Region) or an ARN (any Region; another account must share it)."""
    if not name.startswith("arn:"):
        return call.state.snapshot(name)
    parts = name.split(":", 6)
    if len(parts) != 7 or parts[2] != "rds" or parts[5] != "cluster-snapshot":
        raise invalid_value(f"Invalid DB cluster snapshot ARN: {name}")
    found = call.engine.store.find(name)
    if not isinstance(found, Snapshot):
        raise errors.snapshot_not_found(name)
    if call.caller.account_id not in {found.account_id, *found.shared_with}:
        raise errors.snapshot_not_found(name)
    return found


def source_key_usable(call: Call, source: Snapshot) -> None:
    """Refuse to read a snapshot whose key is gone or closed to the caller's account."""
    key_arn = source.encryption.kms_key_arn
    if key_arn is None:
        return
    key = call.engine.hooks.keys.find_key(call.caller.account_id, source.region, key_arn)
    if key is None or not key.enabled:
        raise errors.key_not_accessible(key_arn)


def _encryption(call: Call, source: Snapshot) -> Encryption:
    key_id = call.params.get("KmsKeyId")
    if not source.encryption.with_kms:
        if key_id:
            raise invalid_combination("KmsKeyId cannot be specified for a copy of an unencrypted DB cluster snapshot.")
        return Encryption()
    source_key_usable(call, source)
    if key_id:
        key = call.key(key_id)
        return Encryption(kms_key_arn=key.arn, aws_managed_key=key.aws_managed)
    if source.region != call.region:
        raise invalid_value("Must specify new KMS key for cross region encrypted snapshot copy.")
    if source.account_id != call.caller.account_id:
        raise errors.key_not_accessible("None")
    return source.encryption


def _start_copying(call: Call, source: Snapshot, copy: Snapshot, under_way: list[Snapshot]) -> None:
    """Start the copy; copies of the same source into one Region are queued one after the other."""
    queued_behind = [item.task.due for item in under_way if item.task and item.source_arn == source.arn]

    def finish() -> None:
        if call.engine.store.find(source.arn) is source:
            copy.status = "available"
        else:
            copy.status = "failed"  # the source was deleted meanwhile

    call.begin(
        copy,
        call.settings.durations.copy_snapshot,
        finish,
        work=lambda: copy.volume.link_from(source.volume),
        start=max([call.now, *queued_behind]),
    )
