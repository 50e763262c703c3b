"""The invariants, judged from outside: the local Aurora's journal says of every change what it found."""

from collections.abc import Iterable
from typing import Any

from local_cloud.regions import TARGET_REGION
from tests.integration.stage.outcome import ApiCall
from utils.identifiers import digest_of

_MANAGED, _OPERATION = "aurora-restore:managed", "aurora-restore:operation-id"
_ROLE, _REPLACEABLE = "aurora-restore:role", "aurora-restore:replaceable"
_TARGET = "aurora-restore:target-cluster-id"
# These make something: what they name has to bear our tags only if they change it.
_MAKING = ("Copy", "Create", "Restore")
Facts = dict[str, Any]


def violations(
    calls: Iterable[ApiCall],
    *,
    opted_out: frozenset[str] = frozenset(),
    failed: frozenset[str] = frozenset(),
    uncopied: frozenset[str] = frozenset(),
) -> list[str]:
    """Return what broke an invariant among changes.

    opted_out: clusters given up with `final_snapshot: false`. failed: the resource ids of new clusters that gave way to
    the old data. uncopied: operations that restore their source where it is.
    """
    return [
        f"{call.time} {call.by_function} {call.operation} {call.parameters}: {problem}"
        for call in calls
        for problem in _problems(call, opted_out, failed, uncopied)
    ]


def _problems(call: ApiCall, opted_out: frozenset[str], failed: frozenset[str], uncopied: frozenset[str]) -> list[str]:
    problems = []
    if call.region != TARGET_REGION and not _is_of_a_new_snapshot(call):
        problems.append("a change in the source Region")
    if call.operation.startswith(_MAKING):
        if not {_MANAGED, _OPERATION} <= _requested_tags(call).keys():
            problems.append("what is made does not bear our tags")
    elif any(not _may_be_changed(facts) for facts in call.before["named"]):
        problems.append("a change of something without our tags")
    if call.operation in {"DeleteDBCluster", "DeleteDBInstance"}:
        for cluster in call.before["clusters"]:
            if cluster["resource_id"] in failed:
                problems += _not_to_be_brought_back(cluster, call.before["snapshots"])
            else:
                problems += _unprotected(cluster, call.before["snapshots"], opted_out, uncopied)
    return problems


def _not_to_be_brought_back(cluster: Facts, snapshots: list[Facts]) -> list[str]:
    """Say what is missing for the old data to come back in the place of a new cluster that failed."""
    maker = cluster["tags"].get(_OPERATION)
    finals = [item for item in snapshots if (item["tags"].get(_ROLE), item["tags"].get(_OPERATION)) == ("final", maker)]
    if any(item["status"] == "available" for item in finals):
        return []
    return ["the new cluster goes while the old data's final snapshot is not available"]


def _is_of_a_new_snapshot(call: ApiCall) -> bool:
    """Whether it makes or deletes what a run may make and delete where its source is: a snapshot marked as such."""
    if call.operation == "CreateDBClusterSnapshot":
        return _requested_tags(call).get(_ROLE) == "source"
    named = call.before["named"]
    ours = [facts for facts in named if (facts["tags"].get(_MANAGED), facts["tags"].get(_ROLE)) == ("true", "source")]
    return call.operation == "DeleteDBClusterSnapshot" and bool(named) and ours == named


def _unprotected(
    cluster: Facts, snapshots: list[Facts], opted_out: frozenset[str], uncopied: frozenset[str]
) -> list[str]:
    """Say what is missing for the deletion of a cluster, or of its members, to be safe at this moment."""
    if _is_beside(cluster) or _is_of_a_drill(cluster):
        return []
    available = [snapshot for snapshot in snapshots if snapshot["status"] == "available"]
    finals = [
        snapshot
        for snapshot in available
        if snapshot["resource_id"] == cluster["resource_id"] and snapshot["tags"].get(_ROLE) == "final"
    ]
    problems = []
    if not finals and _name(cluster) not in opted_out:
        problems.append("the old target goes without an available final snapshot")
    # The copy that replaces it is the same operation's as its final snapshot.
    # What a swap has put aside is replaced already.
    finals = [snapshot for snapshot in finals if snapshot["tags"].get(_TARGET) in (None, _name(cluster))]
    operations = {snapshot["tags"].get(_OPERATION) for snapshot in finals}
    copies = [snapshot for snapshot in available if snapshot["tags"].get(_ROLE) == "copy"]
    is_copied = any(copy["tags"].get(_OPERATION) in operations for copy in copies)
    if finals and not is_copied and not operations <= uncopied:
        problems.append("the old target goes before the snapshot to be restored is available")
    return problems


def _is_beside(cluster: Facts) -> bool:
    """Whether it was restored beside a target and never had its name: nobody was let in."""
    tags: dict[str, str] = cluster["tags"]
    ours = tags.get(_MANAGED) == "true" and tags.get(_ROLE) == "target"
    return ours and _name(cluster) == f"{tags.get(_TARGET)}-new"


def _is_of_a_drill(cluster: Facts) -> bool:
    """Whether a drill made it, under a name that says of which operation: nobody works with it."""
    tags: dict[str, str] = cluster["tags"]
    ours = tags.get(_MANAGED) == "true" and tags.get(_ROLE) == "target"
    return ours and _name(cluster).endswith(f"-drill-{digest_of(tags.get(_OPERATION, ''))}")


def _name(cluster: Facts) -> str:
    return str(cluster["arn"]).rpartition(":")[2]


def _may_be_changed(facts: Facts) -> bool:
    tags: dict[str, str] = facts["tags"]
    return "true" in (tags.get(_MANAGED), tags.get(_REPLACEABLE))


def _requested_tags(call: ApiCall) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in call.parameters.get("Tags", [])}
