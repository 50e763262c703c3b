"""When the target record is written: before anything is destroyed, and after a run that succeeded."""

from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin
from utils.operation.model import Operation
from utils.operation.target_record import TargetRecord
from utils.runtime.services import Services


def remember_old_target(operation: Operation, services: Services) -> None:
    """Keep what the target that is about to go looked like; never a half-done cluster of ours."""
    plan = operation.plan
    is_half_done = plan.half_restored_by or plan.deleted_in_part_by or plan.inherited_from is Origin.TARGET_RECORD
    if operation.old_target is not None and not is_half_done:
        _remember(operation, operation.old_target.settings, services, of_success=False)


def remember_success(operation: Operation, services: Services) -> None:
    """Keep what this run built: what it wanted, also where AWS did not let it have that this time."""
    _remember(operation, operation.plan.settings, services, of_success=True)


def settings_before(operation: Operation, services: Services) -> TargetSettings | None:
    """Return the settings that the operation's target had before: of the old target, or of the record."""
    if operation.plan.inherited_from is Origin.TARGET_RECORD and operation.bring_back is None:
        record = services.operations.find_target_record(
            services.settings.target_region, operation.identifiers.target_cluster_id
        )
        return record.settings if record else None
    return operation.old_target.settings if operation.old_target else None


def _remember(operation: Operation, settings: TargetSettings, services: Services, *, of_success: bool) -> None:
    services.operations.save_target_record(
        TargetRecord(
            region=services.settings.target_region,
            cluster_id=operation.identifiers.target_cluster_id,
            settings=settings,
            read_at=services.clock.now(),
            operation_id=operation.operation_id,
            of_success=of_success,
        )
    )
