"""A nightly refresh over an old target, which several files look at."""

from dataclasses import dataclass
from typing import Any

from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import DEFAULT_SUBNETS, World

TARGET = "shop-staging"


@dataclass(frozen=True)
class Night:
    """The refresh, with what was there before and after."""

    old: dict[str, Any]
    outcome: Outcome
    new: dict[str, Any]


@story
def night(world: World) -> Night:
    world.target.create_db_subnet_group(
        DBSubnetGroupName="staging", DBSubnetGroupDescription="of staging", SubnetIds=DEFAULT_SUBNETS[:2]
    )
    world.target.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="staging17", DBParameterGroupFamily="aurora-postgresql17", Description="of staging"
    )
    old = world.old_target(
        TARGET,
        instances=2,
        DBSubnetGroupName="staging",
        VpcSecurityGroupIds=[world.security_group("staging")],
        DBClusterParameterGroupName="staging17",
        StorageType="aurora-iopt1",
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["postgresql"],
    )
    outcome = world.run({"target": {"cluster_id": TARGET, "tags": {"team": "platform"}}}, "nightly").expect_success()
    return Night(old, outcome, world.cluster(TARGET))
