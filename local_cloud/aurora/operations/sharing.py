"""Sharing of cluster snapshots with other accounts."""

from __future__ import annotations

import re
from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, NotSupportedError, invalid_value
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.resources import Snapshot


@operation("DescribeDBClusterSnapshotAttributes", identifier="DBClusterSnapshotIdentifier")
def describe_db_cluster_snapshot_attributes(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterSnapshotAttributes."""
    return _answer(call.state.snapshot(call.params["DBClusterSnapshotIdentifier"]))


@operation(
    "ModifyDBClusterSnapshotAttribute",
    identifier="DBClusterSnapshotIdentifier",
    supports="AttributeName ValuesToAdd ValuesToRemove",
)
def modify_db_cluster_snapshot_attribute(call: Call) -> dict[str, Any]:
    """Answer ModifyDBClusterSnapshotAttribute: share a manual snapshot with accounts, or stop that."""
    snapshot = call.state.snapshot(call.params["DBClusterSnapshotIdentifier"])
    if call.params["AttributeName"] != "restore":
        raise invalid_value(f"Invalid AttributeName: {call.params['AttributeName']}. Valid values: restore")
    added = call.params.get("ValuesToAdd", [])
    if "all" in added:
        if snapshot.encryption.with_kms:
            raise invalid_value("You can't share an encrypted snapshot as public.")
        raise NotSupportedError("A public snapshot")
    for account in added:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise invalid_value(f"Invalid account id: {account}")
    if added:
        _refuse_sharing(snapshot)
    accounts = (snapshot.shared_with | set(added)) - set(call.params.get("ValuesToRemove", []))
    most = call.settings.quotas.shared_accounts
    require(
        len(accounts) <= most,
        ApiError("SharedSnapshotQuotaExceeded", f"You can share a snapshot with at most {most} accounts."),
    )
    snapshot.shared_with = accounts
    return _answer(snapshot)


def _refuse_sharing(snapshot: Snapshot) -> None:
    require(
        snapshot.snapshot_type == "manual",
        errors.snapshot_state("An automated snapshot can't be shared: copy it to a manual snapshot first."),
    )
    require(
        snapshot.status == "available",
        errors.snapshot_state(f"The snapshot {snapshot.identifier} is not in the available state."),
    )
    require(
        not snapshot.encryption.aws_managed_key,
        errors.snapshot_state("You can't share a snapshot that is encrypted with the default AWS KMS key (aws/rds)."),
    )


def _answer(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "DBClusterSnapshotAttributesResult": {
            "DBClusterSnapshotIdentifier": snapshot.identifier,
            "DBClusterSnapshotAttributes": [
                {"AttributeName": "restore", "AttributeValues": sorted(snapshot.shared_with)}
            ],
        }
    }
