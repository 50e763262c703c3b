"""The plan of an operation: every identifier and every decision, before anything is touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from utils.aws.rds_models import Cluster, Instance, Snapshot
from utils.cluster_settings.origins import Origin
from utils.identifiers import derived_identifier, region_and_account
from utils.operation.planned import BringBackPlan, Identifiers, Plan, SourceSnapshot
from utils.plan.afterwards.sentences import afterwards_in_sentences
from utils.plan.inherited import Base
from utils.plan.restore_settings import Resolved
from utils.plan.swap import in_sentences, is_swap, swap_names
from utils.request.mandatory import mandatory_of
from utils.request.model import BRING_BACK, RestoreRequest
from utils.request.source import NEW
from utils.restore_type import RestoreType
from utils.settings import Settings
from utils.words import counted


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the first step found out, from which the plan follows."""

    operation_id: str
    request: RestoreRequest
    snapshot: Snapshot
    age_hours: float
    old_target: Cluster | None
    old_members: Sequence[Instance] = ()
    resolved: Resolved
    base: Base | None
    half_restored_by: str | None = None
    deleted_in_part_by: str | None = None
    not_put_back: list[str]
    now: datetime


def make_identifiers(found: Found) -> Identifiers:
    """Name everything this operation will make; the same operation always gets the same names."""
    target_id = found.request.target.cluster_id
    members = [member.identifier for member in found.resolved.settings.members]
    return Identifiers(
        target_cluster_id=target_id,
        instance_ids=members,
        swap=swap_names(target_id, found.operation_id, members, found.old_members)
        if is_swap(found.request, found.old_target, found.half_restored_by)
        else None,
        copy_id=derived_identifier("aurora-restore-copy", target_id, found.operation_id),
        final_snapshot_id=derived_identifier("aurora-restore-final", target_id, found.operation_id),
    )


def make_plan(found: Found, identifiers: Identifiers, settings: Settings) -> Plan:
    """Decide on copy, deletion and restore."""
    region, account = region_and_account(found.snapshot.arn)
    reason = _copy_reason(region, account, settings)
    old = found.old_target
    # A leftover counts as no rollback point: kept by count, unmasked data would push the good ones out.
    take_final_snapshot = old is not None and found.request.final_snapshot and found.half_restored_by is None
    plan = Plan(
        copy_needed=reason is not None,
        copy_reason=reason or _why_no_copy(found.snapshot),
        # RDS refuses a key for the copy of an unencrypted snapshot; the restore encrypts it.
        copy_kms_key_id=found.resolved.settings.kms_key_id if found.snapshot.kms_key_id else None,
        delete_target=old is not None and identifiers.swap is None,
        take_final_snapshot=take_final_snapshot and identifiers.swap is None,
        old_target_resource_id=old.resource_id if old else None,
        half_restored_by=found.half_restored_by,
        bring_back=_bring_back(found, settings) if take_final_snapshot and identifiers.swap is None else None,
        deleted_in_part_by=found.deleted_in_part_by,
        quarantine_group_ids=settings.quarantine_group_ids,
        settings=found.resolved.settings,
        origins=found.resolved.origins,
        inherited_from=found.base.origin if found.base and found.request.target.inherit_settings else None,
        not_put_back=[*found.not_put_back, *found.resolved.not_taken_over],
        actions=[],
    )
    sentences = _in_sentences(found, identifiers, plan)
    always = mandatory_of(settings.mandatory_request).in_words()
    if always:
        sentences.append(f"do for every run of this stack, whatever the request says: {', '.join(always)}")
    return plan.model_copy(update={"actions": sentences})


def _bring_back(found: Found, settings: Settings) -> BringBackPlan | None:
    """Return how the old target would come back; None where nobody wants it, or no instance of it would answer."""
    if found.request.on_failure != BRING_BACK or not found.old_members:
        return None
    return BringBackPlan(public_access=settings.allow_public_access, not_put_back=list(found.not_put_back))


def describe_source(found: Found) -> SourceSnapshot:
    """Record the source snapshot for the operation row."""
    region, account = region_and_account(found.snapshot.arn)
    return SourceSnapshot(
        identifier=found.snapshot.identifier,
        arn=found.snapshot.arn,
        cluster_id=found.snapshot.cluster_id,
        region=region,
        account_id=account,
        created_at=found.snapshot.created_at or found.now,
        chosen_at=found.now,
        age_hours=found.age_hours,
        engine_version=found.snapshot.engine_version,
        storage_gib=found.snapshot.storage_gib,
        kms_key_id=found.snapshot.kms_key_id,
        master_username=found.snapshot.master_username,
        restore_type=found.snapshot.restore_type,
        restore_to=found.request.source.restore_to,
        is_new=found.request.source.snapshot == NEW,
        resource_id=None if found.snapshot.restore_type is RestoreType.SNAPSHOT else found.snapshot.cluster_resource_id,
    )


