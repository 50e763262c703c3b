"""What must hold for every run of the session, read from the local Aurora's journal and its events alone."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from local_cloud.regions import TARGET_REGION
from tests.integration.stage.outcome import ApiCall
from tests.integration.stage.roles.permissions import WITHOUT
from tests.integration.stage.world import World
from utils.identifiers import digest_of

AUTOSCALED = "application-autoscaling-"
COPY_TAKES = timedelta(seconds=1200)  # the local Aurora never ends one earlier
# Asked for with final_snapshot: false.
GIVEN_UP = {"drill", "full-region", "maintained"}
# Runs whose cluster was deleted when its hours were over: nothing replaces it.
DELETED_AFTERWARDS = {"evening-2"}
# What only a target needs whose settings are away from AWS's defaults, or that somebody stopped.
NOT_OF_EVERY_TARGET = {
    "AddSourceIdentifierToSubscription",
    "CreateDBClusterEndpoint",
    "EnableHttpEndpoint",
    "RegisterDBProxyTargets",
    "StartDBCluster",
    "StopDBCluster",
    "ModifyDBInstance",
}
# Restored from a snapshot of the target Region, that was there before, or from a cluster of it.
FROM_THE_TARGET_REGION = {"beside-west", "silent", "as-of"}
MAKING = ("CreateDBCluster", "RestoreDBClusterFromSnapshot", "RestoreDBClusterToPointInTime")

# With these every kind of change has been made, also when only this file is run.
pytestmark = pytest.mark.usefixtures(
    "night", "nights_in_a_row", "in_one_region", "as_of_a_moment", "from_new_snapshots", "wishes", "quiet"
)


@pytest.fixture(scope="module")
def calls(world: World) -> list[ApiCall]:
    return [call for call in world.journal() if call.is_change]


@pytest.fixture(scope="module")
def by_functions(calls: list[ApiCall]) -> list[ApiCall]:
    return [call for call in calls if call.by_function]


@pytest.fixture(scope="module")
def available_since(world: World) -> dict[str, list[datetime]]:
    """When snapshots of the target Region became available, by name."""
    pages = world.target.get_paginator("describe_events").paginate(SourceType="db-cluster-snapshot", Duration=20160)
    since: dict[str, list[datetime]] = {}
    for page in pages:
        for event in page["Events"]:
            if event["Message"] == "Manual cluster snapshot created":
                since.setdefault(event["SourceIdentifier"], []).append(event["Date"])
    return since


def test_there_is_something_to_judge(by_functions: list[ApiCall]) -> None:
    seen = {call.operation for call in by_functions}
    assert seen - NOT_OF_EVERY_TARGET == {
        "AddTagsToResource",
        "CopyDBClusterSnapshot",
        "CreateDBClusterSnapshot",
        "CreateDBInstance",
        "DeleteDBCluster",
        "DeleteDBClusterSnapshot",
        "DeleteDBInstance",
        "ModifyDBCluster",
        "RestoreDBClusterFromSnapshot",
        "RestoreDBClusterToPointInTime",
    }


def test_nothing_is_deleted_before_its_final_snapshot_is_available(
    world: World, calls: list[ApiCall], by_functions: list[ApiCall], available_since: dict[str, list[datetime]]
) -> None:
    for deletion in _deletions(by_functions):
        cluster_id = _cluster_of(deletion)
        if cluster_id in GIVEN_UP:
            continue
        life = _since_it_was_made(calls, cluster_id, deletion)
        if _is_of_a_drill(life, cluster_id):
            continue
        if _is_half_restored(world, life, calls[calls.index(deletion) :], cluster_id):
            continue
        taken = [
            call.parameters["DBClusterSnapshotIdentifier"]
            for call in life
            if call.operation == "CreateDBClusterSnapshot"
            and call.by_function == "aurora-restore-delete-rds"
            and call.parameters["DBClusterIdentifier"] == cluster_id
        ]
        assert len(set(taken)) == 1, f"{deletion} after the final snapshots {taken}"
        assert min(available_since[taken[0]]) <= _time(deletion), f"{deletion} before {taken[0]} was available"
        # One that failed may have been deleted to be taken again, before this one.
        last = max(number for number, call in enumerate(life) if taken[0] in call.parameters.values() and _tags(call))
        assert not _deleted(life[last:], taken[0])


def test_nothing_is_deleted_before_what_replaces_it_is_available(
    world: World, calls: list[ApiCall], by_functions: list[ApiCall]
) -> None:
    for deletion in _deletions(by_functions):
        cluster_id = _cluster_of(deletion)
        if cluster_id in FROM_THE_TARGET_REGION:
            continue
        life = _since_it_was_made(calls, cluster_id, deletion)
        if _is_half_restored(world, life, calls[calls.index(deletion) :], cluster_id):
            assert not _deleted(calls[: calls.index(deletion)], life[0].parameters["SnapshotIdentifier"])
            continue
        if _is_of_a_drill(life, cluster_id) or _made_by(life) in DELETED_AFTERWARDS:
            continue
        _, names = _lineage(calls[: calls.index(deletion)], cluster_id)
        copies = [
            call
            for call in life
            if call.operation == "CopyDBClusterSnapshot"
            and call.region == TARGET_REGION
            and call.parameters["TargetDBClusterSnapshotIdentifier"].startswith(
                tuple(f"aurora-restore-copy-{name}-" for name in names)
            )
        ]
        assert copies, f"{deletion} without a copy to restore from"
        assert _time(deletion) - _time(copies[-1]) >= COPY_TAKES
        assert not _deleted(life[life.index(copies[-1]) :], copies[-1].parameters["TargetDBClusterSnapshotIdentifier"])


def test_nothing_is_changed_in_the_source_region_but_snapshots_that_runs_were_asked_to_take(
    by_functions: list[ApiCall],
) -> None:
    changed = [call for call in by_functions if call.region != TARGET_REGION]
    allowed = {"CreateDBClusterSnapshot", "DeleteDBClusterSnapshot"}
    assert [call for call in changed if call.operation not in allowed] == []
    named = [call.parameters["DBClusterSnapshotIdentifier"] for call in changed]
    assert [name for name in named if not name.startswith("aurora-restore-source-fresh-")] == []
    taken = [call.parameters["DBClusterIdentifier"] for call in changed if call.operation == "CreateDBClusterSnapshot"]
    assert set(taken) <= {"shop-fresh"}


def test_everything_that_is_made_bears_our_tags(by_functions: list[ApiCall]) -> None:
    made = [call for call in by_functions if call.operation.startswith(("Copy", "Create", "Restore"))]
    for call in made:
        if call.operation == "CreateDBClusterEndpoint":
            continue  # a name for members, which goes with its cluster; the pipeline deletes none
        tags = _tags(call)
        assert tags.get("aurora-restore:managed") == "true", call
        assert tags.get("aurora-restore:operation-id"), call


def test_nothing_is_changed_that_does_not_bear_our_tags(calls: list[ApiCall], by_functions: list[ApiCall]) -> None:
    for call in by_functions:
        if call.operation in {"DeleteDBCluster", "ModifyDBCluster"}:
            [*_, made] = _made(calls, "DBClusterIdentifier", call, MAKING)
            assert _tags(made).get("aurora-restore:replaceable") == "true", call
        elif call.operation in {"DeleteDBInstance", "ModifyDBInstance"}:
            if str(call.parameters["DBInstanceIdentifier"]).startswith(AUTOSCALED):
                continue  # RDS made it, with the tags of its cluster
            [*_, made] = _made(calls, "DBInstanceIdentifier", call, ("CreateDBInstance",))
            assert _tags(made).get("aurora-restore:replaceable") == "true", call
        elif call.operation in {"DeleteDBClusterSnapshot", "AddTagsToResource"}:
            name = call.parameters.get("DBClusterSnapshotIdentifier") or call.parameters["ResourceName"].split(":")[-1]
            tags = [_tags(item) for item in calls if name in item.parameters.values()]
            assert any(of_one.get("aurora-restore:managed") == "true" for of_one in tags), call


@pytest.mark.parametrize(
    ("function", "may_change"),
    [
        (
            "aurora-restore-copy-snapshot",
            {"CopyDBClusterSnapshot", "CreateDBClusterSnapshot", "DeleteDBClusterSnapshot"},
        ),
        (
            "aurora-restore-delete-rds",
            {
                "CreateDBClusterSnapshot",
                "DeleteDBCluster",
                "DeleteDBClusterSnapshot",
                "DeleteDBInstance",
                "ModifyDBCluster",
                "StartDBCluster",
                "StopDBCluster",
            },
        ),
        (
            "aurora-restore-restore-snapshot",
            {
                "AddSourceIdentifierToSubscription",
                "CreateDBClusterEndpoint",
                "CreateDBInstance",
                "EnableHttpEndpoint",
                "ModifyDBCluster",
                "RegisterDBProxyTargets",
                "RestoreDBClusterFromSnapshot",
                "RestoreDBClusterToPointInTime",
            },
        ),
        ("aurora-restore-setup-db-users", {"EnableHttpEndpoint", "ModifyDBCluster"}),
        (
            "aurora-restore-swap-clusters",
            {"ModifyDBCluster", "ModifyDBInstance", "StartDBCluster", "StopDBCluster"},
        ),
        ("aurora-restore-archive-snapshot", {"AddTagsToResource", "DeleteDBClusterSnapshot"}),
    ],
)
def test_each_change_is_made_by_the_one_function_that_is_for_it(
    by_functions: list[ApiCall], function: str, may_change: set[str]
) -> None:
    assert {call.operation for call in by_functions if call.by_function == function} <= may_change


def test_no_function_is_refused_by_its_own_policy(world: World) -> None:
    calls = [call for call in world.journal() if call.by_function and not call.mentions(WITHOUT)]
    refused = [
        call
        for number, call in enumerate(calls)
        if call.outcome == "AccessDenied" and not _repeats_what_lost_its_answer(world, calls[:number], call)
    ]
    assert refused == []


def test_a_password_is_never_shown_in_the_journal(world: World) -> None:
    passwords = [
        call.parameters["MasterUserPassword"]
        for call in world.journal()
        if call.by_function and "MasterUserPassword" in call.parameters
    ]
    assert passwords
    assert set(passwords) == {"****"}


def _repeats_what_lost_its_answer(world: World, earlier: list[ApiCall], call: ApiCall) -> bool:
    """Whether a story took the answer from the call before, of a rename: what has its new name by then has no tags."""
    same = [
        other
        for other in earlier
        if (other.by_function, other.operation, other.parameters) == (call.by_function, call.operation, call.parameters)
    ]
    lost = [item for item in world.faults if (item["kind"], item["operation"]) == ("error-after", call.operation)]
    return bool(same) and (same[-1].outcome, same[-1].message, call.renames) in [
        (item["code"], item.get("message"), item["identifier"]) for item in lost
    ]


def _deletions(calls: Iterable[ApiCall]) -> list[ApiCall]:
    return [call for call in calls if call.operation in {"DeleteDBCluster", "DeleteDBInstance"}]


def _cluster_of(call: ApiCall) -> str:
    if call.operation == "DeleteDBCluster":
        return str(call.parameters["DBClusterIdentifier"])
    [cluster] = call.before["clusters"]  # that of the member that the call names
    return str(cluster["arn"]).rpartition(":")[2]


def _is_half_restored(world: World, life: list[ApiCall], after: list[ApiCall], cluster_id: str) -> bool:
    """Whether nobody was let into the cluster: it never had the target's name, or its users were never ready.

    An operation that restores the same snapshot once more, or makes a member anew, was not done with the first one.
    """
    made = life[0]
    if made.operation != "RestoreDBClusterFromSnapshot":
        return False
    if cluster_id == f"{_tags(made).get('aurora-restore:target-cluster-id')}-new":
        return True
    if any(_is_the_same_restore(made, call) or _is_made_anew(after[0], made, call) for call in after):
        return True
    rows = world.audit_rows(_made_by(life))
    ends = {row["status"] for row in rows if (row["step"], row["event"]) == ("Setup DB Users", "LEFT")}
    is_old_data = made.parameters["SnapshotIdentifier"].rpartition(":")[2].startswith("aurora-restore-final-")
    return not ends & ({"READY", "BROUGHT_BACK"} if is_old_data else {"READY"})


def _is_the_same_restore(one: ApiCall, other: ApiCall) -> bool:
    alike = ("DBClusterIdentifier", "SnapshotIdentifier", "Tags")
    return one.operation == other.operation and all(one.parameters[key] == other.parameters[key] for key in alike)


def _is_made_anew(deletion: ApiCall, made: ApiCall, call: ApiCall) -> bool:
    if (deletion.operation, call.operation) != ("DeleteDBInstance", "CreateDBInstance"):
        return False
    same = deletion.parameters["DBInstanceIdentifier"] == call.parameters["DBInstanceIdentifier"]
    return same and _made_by([call]) == _made_by([made])


def _is_of_a_drill(life: list[ApiCall], cluster_id: str) -> bool:
    """Whether a drill made the cluster, from a snapshot that stays, and under a name with the digest of its own."""
    by_itself = life[0].by_function == "aurora-restore-restore-snapshot"
    return by_itself and cluster_id.endswith(f"-drill-{digest_of(_made_by(life))}")


def _made_by(life: list[ApiCall]) -> str:
    return str(_tags(life[0]).get("aurora-restore:operation-id"))


def _since_it_was_made(calls: list[ApiCall], cluster_id: str, end: ApiCall) -> list[ApiCall]:
    """Return the calls from the making of the cluster that `end` belongs to, up to `end`."""
    until = calls.index(end)
    return calls[calls.index(_lineage(calls[:until], cluster_id)[0]) : until]


def _lineage(calls: list[ApiCall], cluster_id: str) -> tuple[ApiCall, list[str]]:
    """Return the call that made a cluster, and the names that it had until now."""
    names = [cluster_id]
    for call in reversed(calls):
        if call.parameters.get("NewDBClusterIdentifier") == names[-1]:
            names.append(call.parameters["DBClusterIdentifier"])
        elif call.operation in MAKING and (call.parameters["DBClusterIdentifier"] == names[-1]):
            return call, names
    raise AssertionError(f"nobody made {cluster_id}")


def _made(calls: list[ApiCall], member: str, before: ApiCall, operations: tuple[str, ...]) -> list[ApiCall]:
    """Return the call that made what `before` names, whatever it was called then."""
    name = before.parameters[member]
    for call in reversed(calls[: calls.index(before)]):
        if call.parameters.get(f"New{member}") == name:
            name = call.parameters[member]
        elif call.operation in operations and call.parameters[member] == name:
            return [call]
    return []


def _deleted(calls: Iterable[ApiCall], snapshot_id: str) -> bool:
    return any(
        call.operation == "DeleteDBClusterSnapshot" and call.parameters["DBClusterSnapshotIdentifier"] == snapshot_id
        for call in calls
    )


def _tags(call: ApiCall) -> dict[str, Any]:
    return {tag["Key"]: tag["Value"] for tag in call.parameters.get("Tags", [])}


def _time(call: ApiCall) -> datetime:
    return datetime.fromisoformat(call.time)
