"""A request that says everything itself, and one that only asks what would be done."""

from dataclasses import dataclass
from typing import Any

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import Production
from tests.integration.stage.stories import story
from tests.integration.stage.wishes import Wishes
from tests.integration.stage.world import World, tags_of


@dataclass(frozen=True)
class DryRun:
    """A run that changes nothing."""

    old: dict[str, Any]
    outcome: Outcome


@story
def dry_run(world: World) -> DryRun:
    old = world.old_target("rehearsal")
    return DryRun(old, world.run({"target": {"cluster_id": "rehearsal"}, "dry_run": True}).expect_success())


def test_the_cluster_is_as_the_request_says(world: World, wishes: Wishes) -> None:
    cluster = world.cluster("drill")
    assert cluster["EngineVersion"] == "17.5"
    assert cluster["DBSubnetGroup"] == "drill"
    groups = {group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]}
    assert groups == set(wishes.target["security_group_ids"])
    assert cluster["DBClusterParameterGroup"] == "drill17"
    assert cluster["Port"] == wishes.target["port"]
    assert cluster["StorageType"] == "aurora-iopt1"
    assert cluster["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert cluster["IAMDatabaseAuthenticationEnabled"] is True
    assert cluster["DeletionProtection"] is True
    assert cluster["KmsKeyId"] == wishes.key
    assert cluster["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0.5
    assert cluster["ServerlessV2ScalingConfiguration"]["MaxCapacity"] == 8
    assert wishes.target["tags"].items() <= tags_of(cluster).items()


def test_the_instances_are_as_the_request_says(world: World, wishes: Wishes) -> None:
    instances = world.instances("drill")
    assert len(instances) == wishes.target["instances"]["count"]
    for instance in instances:
        assert instance["DBInstanceClass"] == "db.serverless"
        assert instance["DBInstanceStatus"] == "available"
        assert [group["DBParameterGroupName"] for group in instance["DBParameterGroups"]] == ["drill17-instances"]
        assert wishes.target["tags"].items() <= tags_of(instance).items()


def test_protection_is_switched_off_only_because_the_request_allows_it(wishes: Wishes) -> None:
    [switched_off, *after] = [call for call in wishes.outcome.changes if call.operation == "ModifyDBCluster"]
    assert switched_off.by_function == "aurora-restore-delete-rds"
    assert switched_off.parameters["DeletionProtection"] is False
    switched_on = [call for call in after if "DeletionProtection" in call.parameters]
    assert [(call.by_function, call.parameters["DeletionProtection"]) for call in switched_on] == [
        ("aurora-restore-restore-snapshot", True)
    ]


def test_no_final_snapshot_is_taken_because_the_request_says_so(world: World, wishes: Wishes) -> None:
    assert "CreateDBClusterSnapshot" not in wishes.outcome.changed_operations
    assert world.snapshots("final", "drill") == []
    assert wishes.outcome.output["final_snapshot"] is None


def test_a_dry_run_changes_nothing(world: World, dry_run: DryRun) -> None:
    assert dry_run.outcome.changes == []
    assert world.is_untouched(dry_run.old)
    assert world.snapshots("copy", "rehearsal") == []
    assert dry_run.outcome.lock is None
    assert dry_run.outcome.states == ["Snapshot Check", "Is It a Dry Run?", "SNS Notification", "Done"]


def test_a_dry_run_tells_the_plan(production: Production, dry_run: DryRun) -> None:
    output = dry_run.outcome.output
    assert output["dry_run"] is True
    plan = "\n".join(output["plan"])
    for words in (
        f"take snapshot {production.snapshot['DBClusterSnapshotIdentifier']} of {production.cluster_id}",
        "copy it as aurora-restore-copy-rehearsal-",
        "snapshot the old cluster rehearsal as aurora-restore-final-rehearsal-",
        "delete the old cluster rehearsal and its 1 instance",
        "restore rehearsal from aurora-restore-copy-rehearsal-",
        "create 1 instance of class db.r8g.large",
    ):
        assert words in plan
    [message] = dry_run.outcome.messages
    assert "Dry run: nothing was changed" in message.text