def _copy_reason(region: str, account: str, settings: Settings) -> str | None:
    if region != settings.target_region:
        return f"the snapshot is in {region}, the target in {settings.target_region}"
    if account != settings.account_id:
        return f"the snapshot belongs to account {account}, under whose key the cluster would stay"
    return None


def _why_no_copy(snapshot: Snapshot) -> str:
    if snapshot.restore_type is RestoreType.SNAPSHOT:
        return "the snapshot is in the target Region and account"
    return "no snapshot is restored, but the source cluster itself"


def _source_in_words(found: Found) -> str:
    snapshot, moment = found.snapshot, found.request.source.restore_to
    if found.request.source.snapshot == NEW:
        return f"snapshot {snapshot.cluster_id} in {found.request.source.region} as {snapshot.identifier}"
    if snapshot.restore_type is RestoreType.SNAPSHOT:
        return f"take snapshot {snapshot.identifier} of {snapshot.cluster_id}, {found.age_hours:g} hours old"
    if snapshot.restore_type is RestoreType.COPY_ON_WRITE:
        return f"clone {snapshot.cluster_id} as it is when the restore begins"
    if moment is not None:
        return f"take {snapshot.cluster_id} as of {moment:%Y-%m-%d %H:%M:%S} UTC, {found.age_hours:g} hours ago"
    return f"take {snapshot.cluster_id} as of the latest restorable time when the restore begins"


def _instances_in_words(classes: dict[str, int]) -> str:
    return ", ".join(f"{counted(number, 'instance')} of class {name}" for name, number in classes.items())


def _before_opening_in_sentences(request: RestoreRequest) -> list[str]:
    scripts = [f"run {script.s3_uri} in {script.database}" for script in request.post_restore_sql]
    checks = [f"{check.name!r} in {check.database}" for check in request.checks]
    kept = [f"keep the logins {', '.join(request.keep_logins)} as they are"] if request.keep_logins else []
    return [*kept, *scripts, *([f"check {', '.join(checks)}"] if checks else [])]


def _quarantine_in_sentences(plan: Plan) -> list[str]:
    if not plan.quarantine_group_ids:
        return []
    groups = ", ".join(plan.settings.security_group_ids or [])
    return [f"only then take it out of quarantine ({', '.join(plan.quarantine_group_ids)}): it gets {groups}"]


def _in_sentences(found: Found, identifiers: Identifiers, plan: Plan) -> list[str]:
    snapshot, old = found.snapshot, found.old_target
    restored_from = identifiers.copy_id if plan.copy_needed else snapshot.identifier
    restored = identifiers.swap.beside if identifiers.swap else identifiers.target_cluster_id
    window = found.request.start_window
    sentences = [f"start only {window.in_words(found.now)}"] if window else []
    sentences += [_source_in_words(found)]
    if plan.copy_needed:
        sentences.append(f"copy it as {identifiers.copy_id}, because {plan.copy_reason}")
    if identifiers.swap:
        sentences.append(f"delete what a failed run left as {identifiers.swap.beside}, if anything")
    if old and plan.take_final_snapshot:
        sentences.append(f"snapshot the old cluster {old.identifier} as {identifiers.final_snapshot_id}")
    if old and plan.delete_target:
        sentences.append(f"delete the old cluster {old.identifier} and its {counted(len(old.member_ids), 'instance')}")
    if plan.half_restored_by:
        sentences[-1] += f", which operation {plan.half_restored_by} left half-restored: without a final snapshot"
    if plan.deleted_in_part_by:
        sentences[-1] += f", which operation {plan.deleted_in_part_by} deleted in part"
    if found.base and plan.inherited_from is Origin.TARGET_RECORD:
        sentences.append(f"take the settings of the target record, {found.base.in_words}")
    settings = plan.settings
    sentences += [
        f"restore {restored} from {restored_from} with version {settings.engine_version}",
        f"create {_instances_in_words(settings.classes)}",
        *_before_opening_in_sentences(found.request),
        "reset the master password, set up the database users, shut out the others, prove each login",
        *_quarantine_in_sentences(plan),
        *in_sentences(identifiers, found.request),
        *(
            [
                f"if it fails for good after the deletion: delete what is half-restored and restore {restored} from "
                f"{identifiers.final_snapshot_id} with its settings as they are; the run still ends as failed"
            ]
            if plan.bring_back
            else []
        ),
        *afterwards_in_sentences(
            found.request, identifiers, plan, found.operation_id, snapshot.identifier, snapshot.storage_gib
        ),
    ]
    if not found.request.is_drill:
        sentences.append(
            f"keep {counted(found.request.keep_copies, 'copy', 'copies')} and "
            f"{counted(found.request.keep_final_snapshots, 'final snapshot')}"
        )
    return sentences
