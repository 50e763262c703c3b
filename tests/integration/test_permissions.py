"""Every permission of the pipeline's roles is needed: for each, a call of the stories depended on it alone."""

import pytest

from tests.integration.stage.roles.permissions import WITHOUT, Entry, granted_to, needed_so_far, without
from tests.integration.stage.world import World
from utils.operation.model import Helper, StepName

ROLES = (
    *(step.value.lower().replace(" ", "-") for step in (*StepName, *Helper)),
    *("pipeline", "approver", "retirement", "fleet"),
)
# Calls that nobody makes in the local cloud, so that nothing here can prove or disprove the need.
NOT_ASKED_LOCALLY = {
    "Log": "Lambda itself writes a function's log there, with the function's role",
    "ExecutionLogs": "Step Functions delivers an execution's log with the state machine's role",
    "KeepDeadLetters": "Lambda keeps there what a function could not do that EventBridge invoked, with its role",
    "RunItsMap": "Step Functions starts the children of a distributed Map with the state machine's role",
    "LookAtItself": "Step Functions looks at a distributed Map's machine with the same role",
    "LookAfterItsMap": "Step Functions looks at, and ends, the children of a distributed Map with the same role",
    "FindPipeline": "the stories hand the approvers' command its tables; a unit test asks for the stack",
    "ReachTheVpc": "Lambda makes a function's network interfaces with its role",
    "UseKeysThroughRds": "AWS asks for it where the key is another account's; the local Aurora asks for the grant only",
    "FirstClusterOfAccount": "RDS asks for it once in the life of an account",
    "LetTheTargetsTagsGoWithIt": "AWS may ask for tags that a snapshot inherits; the local Aurora for those asked for",
    "ScaleReaders": "a scalable target of the local cloud outlives its cluster; whether AWS's does is not documented",
    "AskedForByScaling": "Application Auto Scaling tries these in its caller's name before it registers a cluster",
    "SubscribeToTarget": "an event subscription of the local Aurora keeps the names of sources that are gone",
    "DeleteAsksForSnapshotToo": "the authorization reference requires the snapshot also of a deletion without one",
}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_granted_that_no_step_needs(world: World, role: str) -> None:
    granted = {entry for entry in granted_to(world, role) if entry.sid not in NOT_ASKED_LOCALLY}
    assert granted - needed_so_far(world) == set()


def test_the_exceptions_are_still_in_the_templates(world: World) -> None:
    assert {entry.sid for role in ROLES for entry in granted_to(world, role)} >= NOT_ASKED_LOCALLY.keys()


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (Entry("snapshot-check", "LookAtKeys", "kms:DescribeKey"), "KeyNotUsable"),
        (Entry("copy-snapshot", "CrossRegion", "rds:CrossRegionCommunication"), "AccessDenied"),
        (Entry("delete-rds", "DeleteReplaceableMembers", "rds:DeleteDBInstance"), "AccessDenied"),
    ],
    ids=lambda value: value.action if isinstance(value, Entry) else value,
)
def test_without_it_a_run_fails_and_loses_nothing(world: World, entry: Entry, error: str) -> None:
    target_id = f"{WITHOUT}{entry.function}"
    old = world.old_target(target_id)
    with without(world, entry):
        outcome = world.run({"target": {"cluster_id": target_id}})
    outcome.expect_failure(error, entry.function if error == "AccessDenied" else "key")
    assert world.is_untouched(old)
