"""The row of a new operation: the snapshot chosen, every check made, every identifier and setting computed."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from utils import tags
from utils.aws.rds_models import Cluster, Instance, Snapshot
from utils.aws.target.whole import not_put_back
from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin
from utils.identifiers import region_and_account
from utils.operation.model import ExecutionRecord, Operation
from utils.operation.planned import Identifiers, Plan
from utils.operation.state_table import row_ttl
from utils.plan import guards, planning, readiness
from utils.plan.afterwards.drill import base_of_drill, check_name_is_free, with_names_of_drill
from utils.plan.expectation import alike, expected_seconds
from utils.plan.inherited import usable_key, what_to_inherit
from utils.plan.kept import kept_and_pruned
from utils.plan.leftovers import (
    deleted_in_part_by,
    half_restored_by,
    look_at_unfinished_swap,
    old_data_half_back_by,
)
from utils.plan.old_settings import described, settings_as_they_are
from utils.plan.restore_settings import resolve_settings
from utils.plan.source.choosing import choose, look_at_new_name, new_ones_pruned, takes_one_here
from utils.plan.source.point_in_time import check_members_of_request
from utils.plan.source.snapshot_choice import check_age, check_shareable
from utils.plan.swap import check_asked_by_name, look_at_swap
from utils.plan.tls import with_tls
from utils.preflight.attached import look_at_attached
from utils.preflight.bound import look_at_what_binds
from utils.preflight.bring_back import look_at_bring_back
from utils.preflight.buildable import Wanted, look_at_what_is_wanted
from utils.preflight.coherent import look_at_coherence
from utils.preflight.final_snapshot import look_at_final_snapshot
from utils.preflight.looks import Preflight
from utils.preflight.network import check_public_access
from utils.preflight.roles_and_keys import look_at_keys_of_insights, look_at_roles
from utils.preflight.tags import look_at_tags
from utils.request.model import RestoreRequest
from utils.restore_type import RestoreType
from utils.runtime.contract import StartEvent
from utils.runtime.services import Services


def new_operation(
    event: StartEvent, request: RestoreRequest, services: Services, *, drill_of: str | None = None
) -> Operation:
    """Plan the run without changing anything; raises what keeps it from being safe, all of it at once."""
    old = services.rds().find_cluster(request.target.cluster_id)
    now = services.clock.now()  # by RDS's answer: the clock of a function that was idle is behind
    preflight = Preflight()
    if drill_of:
        preflight.look("name of the drill", lambda: check_name_is_free(request, services))
    choice = preflight.look(
        "snapshot",
        lambda: choose(event.operation_id, request, now, services),
        found=lambda seen: seen.snapshot.identifier,
    )
    snapshot = choice.snapshot if choice else None
    age = _look_at_snapshot(preflight, request, snapshot, now, services) if snapshot else 0.0
    members = services.rds().instances_of(old.identifier) if old else []
    leftover_of = half_restored_by(old, services.operations) if old else None
    remains_of = deleted_in_part_by(old, members, services) if old else None
    if old is not None:
        mark = services.settings.ownership_mark
        _look_at_old_target(preflight, request, old, members, mark, is_leftover=leftover_of is not None)
        look_at_what_binds(preflight, services.offers, old)
        look_at_unfinished_swap(preflight, old, services.operations)
        if snapshot is not None:
            preflight.look("source", lambda: guards.check_target_is_not_source(request, snapshot, old))
    now_there = settings_as_they_are(old, members, services) if old else None
    half_done = leftover_of or remains_of or (old_data_half_back_by(old, services.operations) if old else None)
    base = preflight.look(
        "settings to inherit",
        lambda: (
            base_of_drill(request, drill_of, services)
            if drill_of
            else what_to_inherit(request, now_there, half_done, services)
        ),
        found=lambda base: f"those of {base.origin}, {base.in_words}" if base else "none are known",
    )
    key = preflight.look("KMS key", lambda: usable_key(request, base, services, preflight), found=lambda key: key[0])
    preflight.look("queries", lambda: readiness.check_queries(request))
    preflight.look("scripts", lambda: readiness.check_scripts(services.s3, request))
    if choice is None or snapshot is None:
        raise preflight.problem()
    # Without a key there will be no plan, but what else is wrong with it is said as well.
    any_key = (request.target.kms_key_id or services.settings.kms_key_id, Origin.STACK)
    resolved = preflight.look("named instances", lambda: resolve_settings(request, snapshot, key or any_key, base))
    if resolved is None:
        raise preflight.problem()
    settings = resolved.settings = with_tls(preflight, resolved, base, services)
    as_requested = settings
    if drill_of:
        resolved = with_names_of_drill(resolved, drill_of, event.operation_id)
        settings = resolved.settings
    found = planning.Found(
        operation_id=event.operation_id,
        request=request,
        snapshot=snapshot,
        age_hours=age,
        old_target=old,
        old_members=members,
        half_restored_by=leftover_of,
        deleted_in_part_by=remains_of,
        resolved=resolved,
        base=base,
        not_put_back=not_put_back(old, members) if old else [],
        now=now,
    )
    identifiers = planning.make_identifiers(found).model_copy(update={"drill_of": drill_of})
    plan = planning.make_plan(found, identifiers, services.settings)
    wanted = Wanted(
        snapshot_version=snapshot.engine_version,
        settings=settings,
        now=now,
        # In a swap nothing goes before everything has come.
        old_members=len(members) if old and identifiers.swap is None else None,
        new_snapshots=plan.copy_needed + plan.take_final_snapshot + takes_one_here(request, services.settings),
        quarantine_group_ids=plan.quarantine_group_ids,
    )
    look_at_what_is_wanted(preflight, services.offers, wanted)
    look_at_keys_of_insights(preflight, services.kms, settings)
    # A request for a drill names the instances as the target does.
    look_at_roles(preflight, services.roles, as_requested, old, is_leftover=leftover_of is not None)
    look_at_attached(preflight, services.attached, settings, resolved.origins)
    look_at_coherence(preflight, settings, resolved.origins)
    if old is not None and plan.take_final_snapshot:
        look_at_final_snapshot(preflight, old)
    _look_at_users(preflight, request, settings, services)
    _look_at_names(preflight, identifiers, event.operation_id, services)
    look_at_new_name(preflight, request, snapshot.identifier, event.operation_id, services)
    if old is not None and identifiers.swap is not None:
        look_at_swap(preflight, identifiers, old, settings, services)
        preflight.look("what hangs on the target's name", lambda: check_asked_by_name(now_there, settings))
    kept = described(old, now_there) if old and now_there else None
    look_at_bring_back(preflight, request, plan, kept, services.kms)
    _warn_of_the_source(preflight, snapshot, services)
    preflight.raise_problems()
    written = datetime.now(UTC)
    return Operation(
        operation_id=event.operation_id,
        execution_arn=event.execution_arn,
        executions=[
            ExecutionRecord(execution_arn=event.execution_arn, redrive_count=event.redrive_count, started_at=written)
        ],
        request=request,
        plan=plan.model_copy(
            update=_foreseen(request, plan, identifiers, services)
            | {"checks": preflight.checks, "rejected": list(choice.rejected)}
        ),
        identifiers=identifiers,
        snapshot=planning.describe_source(found),
        old_target=kept,
        created_at=written,
        updated_at=written,
        ttl=row_ttl(written),
    )


def _foreseen(request: RestoreRequest, plan: Plan, identifiers: Identifiers, services: Services) -> dict[str, Any]:
    """Return what the plan says of older snapshots and of the time it will take."""
    target_id, snapshots = identifiers.target_cluster_id, services.rds().manual_snapshots()
    _, copies = kept_and_pruned(
        snapshots, tags.Role.COPY, target_id, keep=request.keep_copies, is_new_one=plan.copy_needed
    )
    keeps, finals = kept_and_pruned(
        snapshots, tags.Role.FINAL, target_id, keep=request.keep_final_snapshots, is_new_one=plan.take_final_snapshot
    )
    earlier = services.operations.earlier_runs(services.settings.target_region, identifiers.timed_as)
    runs = alike([run.seconds for run in earlier], is_swap=identifiers.swap is not None)
    return {
        "prunes": [*copies, *finals, *new_ones_pruned(request, identifiers, services)],
        "keeps": keeps,
        "expected_seconds": expected_seconds(runs),
        "earlier_runs": len(runs),
    }


def _look_at_snapshot(
    preflight: Preflight, request: RestoreRequest, snapshot: Snapshot, now: datetime, services: Services
) -> float:
    age = preflight.look(
        "age of the snapshot",
        lambda: check_age(
            snapshot.identifier, snapshot.created_at, request.source.max_age_hours, now, snapshot.restore_type
        ),
        found=lambda hours: f"{hours:g} hours",
    )
    key = snapshot.kms_key_id
    if snapshot.restore_type is not RestoreType.SNAPSHOT and key is not None:
        preflight.look("what a point in time takes", lambda: check_members_of_request(request, snapshot))
        preflight.look("key of the source", lambda: services.kms.usable_key_arn(key))
    preflight.look("key of the snapshot", lambda: check_shareable(snapshot, services.settings))
    return age or 0.0


def _look_at_old_target(
    preflight: Preflight,
    request: RestoreRequest,
    old: Cluster,
    members: list[Instance],
    mark: str,
    *,
    is_leftover: bool,
) -> None:
    preflight.look("engine of the target", lambda: guards.check_engine(old), found=lambda _: old.engine)
    preflight.look("tag of the target", lambda: guards.check_is_replaceable(old, mark))
    preflight.look("tags of its instances", lambda: guards.check_members_may_go(members, mark))
    preflight.look("replication of the target", lambda: guards.check_stands_alone(old))
    preflight.look("deletion protection", lambda: guards.check_protection(request, old, is_leftover=is_leftover))


def _look_at_users(preflight: Preflight, request: RestoreRequest, settings: TargetSettings, services: Services) -> None:
    preflight.look("size of the settings", lambda: guards.check_settings_fit(settings))
    look_at_tags(preflight, settings)
    allowed = services.settings.allow_public_access
    preflight.look("public access", lambda: check_public_access(settings, is_allowed=allowed))
    preflight.look("capacity", lambda: guards.check_capacity(settings))
    preflight.look(
        "users",
        lambda: readiness.check_users(
            services.secrets.app_credentials(services.settings.app_secret_name), settings, request
        ),
    )


def _warn_of_the_source(preflight: Preflight, snapshot: Snapshot, services: Services) -> None:
    region, account = region_and_account(snapshot.arn)
    known = services.operations.find_source(region, account, snapshot.cluster_id)
    for found in known.warnings() if known else []:
        preflight.warn(
            "last copies of the source",
            found,
            expected="nothing that ends a set-up or is left to a person",
            do="mend it in the source, or count on it again",
        )


def _look_at_names(preflight: Preflight, names: Identifiers, operation_id: str, services: Services) -> None:
    rds, target_id = services.rds(), names.target_cluster_id
    preflight.look("names of instances", lambda: guards.check_instance_names(rds, names.instance_ids, target_id))
    for what, snapshot_id in (("copy", names.copy_id), ("final snapshot", names.final_snapshot_id)):
        preflight.look(f"name of the {what}", partial(guards.check_snapshot_name, rds, snapshot_id, operation_id))
