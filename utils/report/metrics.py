"""What the pipeline measures: metrics in CloudWatch's embedded metric format, which the logs carry for nothing.

The names, units and dimensions here are what the alarms and the dashboard of infrastructure/monitoring.yaml read.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.shared.constants import SERVICE_NAME_ENV

from utils.operation.model import Operation

NAMESPACE = "AuroraRestore"
# Of an environment with the guide's names; one beside it measures under its own, as the functions' environment says.
SERVICE = "aurora-restore"

DimensionSets = tuple[tuple[str, ...], ...]
# A metric costs by its dimensions, so each has only those that an alarm or a widget asks for.
_ALL_AND_PER_TARGET: DimensionSets = (("service",), ("service", "target_cluster_id"))
_PER_STEP: DimensionSets = (("service", "step"),)
_PER_PHASE: DimensionSets = (("service", "phase"),)


class Metric(Enum):
    """A metric: its name, its unit and the sets of dimensions it is kept under."""

    RESTORE_SUCCEEDED = ("RestoreSucceeded", MetricUnit.Count, _ALL_AND_PER_TARGET)  # 1, or 0 for a run that failed
    RECOVERY_SECONDS = (
        "RecoverySeconds",
        MetricUnit.Seconds,
        _ALL_AND_PER_TARGET,
    )  # RTO: snapshot picked to users open
    SNAPSHOT_AGE_HOURS = ("SnapshotAgeHours", MetricUnit.NoUnit, _ALL_AND_PER_TARGET)  # RPO
    RESTORED_GIB = ("RestoredGiB", MetricUnit.NoUnit, _ALL_AND_PER_TARGET)
    EXPOSURE_SECONDS = ("ExposureSeconds", MetricUnit.Seconds, _ALL_AND_PER_TARGET)
    OUTAGE_SECONDS = ("OutageSeconds", MetricUnit.Seconds, _ALL_AND_PER_TARGET)  # of a swap
    OUTAGE_UNCERTAINTY_SECONDS = (
        "OutageUncertaintySeconds",
        MetricUnit.Seconds,
        _ALL_AND_PER_TARGET,
    )  # how much longer or shorter
    LOCK_AGE_HOURS = ("LockAgeHours", MetricUnit.NoUnit, _ALL_AND_PER_TARGET)
    PHASE_SECONDS = ("PhaseSeconds", MetricUnit.Seconds, _PER_PHASE)
    POLLS = ("Polls", MetricUnit.Count, _PER_STEP)  # looks that found AWS still at work

    def __init__(self, label: str, unit: MetricUnit, dimension_sets: DimensionSets) -> None:
        self.label = label
        self.unit = unit
        self.dimension_sets = dimension_sets


def emit(values: Mapping[Metric, float], *, operation_id: str, **dimensions: str) -> None:
    """Write metrics of the same sets of dimensions; a set of which a dimension is not given is left out."""
    [dimension_sets] = {metric.dimension_sets for metric in values}
    service = os.environ.get(SERVICE_NAME_ENV) or SERVICE
    given = {"service": service} | dimensions
    first, *others = [names for names in dimension_sets if set(names) <= set(given)]
    # Ephemeral: one of another operation, or of the last invocation, must not mix with this one.
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=service)
    for name in first:
        metrics.add_dimension(name, given[name])
    for names in others:
        metrics.add_dimensions(**{name: given[name] for name in names})
    metrics.add_metadata("operation_id", operation_id)
    for metric, value in values.items():
        metrics.add_metric(metric.label, metric.unit, value)
    metrics.flush_metrics()


def measure_start(operation: Operation) -> None:
    """Measure how old the data of the run is."""
    emit({Metric.SNAPSHOT_AGE_HOURS: operation.snapshot.age_hours}, **_whose(operation))


def measure_step(operation: Operation, *, is_waiting: bool) -> None:
    """Measure one call of a step: how long the lock has been held, and whether it is still waiting."""
    # What deletes or stops a cluster later has a row from the day of the run, and a lock for minutes, if any.
    if operation.retires is None:
        measure_lock(operation.created_at, **_whose(operation))
    if is_waiting:
        emit({Metric.POLLS: 1}, operation_id=operation.operation_id, step=operation.current_step.value)


def measure_lock(acquired_at: datetime, *, operation_id: str, target_cluster_id: str) -> None:
    """Measure how long a lock has been held."""
    hours = (datetime.now(UTC) - acquired_at).total_seconds() / 3600
    emit({Metric.LOCK_AGE_HOURS: hours}, operation_id=operation_id, target_cluster_id=target_cluster_id)


def measure_end(operation: Operation, seconds: Mapping[str, int]) -> None:
    """Measure a run that ended; `seconds` by phase, with `total` for one that got to its users."""
    if operation.error is not None:
        emit({Metric.RESTORE_SUCCEEDED: 0} | _exposure(operation) | _outage(operation), **_whose(operation))
        return
    values: dict[Metric, float] = {Metric.RESTORE_SUCCEEDED: 1, Metric.RESTORED_GIB: operation.snapshot.storage_gib}
    values |= _exposure(operation) | _outage(operation)
    if "total" in seconds:
        values[Metric.RECOVERY_SECONDS] = seconds["total"]
    emit(values, **_whose(operation))
    for phase, duration in seconds.items():
        if phase != "total":
            emit({Metric.PHASE_SECONDS: duration}, operation_id=operation.operation_id, phase=phase)


def _exposure(operation: Operation) -> dict[Metric, float]:
    # One that goes on has no number yet.
    seconds = operation.exposure.seconds
    return {} if seconds is None else {Metric.EXPOSURE_SECONDS: seconds}


def _outage(operation: Operation) -> dict[Metric, float]:
    seconds = operation.swap.outage_seconds if operation.swap else None
    uncertainty = operation.swap.outage_uncertainty_seconds if operation.swap else None
    if seconds is None or uncertainty is None:
        return {}
    return {Metric.OUTAGE_SECONDS: seconds, Metric.OUTAGE_UNCERTAINTY_SECONDS: uncertainty}


def measure_refusal(operation_id: str) -> None:
    """Measure a run that failed before its target was known."""
    emit({Metric.RESTORE_SUCCEEDED: 0}, operation_id=operation_id)


def _whose(operation: Operation) -> dict[str, str]:
    return {
        "operation_id": operation.operation_id,
        # Drills for one target are one series: a dimension for each would be a metric of its own each.
        "target_cluster_id": operation.identifiers.timed_as,
    }
