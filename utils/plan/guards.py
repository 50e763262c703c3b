"""What must hold before the old target is touched; checked when planning and again right before deleting."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from utils.aws.rds_models import Cluster, Instance, Snapshot
from utils.aws.rds_reader import ENGINE, RdsReader
from utils.aws.rds_statuses import SNAPSHOT
from utils.cluster_settings.model import TargetSettings
from utils.errors import (
    IdentifierTaken,
    InvalidRequest,
    ResourceBusy,
    SnapshotNotAvailable,
    TargetChanged,
    TargetInGlobalCluster,
    TargetIsSource,
    TargetNotBuildable,
    TargetNotReplaceable,
    TargetProtected,
)
from utils.identifiers import is_put_aside, is_snapshot_arn
from utils.operation.retirement import is_named_after_another
from utils.request.model import RestoreRequest
from utils.tags import REPLACEABLE, is_ours, is_tag_text
from utils.words import counted

_PROVISIONED = "provisioned"
# A row holds them twice, beside a request of 100,000 characters.
_LONGEST_SETTINGS = 100_000


def check_operation_id(operation_id: str) -> None:
    """Refuse a name that is no tag value, which all that a run makes bears, or that is of what follows a run."""
    if not is_tag_text(operation_id) or is_named_after_another(operation_id):
        raise InvalidRequest(
            f"{operation_id!r}, the name of the execution",
            field="operation_id",
            expected="letters, digits and _ . = + - @, which RDS takes as a tag, and not -retirement or -afterwards as "
            "its end",
            action="start it again under another name; nothing was changed",
        )


def check_target_name(target_cluster_id: str, pattern: str) -> None:
    """Refuse a target that the stack's roles may not touch: the run would find that out once it has copied."""
    if not fnmatchcase(target_cluster_id, pattern):
        raise InvalidRequest(
            target_cluster_id,
            field="target.cluster_id",
            expected=f"a name like {pattern}, as the stack parameter TargetClusterPattern says",
            action="name another target, or deploy with another pattern; nothing was changed",
        )


def check_target_is_not_source(request: RestoreRequest, snapshot: Snapshot, target: Cluster) -> None:
    """Refuse to build over the cluster that the snapshot came from; raises `TargetIsSource`."""
    same_name = target.arn.split(":")[3:5] == snapshot.arn.split(":")[3:5] and (
        target.identifier == request.source.cluster_id
    )
    if same_name or target.resource_id == snapshot.cluster_resource_id:
        raise TargetIsSource(
            f"{target.identifier}, the cluster that snapshot {snapshot.identifier} was taken from",
            field="target.cluster_id",
            expected="another cluster than the source",
            action="name another target",
        )


def check_target_may_go(request: RestoreRequest, target: Cluster, mark: str, *, is_leftover: bool = False) -> None:
    """Refuse to delete what is not marked, protected, part of something larger, or what no restore would bring back."""
    check_engine(target)
    check_is_replaceable(target, mark)
    check_stands_alone(target)
    check_protection(request, target, is_leftover=is_leftover)


def check_engine(target: Cluster) -> None:
    """Refuse a cluster of another kind, which would not come back as it was."""
    if target.engine != ENGINE or target.engine_mode != _PROVISIONED:
        raise TargetNotReplaceable(
            f"cluster {target.identifier} of engine {target.engine}, mode {target.engine_mode}",
            field="target.cluster_id",
            expected=f"{ENGINE}, {_PROVISIONED} (which Serverless v2 is): anything else would not come back as it was",
            action="name another target",
        )


def check_is_replaceable(target: Cluster, mark: str) -> None:
    """Refuse a cluster that nobody marked as replaceable by this environment, whose mark in RDS is `mark`."""
    if target.tags.get(REPLACEABLE) != "true":
        found = target.tags.get(REPLACEABLE)
        raise TargetNotReplaceable(
            f"cluster {target.identifier} with the tag {REPLACEABLE}={found}"
            if found
            else f"cluster {target.identifier} without the tag {REPLACEABLE}",
            field="target.cluster_id",
            expected=f"the tag {REPLACEABLE}={mark} on the cluster and its instances",
            action="name another target, or tag this one if its data may be replaced",
        )


def check_stands_alone(target: Cluster) -> None:
    """Refuse a member of a global cluster, and what RDS deletes in part only: it keeps the last instance of a source.

    Raises `TargetInGlobalCluster`, `TargetNotReplaceable`.
    """
    if target.in_global_cluster:
        raise TargetInGlobalCluster(
            f"cluster {target.identifier} as a member of a global cluster",
            field="target.cluster_id",
            expected="a cluster of its own",
            action="remove it from the global cluster first, or name another target",
        )
    if not target.replicas and target.replicates is None:
        return
    beside = f"the replica cluster {', '.join(target.replicas)}" if target.replicas else f"source {target.replicates}"
    raise TargetNotReplaceable(
        f"cluster {target.identifier} with {beside}",
        field="target.cluster_id",
        expected="a cluster that neither replicates another one nor is replicated",
        action="delete or promote the replica cluster first, or name another target",
    )


