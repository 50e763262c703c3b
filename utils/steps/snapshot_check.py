"""Step 1: validate the request, lock the target, pick the snapshot, check the guards, write the plan."""

from datetime import UTC, datetime, timedelta
from typing import Any

from utils import guards, planning, readiness
from utils.errors import OperationClosed, OperationInProgress, PermanentError
from utils.operation import Operation
from utils.operation_store import TargetLock, row_ttl
from utils.rds_models import Cluster
from utils.request import RestoreRequest
from utils.request_parsing import parse_request
from utils.restore_settings import resolve_settings
from utils.services import Services
from utils.snapshot_choice import check_age, choose_snapshot
from utils.step import StartEvent, StepResult, StepStatus


def snapshot_check(event: StartEvent, services: Services) -> StepResult:
    """Write the operation row with its plan; a second call finds the row and answers the same."""
    operation = services.operations.find(event.operation_id)
    if operation is None:
        request = parse_request(event.request, services.settings)
        operation = _planned(event, request, services) if request.dry_run else _locked(event, request, services)
        services.operations.create(operation)
    elif operation.finished_at is not None:
        # AWS lets an execution name be used again after 90 days; the rows stay for longer.
        raise OperationClosed(
            f"operation {operation.operation_id}, which ended {operation.finished_at:%Y-%m-%d %H:%M} UTC",
            field="operation_id",
            expected="the name of a new operation",
            action="start the state machine with a new execution name; nothing was changed",
        )
    status = StepStatus.DRY_RUN if operation.request.dry_run else StepStatus.READY
    return StepResult(status=status, details=_summary(operation))


def _locked(event: StartEvent, request: RestoreRequest, services: Services) -> Operation:
    _take_lock(event, request, services)
    try:
        return _planned(event, request, services)
    except PermanentError:
        # There will be no row from which the last step could learn what to release.
        services.operations.release_lock(services.settings.target_region, request.target.cluster_id, event.operation_id)
        raise


def _planned(event: StartEvent, request: RestoreRequest, services: Services) -> Operation:
    source, target_region = services.rds(request.source.region), services.rds()
    snapshot = choose_snapshot(request.source, source, services.settings.account_id)
    now = services.clock.now()
    age = check_age(snapshot, request.source.max_age_hours, now)
    planning.check_shareable(snapshot, services.settings)

    old = target_region.find_cluster(request.target.cluster_id)
    if old is not None:
        guards.check_target_is_not_source(request, snapshot, old)
        guards.check_target_may_go(request, old)
    members = target_region.instances_of(old.identifier) if old else []
    guards.check_members_may_go(members)

    key = services.kms.usable_key_arn(request.target.kms_key_id or services.settings.kms_key_id)
    settings = resolve_settings(request, snapshot, key, old, members)
    planning.check_engine_version(target_region, snapshot.engine_version, settings.engine_version)
    planning.check_groups(target_region, settings)
    planning.check_capacity(settings)
    readiness.check_users(services.secrets.app_credentials(services.settings.app_secret_name), settings, request)
    readiness.check_scripts(services.s3, request)

    found = planning.Found(
        operation_id=event.operation_id,
        request=request,
        snapshot=snapshot,
        age_hours=age,
        old_target=old,
        restore_settings=settings,
        now=now,
    )
    identifiers = planning.make_identifiers(found)
    guards.check_instance_names(target_region, identifiers.instance_ids, identifiers.target_cluster_id)
    written = datetime.now(UTC)
    return Operation(
        operation_id=event.operation_id,
        execution_arn=event.execution_arn,
        request=request,
        plan=planning.make_plan(found, identifiers, services.settings),
        identifiers=identifiers,
        snapshot=planning.describe_source(found),
        old_target=_old_target_facts(old) if old else None,
        created_at=written,
        updated_at=written,
        ttl=row_ttl(written),
    )


def _take_lock(event: StartEvent, request: RestoreRequest, services: Services) -> None:
    region, target_id = services.settings.target_region, request.target.cluster_id
    now = datetime.now(UTC)
    budgets = request.budgets
    hours = budgets.copy_hours + budgets.delete_hours + budgets.restore_hours
    wanted = TargetLock(
        holder=event.operation_id,
        execution_arn=event.execution_arn,
        acquired_at=now,
        expires_at=now + timedelta(hours=hours + 2),
    )
    lock = services.operations.acquire_lock(region, target_id, wanted)
    if lock.holder != event.operation_id and not services.executions.is_running(lock.execution_arn):
        lock = services.operations.acquire_lock(region, target_id, wanted, instead_of=lock.holder)
    if lock.holder != event.operation_id:
        raise OperationInProgress(
            f"operation {lock.holder} on {target_id} since {lock.acquired_at:%Y-%m-%d %H:%M:%S} UTC",
            field="target.cluster_id",
            expected="no other operation on this target",
            action=f"wait for it or stop its execution {lock.execution_arn}; nothing was changed",
        )


def _old_target_facts(old: Cluster) -> dict[str, Any]:
    return {
        "arn": old.arn,
        "resource_id": old.resource_id,
        "engine_version": old.engine_version,
        "status": old.status,
        "member_ids": list(old.member_ids),
        "endpoint": old.endpoint,
        "port": old.port,
        "subnet_group": old.subnet_group,
        "security_group_ids": list(old.security_group_ids),
        "parameter_group": old.parameter_group,
        "storage_type": old.storage_type,
        "log_exports": list(old.log_exports),
        "iam_authentication": old.iam_authentication,
        "deletion_protection": old.deletion_protection,
        "tags": dict(old.tags),
    }


def _summary(operation: Operation) -> dict[str, Any]:
    return {
        "snapshot": operation.snapshot.arn,
        "snapshot_age_hours": operation.snapshot.age_hours,
        "target_cluster_id": operation.identifiers.target_cluster_id,
        "actions": operation.plan.actions,
    }
