"""Drills: what is waited for, and whatever one could leave."""

from typing import Any

from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.integration.stage.world import World, tags_of
from tests.waiting import wait_for
from utils.operation.retirement import afterwards_id

ENDED = {"SUCCEEDED", "FAILED"}
AT_ONCE = {"action": "delete", "after_hours": 0}


def afterwards_of(world: World, operation_id: str) -> dict[str, Any]:
    """Wait until what becomes of a run's cluster is done, and return the row of that."""
    name = afterwards_id(operation_id)

    def is_over() -> dict[str, Any] | None:
        row = world.row(name) or {}
        return row if row.get("status") in ENDED and row.get("notified_at") else None

    return wait_for(is_over, f"the end of {name}", seconds=300.0, every=0.3)


def left_of(world: World, operation_id: str) -> list[str]:
    """Name what stands or runs of an operation: clusters, instances, snapshots of both Regions, executions, locks."""
    found = []
    for region in (SOURCE_REGION, TARGET_REGION):
        rds = world.client("rds", region)
        resources = [
            *((item["DBClusterArn"], item) for item in rds.describe_db_clusters()["DBClusters"]),
            *((item["DBInstanceArn"], item) for item in rds.describe_db_instances()["DBInstances"]),
            *(
                (item["DBClusterSnapshotArn"], item)
                for item in rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
            ),
        ]
        found += [arn for arn, item in resources if tags_of(item).get("aurora-restore:operation-id") == operation_id]
    states, names = world.client("stepfunctions"), {operation_id, afterwards_id(operation_id)}
    machine = world.deployment.state_machine_arn
    for arn in (machine, machine.replace("-pipeline", "-retirement")):
        running = states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
        found += [item["executionArn"] for item in running if item["name"] in names]
    row = world.row(operation_id) or {}
    target_id = row.get("identifiers", {}).get("target_cluster_id", "")
    keys = (f"lock#{TARGET_REGION}#{target_id}", f"target#{TARGET_REGION}#{target_id}")
    return found + [key for key in keys if target_id and world.row(key) is not None]