def check_protection(request: RestoreRequest, target: Cluster, *, is_leftover: bool = False) -> None:
    """Respect deletion protection unless the request overrides it; that of a leftover of ours protects nobody's work.

    Raises `TargetProtected`.
    """
    if target.deletion_protection and not (request.override_deletion_protection or is_leftover):
        raise TargetProtected(
            f"cluster {target.identifier} with deletion protection",
            field="override_deletion_protection",
            expected="a cluster without it, or override_deletion_protection: true",
            action="switch it off, or allow the override",
        )


def check_members_may_go(members: Sequence[Instance], mark: str) -> None:
    """Refuse members that the functions' roles may not delete: the tag counts on each instance by itself."""
    untagged = [
        member.identifier
        for member in members
        # Application Auto Scaling gives its readers no tags; they come and go with the cluster.
        if member.tags.get(REPLACEABLE) != "true" and not member.is_autoscaled
    ]
    if untagged:
        raise TargetNotReplaceable(
            f"{'instance' if len(untagged) == 1 else 'instances'} {', '.join(untagged)} without the tag {REPLACEABLE}",
            field="target.cluster_id",
            expected=f"the tag {REPLACEABLE}={mark} on the cluster and each of its instances",
            action="tag them if their data may be replaced, or name another target",
        )


def check_target_is_the_planned_one(target: Cluster, planned_resource_id: str | None) -> None:
    """Refuse a cluster that took the name after the plan was made; raises `TargetChanged`."""
    if target.resource_id != planned_resource_id:
        raise TargetChanged(
            f"cluster {target.identifier} with resource id {target.resource_id}",
            field="target.cluster_id",
            expected=f"the cluster of the plan, {planned_resource_id or 'which was absent'}",
            action="find out who made it since the run started, then start a new run; it was not touched",
        )


def check_instance_names(rds: RdsReader, instance_ids: Sequence[str], target_cluster_id: str) -> None:
    """Refuse names for the new instances that another cluster's instances have; raises `IdentifierTaken`."""
    for instance_id in instance_ids:
        found = rds.find_instance(instance_id)
        if found is not None and found.cluster_id != target_cluster_id:
            raise IdentifierTaken(
                f"instance {instance_id} of {f'cluster {found.cluster_id}' if found.cluster_id else 'no cluster'}",
                field="target.cluster_id",
                expected=f"no instance of that name, or one of cluster {target_cluster_id}",
                action=f"{_way_out(found.cluster_id or '', target_cluster_id)}; it was not touched",
            )


def _way_out(cluster_id: str, target_cluster_id: str) -> str:
    if is_put_aside(cluster_id, target_cluster_id):
        return "resume the swap that was stopped half-way (./restore.sh runs names it), or rename the clusters by hand"
    return "rename or delete that instance, or name another target"


def check_snapshot_name(rds: RdsReader, snapshot_id: str, operation_id: str) -> None:
    """Refuse a name for a new snapshot that another one has; raises `IdentifierTaken`."""
    found = rds.find_snapshot(snapshot_id)
    if found is not None and not is_ours(found.tags, operation_id):
        raise IdentifierTaken(
            f"snapshot {snapshot_id} of cluster {found.cluster_id}",
            field="operation_id",
            expected="no snapshot of that name, which follows from the name of the execution",
            action="find out who made it and delete it, or start the run under another name; it was not touched",
        )


def check_restorable_now(rds: RdsReader, snapshot: str, *, may_be_unseen: bool = False) -> None:
    """Make sure that what will be restored is there and available in the target Region right now.

    Raises `ResourceBusy` for what was seen available and may be so again: RDS reads are eventually consistent.
    """
    found = rds.find_snapshot(snapshot)
    if may_be_unseen and (found is None or found.status in SNAPSHOT.in_progress):
        raise ResourceBusy(
            f"snapshot {snapshot} with status {found.status}" if found else f"no snapshot {snapshot}",
            expected="status available, as it was seen a moment ago",
            action="nothing, the step is tried again for a while",
        )
    if found is None or found.status not in SNAPSHOT.ready:
        raise SnapshotNotAvailable(
            f"snapshot {snapshot} with status {found.status}" if found else f"no snapshot {snapshot}",
            expected="status available in the target Region before the old target is deleted",
            action="start a new run, which picks another snapshot"
            if is_snapshot_arn(snapshot)
            else "find out who deleted it, then resume the operation, which copies again",
        )


def check_settings_fit(settings: TargetSettings) -> None:
    """Refuse settings that would not fit into a row beside what a run writes down; raises `TargetNotBuildable`."""
    size = len(settings.model_dump_json(exclude_none=True))
    if size > _LONGEST_SETTINGS:
        raise TargetNotBuildable(
            f"settings of {size:,} characters, {counted(len(settings.members), 'instance')} with all their tags",
            field="target",
            expected=f"at most {_LONGEST_SETTINGS:,}, since DynamoDB takes 400 KB a row",
            action="give the instances fewer tags, in the request or on the target, then start a new run",
        )


def check_capacity(settings: TargetSettings) -> None:
    """Make sure Serverless v2 instances get a capacity, without which RDS creates none; raises `InvalidRequest`."""
    if "db.serverless" in settings.classes and settings.serverless_v2 is None:
        raise InvalidRequest(
            "nothing, with instances of class db.serverless",
            field="target.serverless_v2",
            expected='a capacity such as {"min_capacity": 0.5, "max_capacity": 4}',
            action="add it, or name another instance class",
        )
