"""Who has production's passwords: in quarantine nobody gets in with them, without it the run tells for how long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

import psycopg2
import pytest
from botocore.exceptions import ClientError

from local_cloud.pipeline.deployment import Login
from tests.integration.conftest import SPEED
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import LOGINS
from tests.integration.stage.stories import story
from tests.integration.stage.world import DATABASE, DEFAULT_SUBNETS, World

CHECK, SET_UP = "aurora-restore-snapshot-check", "aurora-restore-setup-db-users"
A_SECOND = 1.0  # of real time: what passes between the pipeline's looks
PAUSE_SECONDS = 0.02


class Intruder:
    """Tries without end to log in to the restored cluster; what it got, in real time."""

    def __init__(self, world: World, target_id: str, login: Login) -> None:
        self._world, self._target_id, self._login = world, target_id, login
        self._over = threading.Event()
        self.attempted_at: list[float] = []
        self.inside_at: list[float] = []

    @property
    def seconds_inside(self) -> float:
        """From the first time that it got in to the last."""
        return self.inside_at[-1] - self.inside_at[0] if self.inside_at else 0.0

    @property
    def longest_pause(self) -> float:
        """The longest time between two attempts: what the machine takes for them when it is busy."""
        return max((later - earlier for earlier, later in pairwise(self.attempted_at)), default=0.0)

    def stop(self) -> None:
        """End it."""
        self._over.set()

    def try_on(self) -> None:
        """Look for the restored cluster, then try its door until the end."""
        while not self._over.wait(PAUSE_SECONDS):
            with suppress(ClientError):
                cluster = self._world.cluster(self._target_id)
                tags = {tag["Key"] for tag in cluster["TagList"]}
                if "aurora-restore:operation-id" in tags and cluster["DBClusterMembers"]:
                    self._try_door(cluster)

    def _try_door(self, cluster: dict[str, Any]) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            self.attempted_at.append(time.monotonic())
            with suppress(psycopg2.OperationalError), self._world.login(self._login, cluster, DATABASE):
                self.inside_at.append(time.monotonic())


@contextmanager
def intruder(world: World, target_id: str) -> Iterator[Intruder]:
    """Let one of production's logins try to get into a target while something goes on."""
    somebody = Intruder(world, target_id, LOGINS["shop_app"])
    thread = threading.Thread(target=somebody.try_on, name="intruder")
    thread.start()
    try:
        yield somebody
    finally:
        somebody.stop()
        thread.join()


@contextmanager
def quarantine(world: World) -> Iterator[str]:
    """Deploy the function into a VPC and the quarantine beside it, as infrastructure/network.yaml does."""
    of_function, closed = world.security_group("setup-db-users"), world.security_group("quarantine")
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": of_function}]}
    world.client("ec2").authorize_security_group_ingress(GroupId=closed, IpPermissions=[rule])
    functions = world.client("lambda")
    before = functions.get_function_configuration(FunctionName=CHECK)["Environment"]
    vpc = {"SubnetIds": DEFAULT_SUBNETS, "SecurityGroupIds": [of_function]}
    functions.update_function_configuration(FunctionName=SET_UP, VpcConfig=vpc)
    with_it = {"Variables": before["Variables"] | {"QUARANTINE_SECURITY_GROUP_IDS": closed}}
    functions.update_function_configuration(FunctionName=CHECK, Environment=with_it)
    try:
        yield closed
    finally:
        functions.update_function_configuration(FunctionName=CHECK, Environment=before)
        nowhere: dict[str, list[str]] = {"SubnetIds": [], "SecurityGroupIds": []}
        functions.update_function_configuration(FunctionName=SET_UP, VpcConfig=nowhere)


@story
def exposed(world: World) -> tuple[Outcome, Intruder]:
    """A run without quarantine, and somebody who tries to get in meanwhile."""
    world.old_target("exposed")
    with intruder(world, "exposed") as somebody:
        return world.run({"target": {"cluster_id": "exposed"}}), somebody


def test_without_quarantine_the_exposure_is_told_that_a_client_with_productions_password_measured(
    exposed: tuple[Outcome, Intruder],
) -> None:
    outcome, somebody = exposed
    told = outcome.expect_success().output["exposure_seconds"]
    assert somebody.inside_at, "nobody got in: there was nothing to measure"
    # Neither knows more than its looks, which take their time on a busy machine.
    assert abs(told / SPEED - somebody.seconds_inside) <= A_SECOND + 2 * somebody.longest_pause
    assert outcome.row["exposure"]["since"] < outcome.row["exposure"]["ended_at"]
    assert "\nExposure   " in outcome.messages[0].text


@pytest.mark.usefixtures("quiet")
def test_in_quarantine_a_client_with_productions_password_never_gets_in(world: World) -> None:
    own_group = world.security_group("of-quarantined")
    old = world.old_target("quarantined", VpcSecurityGroupIds=[own_group], EnableHttpEndpoint=True)
    with quarantine(world) as closed, intruder(world, "quarantined") as somebody:
        outcome = world.run({"target": {"cluster_id": "quarantined"}}).expect_success()
    assert somebody.attempted_at
    assert somebody.inside_at == []
    assert (outcome.output["exposure_seconds"], outcome.output["quarantine"]) == (0, [closed])
    assert f"0 s, in quarantine ({closed})" in outcome.messages[0].text

    restore = next(call for call in outcome.changes if call.operation == "RestoreDBClusterFromSnapshot")
    assert restore.parameters["VpcSecurityGroupIds"] == [closed]
    own = [group["VpcSecurityGroupId"] for group in old["VpcSecurityGroups"]]
    named = {"DBClusterIdentifier", "DBInstanceIdentifier"}
    of_the_cluster = [call for call in outcome.changes if named & call.parameters.keys()]
    assert of_the_cluster[-1].operation == "ModifyDBCluster", "the groups come last"
    assert of_the_cluster[-1].parameters["VpcSecurityGroupIds"] == own
    assert outcome.changes.index(of_the_cluster[-1]) < [call.operation for call in outcome.changes].index(
        "EnableHttpEndpoint"
    ), "the Data API asks no group"
    cluster = world.cluster("quarantined")
    assert cluster["HttpEndpointEnabled"]
    assert [group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]] == own
    with world.login(world.deployment.master, cluster) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
