"""The preflight once more, right before anything is destroyed: between plan and deletion hours may have passed."""

from utils.aws.rds_models import Cluster
from utils.errors import TargetChanged
from utils.operation.model import Operation
from utils.plan import guards
from utils.plan.leftovers import half_restored_by
from utils.plan.source.point_in_time import check_restorable_source
from utils.preflight.bound import look_at_what_binds
from utils.preflight.buildable import Wanted, look_at_what_is_wanted
from utils.preflight.looks import Preflight
from utils.preflight.roles_and_keys import look_at_keys_of_insights, look_at_roles
from utils.preflight.tls import look_at_tls
from utils.runtime.services import Services
from utils.runtime.waiting import has_settled


def look_again_before_deleting(operation: Operation, target: Cluster, services: Services) -> None:
    """Raise what keeps the old target from being replaced now, all of it at once; `ResourceBusy` for what may pass."""
    # Of another cluster than the planned one nothing else is worth saying.
    guards.check_target_is_the_planned_one(target, operation.plan.old_target_resource_id)
    _check_is_left_still(operation, target, services)
    preflight, request, plan = Preflight(), operation.request, operation.plan
    members = services.rds().instances_of(target.identifier)
    staying = [member for member in members if member.status != "deleting"]
    is_leftover, mark = plan.half_restored_by is not None, services.settings.ownership_mark
    preflight.look("target", lambda: guards.check_target_may_go(request, target, mark, is_leftover=is_leftover))
    look_at_what_binds(preflight, services.offers, target)
    preflight.look("tags of its instances", lambda: guards.check_members_may_go(staying, mark))
    if operation.retires is not None:
        # Nothing takes its place any more.
        preflight.raise_problems()
        return
    copied_at = operation.copied.finished_at if operation.copied else None
    may_be_unseen = copied_at is not None and not has_settled(copied_at, services.clock.now())
    preflight.look(
        "what is restored",
        lambda: check_restorable_source(
            operation.snapshot, operation.restored_from, services.rds(), unseen=may_be_unseen
        ),
    )
    key = plan.settings.kms_key_id
    if key is not None:
        preflight.look("KMS key", lambda: services.kms.usable_key_arn(key))
    look_at_keys_of_insights(preflight, services.kms, plan.settings)
    look_at_roles(preflight, services.roles, plan.settings, target, is_leftover=is_leftover)
    wanted = Wanted(
        snapshot_version=operation.snapshot.engine_version,
        settings=plan.settings,
        now=services.clock.now(),
        old_members=len(members),
        new_snapshots=0,
        quarantine_group_ids=plan.quarantine_group_ids,
    )
    look_at_what_is_wanted(preflight, services.offers, wanted)
    group = plan.settings.cluster_parameter_group
    # The default group cannot be changed.
    if group is not None:
        now = services.offers.tls_parameters(group)
        look_at_tls(preflight, plan.settings.tls_parameters, now, was_asked_for=False)
    preflight.look(
        "names of instances",
        lambda: guards.check_instance_names(services.rds(), operation.identifiers.instance_ids, target.identifier),
    )
    preflight.raise_problems()


def _check_is_left_still(operation: Operation, target: Cluster, services: Services) -> None:
    """Refuse a leftover that people may work with since the plan was made: it would go without a final snapshot."""
    earlier, deletion = operation.plan.half_restored_by, operation.deletion
    has_begun = deletion is not None and deletion.destroying_since is not None
    if earlier is None or has_begun or half_restored_by(target, services.operations) is not None:
        return
    raise TargetChanged(
        f"cluster {target.identifier}, which operation {earlier} had left half-restored and people may work with now",
        field="target.cluster_id",
        expected="a cluster that nobody was let into, as when the plan was made",
        action="start a new run, which takes a final snapshot of it first; it was not touched",
    )
