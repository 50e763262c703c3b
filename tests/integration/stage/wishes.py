"""A run with explicit settings over a protected target."""

import socket
from dataclasses import dataclass
from typing import Any

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import DEFAULT_SUBNETS, World


@dataclass(frozen=True)
class Wishes:
    """A run with explicit settings over a protected target."""

    target: dict[str, Any]
    key: str
    outcome: Outcome


@story
def wishes(world: World) -> Wishes:
    rds = world.target
    rds.create_db_subnet_group(
        DBSubnetGroupName="drill", DBSubnetGroupDescription="of the drill", SubnetIds=DEFAULT_SUBNETS
    )
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="drill17", DBParameterGroupFamily="aurora-postgresql17", Description="of the drill"
    )
    rds.create_db_parameter_group(
        DBParameterGroupName="drill17-instances", DBParameterGroupFamily="aurora-postgresql17", Description="drill"
    )
    key = world.client("kms").create_key(Description="of the drill")["KeyMetadata"]["Arn"]
    world.old_target("drill", DeletionProtection=True)
    target = {
        "cluster_id": "drill",
        "instances": {"count": 2, "instance_class": "db.serverless"},
        "serverless_v2": {"min_capacity": 0.5, "max_capacity": 8},
        "subnet_group": "drill",
        "security_group_ids": [world.security_group("drill"), world.security_group("drill-office")],
        "cluster_parameter_group": "drill17",
        "instance_parameter_group": "drill17-instances",
        "engine_version": "17.5",
        "port": _free_port(),
        "storage_type": "aurora-iopt1",
        "log_exports": ["postgresql"],
        "iam_authentication": True,
        "deletion_protection": True,
        "tags": {"team": "platform", "cost-centre": "42"},
        "kms_key_id": key,
    }
    request = {"target": target, "override_deletion_protection": True, "final_snapshot": False}
    return Wishes(target, key, world.run(request).expect_success())


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
