"""EventBridge: an event of our own when an operation starts and when it ends, for others to hook in."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from utils.operation.model import Operation, OperationStatus
from utils.operation.records import OperationError


class OperationDetail(BaseModel):
    """`detail` of every event; what is not known (yet) is null."""

    model_config = ConfigDict(frozen=True)

    version: Literal["1"] = Field(default="1", description="Grows when a field changes its meaning or goes away.")
    operation_id: str = Field(description="Name of the execution, key of the rows in the tables.")
    execution_arn: str = Field(description="ARN of the execution; empty when a step was called by hand.")
    status: OperationStatus = Field(description="RUNNING, SUCCEEDED or FAILED.")
    dry_run: bool = Field(default=False, description="True for a run that only made its plan.")
    source_cluster_id: str | None = Field(default=None, description="Source cluster.")
    snapshot_arn: str | None = Field(default=None, description="Source snapshot.")
    snapshot_created_at: datetime | None = Field(default=None, description="When the source snapshot was taken.")
    snapshot_age_hours: float | None = Field(default=None, description="Its age when the run picked it.")
    target_cluster_id: str | None = Field(default=None, description="Target cluster; null if the request was refused.")
    endpoint: str | None = Field(default=None, description="Writer endpoint of the restored cluster.")
    port: int | None = Field(default=None, description="Its port.")
    engine_version: str | None = Field(default=None, description="Its Aurora PostgreSQL version.")
    final_snapshot_arn: str | None = Field(default=None, description="Final snapshot of the old target.")
    brought_back: bool | None = Field(
        default=None, description="Of a run that failed: whether the old data is back. Null: it was not tried."
    )
    seconds: dict[str, int] = Field(default_factory=dict, description="Duration of each phase that ended, and `total`.")
    error: OperationError | None = Field(default=None, description="Why it failed, and at which step.")


def detail_of(operation: Operation, seconds: dict[str, int] | None = None) -> OperationDetail:
    """Return what an event tells of an operation."""
    restore, deletion, snapshot = operation.restore, operation.deletion, operation.snapshot
    return OperationDetail(
        operation_id=operation.operation_id,
        execution_arn=operation.execution_arn,
        status=operation.status,
        dry_run=operation.request.dry_run,
        source_cluster_id=snapshot.cluster_id,
        snapshot_arn=snapshot.arn,
        snapshot_created_at=snapshot.created_at,
        snapshot_age_hours=snapshot.age_hours,
        target_cluster_id=operation.identifiers.target_cluster_id,
        endpoint=restore.endpoint if restore else None,
        port=restore.port if restore else None,
        engine_version=restore.engine_version if restore else None,
        final_snapshot_arn=deletion.final_snapshot_arn if deletion else None,
        brought_back=operation.bring_back.finished_at is not None if operation.bring_back else None,
        seconds=seconds or {},
        error=operation.error,
    )
