"""Operations with a trail, for tests of their evidence."""

from datetime import timedelta
from typing import Any

from tests.unit.operations import AT, REQUEST, an_operation
from utils.operation.audit_log import AuditEvent, AuditRow
from utils.operation.model import (
    CheckRecord,
    ExecutionRecord,
    HealthRecord,
    Operation,
    OperationStatus,
    ScriptRecord,
    UsersRecord,
    Verdict,
)
from utils.operation.planned import Identifiers, SwapNames
from utils.operation.records import (
    CopyRecord,
    DeletionRecord,
    OperationError,
    OutageRecord,
    RestoreRecord,
    SwapRecord,
)
from utils.request.model import RestoreRequest

MACHINE = "arn:aws:states:us-west-2:123456789012:execution:pipeline"
BROKEN = OperationError(name="RestoreFailed", message="found failed, expected available", step="Check Restore Status")


def a_request(**other: Any) -> RestoreRequest:
    return RestoreRequest.model_validate(REQUEST | other)


def at(minutes: float) -> Any:
    return AT + timedelta(minutes=minutes)


SWAP_NAMES = Identifiers(
    target_cluster_id="staging",
    instance_ids=["staging-1"],
    copy_id="copy-1",
    final_snapshot_id="final-1",
    swap=SwapNames(beside="staging-new", aside="staging-old-1", instances_beside={}, instances_aside={}),
)
SWAP_DONE = SwapRecord(
    begun_at=at(34),
    outage=OutageRecord(answered_at=at(36), least_seconds=116, most_seconds=124),
    switched_at=at(35),
    first_answer_at=at(36),
    finished_at=at(37),
)


def a_restore(operation_id: str = "nightly-1", **other: Any) -> Operation:
    """Make an operation that restored, with something in every part."""
    users = UsersRecord(
        master_reset_at=at(31),
        finished_at=at(33),
        databases=["shop"],
        proofs={"app_user": ["shop: logs in, can read, can write"]},
        shut_out=["shop_app"],
        kept=["auditor"],
        left_to_aws=["rdsadmin"],
        outbound=["shop: subscription orders"],
        outbound_closed=True,
        scripts=[
            ScriptRecord(
                s3_uri="s3://b/post-restore-sql/mask.sql", version_id="v1", sha256="ab" * 32, database="shop",
                user="app_user", statements=3, seconds=1.5,
            )
        ],
        checks=[CheckRecord(name="customers", database="shop", expected="at least 10", found="12", holds=True)],
        health=[
            HealthRecord(verdict=Verdict.FOR_A_PERSON, what="invalid indexes", names=["i"], count=1, database="shop")
        ],
    )  # fmt: skip
    done: dict[str, Any] = {
        "status": OperationStatus.SUCCEEDED,
        "executions": [ExecutionRecord(execution_arn=f"{MACHINE}:{operation_id}", started_at=AT, finished_at=at(34))],
        "copy": CopyRecord(
            started_at=at(1), finished_at=at(10), arn="arn:aws:rds:us-west-2:123456789012:cluster-snapshot:copy-1"
        ),
        "deletion": DeletionRecord(
            started_at=at(10), finished_at=at(15), destroying_since=at(11), deleted_members=["staging-1"],
            final_snapshot_arn="arn:aws:rds:us-west-2:123456789012:cluster-snapshot:final-1",
        ),
        "restore": RestoreRecord(
            started_at=at(15), finished_at=at(30), cluster_arn="arn:aws:rds:us-west-2:123456789012:cluster:staging",
            endpoint="staging.cluster-x.us-west-2.rds.amazonaws.com", port=5432, engine_version="17.4",
            instance_ids=["staging-1"],
        ),
        "users": users,
        "finished_at": at(34),
    }  # fmt: skip
    return an_operation(operation_id, **done | other)


def rows(operation_id: str = "nightly-1") -> list[AuditRow]:
    """Return a trail: a copy that was looked at twice, a deletion that was cut off, the users."""
    visits = (
        ("Snapshot Check", 0, 0.5),
        ("Copy Snapshot", 1, 1.5),
        ("Check Copy Status", 5, 5.5),
        ("Check Copy Status", 9.5, 10),
        ("Delete RDS", 10, None),
        ("Delete RDS", 12, 12.5),
        ("Setup DB Users", 31, 33),
        ("SNS Notification", 34, None),
    )
    made = []
    for step, entered, left in visits:
        common: dict[str, Any] = {"operation_id": operation_id, "step": step, "actor": f"{MACHINE}:{operation_id}"}
        made.append(AuditRow(event=AuditEvent.ENTERED, at=at(entered), **common))
        if left is not None:
            called = ["rds:DescribeDBClusterSnapshots", "dynamodb:PutItem"]
            made.append(AuditRow(event=AuditEvent.LEFT, at=at(left), status="READY", api_calls=called, **common))
    return made
