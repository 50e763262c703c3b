"""Operations for the tests of stores, summaries and settings that need one without a story."""

from datetime import UTC, datetime
from typing import Any

from utils.cluster_settings.model import Member, TargetSettings
from utils.operation.earlier_rows import of_this_version
from utils.operation.model import Operation
from utils.operation.planned import Identifiers, Plan, SourceSnapshot
from utils.request.model import RestoreRequest

AT = datetime(2026, 11, 22, 3, 0, 0, 123456, tzinfo=UTC)
REQUEST = {"source": {"cluster_id": "prod", "region": "us-east-1"}, "target": {"cluster_id": "staging"}}

# As an earlier version wrote it, untyped.
OLD_TARGET: dict[str, Any] = {
    "arn": "arn:aws:rds:us-west-2:123456789012:cluster:staging",
    "resource_id": "cluster-OLD",
    "engine_version": "17.4",
    "status": "available",
    "member_ids": ["staging-1"],
    "endpoint": None,
    "port": 5432,
    "subnet_group": "staging-subnets",
    "security_group_ids": ["sg-1", "sg-2"],
    "parameter_group": "default.aurora-postgresql17",
    "storage_type": None,
    "log_exports": [],
    "iam_authentication": True,
    "deletion_protection": False,
    "tags": {"team": "data"},
}


def an_operation(operation_id: str = "nightly-1", **other: Any) -> Operation:
    """Make an operation that was planned and nothing more."""
    plan = Plan(
        copy_needed=True,
        copy_reason="the snapshot is in us-east-1",
        copy_kms_key_id=None,
        delete_target=True,
        take_final_snapshot=True,
        old_target_resource_id="cluster-OLD",
        settings=TargetSettings(
            engine_version="17.4",
            kms_key_id="arn:aws:kms:us-west-2:123456789012:key/k",
            members=[Member(identifier="staging-1", instance_class="db.r8g.large")],
        ),
        actions=["copy it", "restore it"],
    )
    snapshot = SourceSnapshot(
        identifier="prod-nightly",
        arn="arn:aws:rds:us-east-1:123456789012:cluster-snapshot:prod-nightly",
        cluster_id="prod",
        region="us-east-1",
        account_id="123456789012",
        created_at=AT,
        chosen_at=AT,
        age_hours=1.25,
        engine_version="17.4",
        storage_gib=20,
        kms_key_id=None,
        master_username="postgres",
    )
    identifiers = Identifiers(
        target_cluster_id="staging", instance_ids=["staging-1"], copy_id="copy-1", final_snapshot_id="final-1"
    )
    planned = {
        "operation_id": operation_id,
        "execution_arn": f"arn:aws:states:us-west-2:123456789012:execution:pipeline:{operation_id}",
        "request": RestoreRequest.model_validate(REQUEST),
        "plan": plan,
        "identifiers": identifiers,
        "snapshot": snapshot,
        "created_at": AT,
        "updated_at": AT,
        "ttl": 1_800_000_000,
    }
    return Operation.model_validate(of_this_version(planned | other))
