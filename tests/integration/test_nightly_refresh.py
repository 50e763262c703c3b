"""A nightly refresh replaces the old target with yesterday's production."""

from itertools import pairwise

import pytest

from tests.integration.stage.night import TARGET, Night
from tests.integration.stage.production import ENGINE_VERSION, Production, counted
from tests.integration.stage.world import World, tags_of

STEPS = [
    "Snapshot Check",
    "Copy Snapshot",
    "Check Copy Status",
    "Delete RDS",
    "Check Delete Status",
    "Restore Snapshot",
    "Check Restore Status",
    "Setup DB Users",
    "Archive Snapshot",
    "SNS Notification",
]


def test_all_of_yesterdays_data_is_there_and_nothing_else(world: World, production: Production, night: Night) -> None:
    restored = counted(world.cloud, night.new, world.deployment.master)
    assert restored == production.rows
    assert restored["shop.shop.order_items"] == 15_000
    assert restored["ledger.public.entries"] == 500


def test_the_target_is_another_cluster_than_before(night: Night) -> None:
    assert night.new["DbClusterResourceId"] != night.old["DbClusterResourceId"]
    assert night.new["EngineVersion"] == ENGINE_VERSION
    assert night.new["Status"] == "available"


@pytest.mark.usefixtures("night")
def test_as_many_instances_as_before_are_available(world: World) -> None:
    instances = world.instances(TARGET)
    assert sorted(item["DBInstanceIdentifier"] for item in instances) == [f"{TARGET}-1", f"{TARGET}-2"]
    assert {item["DBInstanceStatus"] for item in instances} == {"available"}
    assert {item["DBInstanceClass"] for item in instances} == {"db.r8g.large"}


@pytest.mark.parametrize(
    "field",
    [
        "DBSubnetGroup",
        "VpcSecurityGroups",
        "DBClusterParameterGroup",
        "StorageType",
        "IAMDatabaseAuthenticationEnabled",
        "EnabledCloudwatchLogsExports",
    ],
)
def test_the_setting_of_the_old_target_is_carried_over(night: Night, field: str) -> None:
    assert night.new[field] == night.old[field]


def test_the_restored_cluster_is_under_the_stacks_key(world: World, night: Night) -> None:
    key = world.client("kms").describe_key(KeyId="alias/aurora-restore-secrets")["KeyMetadata"]["Arn"]
    assert night.new["KmsKeyId"] == key


def test_cluster_and_instances_bear_the_pipelines_tags(world: World, night: Night) -> None:
    for resource in (night.new, *world.instances(TARGET)):
        assert tags_of(resource) == {
            "team": "platform",
            "aurora-restore:managed": "true",
            "aurora-restore:operation-id": "nightly",
            "aurora-restore:role": "target",
            "aurora-restore:target-cluster-id": TARGET,
            "aurora-restore:replaceable": "true",
        }


def test_the_final_snapshot_brings_the_old_target_back(world: World, night: Night) -> None:
    [final] = world.snapshots("final", TARGET)
    assert final["Status"] == "available"
    assert final["DbClusterResourceId"] == night.old["DbClusterResourceId"]
    assert night.outcome.output["final_snapshot"] == final["DBClusterSnapshotArn"]
    world.target.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="brought-back",
        SnapshotIdentifier=final["DBClusterSnapshotIdentifier"],
        Engine="aurora-postgresql",
        EngineVersion=final["EngineVersion"],
    )
    world.target.get_waiter("db_cluster_available").wait(
        DBClusterIdentifier="brought-back", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    world.target.create_db_instance(
        DBInstanceIdentifier="brought-back-1",
        DBClusterIdentifier="brought-back",
        DBInstanceClass="db.r8g.large",
        Engine="aurora-postgresql",
    )
    world.target.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier="brought-back-1", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert world.rows_of_old_target(world.cluster("brought-back")) == 25


@pytest.mark.usefixtures("night")
def test_the_copy_is_tagged_as_archived(world: World, production: Production) -> None:
    [copy] = world.snapshots("copy", TARGET)
    assert copy["SourceDBClusterSnapshotArn"] == production.snapshot_arn
    tags = tags_of(copy)
    assert tags["aurora-restore:managed"] == "true"
    assert tags["aurora-restore:operation-id"] == "nightly"
    assert tags["aurora-restore:archived-at"]


def test_the_audit_rows_tell_every_step_in_order(night: Night) -> None:
    rows = night.outcome.audit
    assert [row["event"] for row in rows] == ["ENTERED", "LEFT"] * (len(rows) // 2)
    for entered, left in zip(rows[::2], rows[1::2], strict=True):
        assert entered["step"] == left["step"]
    assert all(before["timestamp"] < after["timestamp"] for before, after in pairwise(rows))
    assert list(dict.fromkeys(row["step"] for row in rows)) == STEPS
    assert {row["actor"] for row in rows} == {night.outcome.row["execution_arn"]}
    calls = [call for row in rows for call in row["api_calls"]]
    assert any("RestoreDBClusterFromSnapshot" in call for call in calls)


def test_the_audit_rows_name_every_change_that_was_made(night: Night) -> None:
    told = [call.rpartition(":")[2] for row in night.outcome.audit for call in row["api_calls"]]
    assert night.outcome.changed_operations == [call for call in told if call in set(night.outcome.changed_operations)]


def test_the_row_is_closed_and_the_lock_is_gone(night: Night) -> None:
    assert night.outcome.row["status"] == "SUCCEEDED"
    assert night.outcome.row["current_step"] == "SNS Notification"
    assert night.outcome.row["finished_at"]
    assert "error" not in night.outcome.row
    assert night.outcome.lock is None


def test_people_are_told(night: Night) -> None:
    [message] = night.outcome.messages
    assert message.subject == f"Aurora restore of {TARGET} SUCCEEDED"
    for word in (TARGET, f"{TARGET}-1, {TARGET}-2", "shop_app", "aurora-restore-final-", ENGINE_VERSION):
        assert word in message.text


def test_the_output_sums_it_up(production: Production, night: Night) -> None:
    output = night.outcome.output
    assert output["operation_id"] == "nightly"
    assert output["status"] == "SUCCEEDED"
    assert output["snapshot"] == production.snapshot_arn
    assert output["instances"] == [f"{TARGET}-1", f"{TARGET}-2"]
    assert output["deleted"][0] == TARGET
    assert output["shut_out"] == ["analyst", "batch_admin", "shop_app"]
    assert set(output["users"]) == {"app_user", "readonly_user", "devops_user"}
    assert set(output["seconds"]) == {"copy", "delete", "restore", "users", "total"}
    assert output["notification"] == "sent"


def test_the_phases_took_as_long_as_aurora_takes(night: Night) -> None:
    # Durations of the local Aurora: copy 1200; final snapshot 120, members 240; restore 600, instances 420 seconds.
    assert night.outcome.output["seconds"]["copy"] >= 1200
    assert night.outcome.output["seconds"]["delete"] >= 360
    assert night.outcome.output["seconds"]["restore"] >= 1020
