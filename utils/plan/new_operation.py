"""The row of a new operation: the snapshot chosen, every check made, every identifier and setting computed."""

from datetime import UTC, datetime

from utils.operation.model import ExecutionRecord, Operation
from utils.operation.planned import OldTarget
from utils.operation.state_table import row_ttl
from utils.plan import guards, planning, readiness
from utils.plan.leftovers import half_restored_by
from utils.plan.restore_settings import resolve_settings
from utils.plan.snapshot_choice import check_age, choose_snapshot
from utils.request.model import RestoreRequest
from utils.runtime.contract import StartEvent
from utils.runtime.services import Services


def new_operation(event: StartEvent, request: RestoreRequest, services: Services) -> Operation:
    """Plan the run without changing anything; raises what keeps it from being safe."""
    source, target_region = services.rds(request.source.region), services.rds()
    snapshot = choose_snapshot(request.source, source, services.settings)
    now = services.clock.now()
    age = check_age(snapshot.identifier, snapshot.created_at, request.source.max_age_hours, now)
    guards.check_shareable(snapshot, services.settings)

    old = target_region.find_cluster(request.target.cluster_id)
    if old is not None:
        guards.check_target_is_not_source(request, snapshot, old)
        guards.check_target_may_go(request, old)
    members = target_region.instances_of(old.identifier) if old else []
    guards.check_members_may_go(members)

    key = services.kms.usable_key_arn(request.target.kms_key_id or services.settings.kms_key_id)
    settings = resolve_settings(request, snapshot, key, old, members)
    guards.check_engine_version(target_region, snapshot.engine_version, settings.engine_version)
    guards.check_groups(target_region, settings)
    guards.check_capacity(settings)
    readiness.check_users(services.secrets.app_credentials(services.settings.app_secret_name), settings, request)
    readiness.check_queries(request)
    readiness.check_scripts(services.s3, request)

    found = planning.Found(
        operation_id=event.operation_id,
        request=request,
        snapshot=snapshot,
        age_hours=age,
        old_target=old,
        half_restored_by=half_restored_by(old, services.operations) if old else None,
        restore_settings=settings,
        now=now,
    )
    identifiers = planning.make_identifiers(found)
    guards.check_instance_names(target_region, identifiers.instance_ids, identifiers.target_cluster_id)
    written = datetime.now(UTC)
    return Operation(
        operation_id=event.operation_id,
        execution_arn=event.execution_arn,
        executions=[
            ExecutionRecord(execution_arn=event.execution_arn, redrive_count=event.redrive_count, started_at=written)
        ],
        request=request,
        plan=planning.make_plan(found, identifiers, services.settings),
        identifiers=identifiers,
        snapshot=planning.describe_source(found),
        old_target=OldTarget.model_validate(old) if old else None,
        created_at=written,
        updated_at=written,
        ttl=row_ttl(written),
    )
