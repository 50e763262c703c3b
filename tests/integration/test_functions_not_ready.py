"""Every function is asked before anything is changed: who wakes up is waited for, who cannot work is named."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local_cloud.ministack.state_machines.states_shims import NOT_READY_TAG
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.stories import story
from tests.integration.stage.world import World
from tests.waiting import wait_for

NAME = "after-weeks"


def put_to_sleep(world: World, prefix: str, times: int) -> list[str]:
    """Let functions answer this run so often as if nobody had called them for weeks; return their ARNs."""
    functions = world.client("lambda").list_functions()["Functions"]
    arns = [item["FunctionArn"] for item in functions if item["FunctionName"].startswith(prefix)]
    for arn in arns:
        world.client("lambda").tag_resource(Resource=arn, Tags={NOT_READY_TAG: f"{times}:{NAME}"})
    return arns


def is_awake(world: World, arn: str) -> bool:
    return bool(world.client("lambda").list_tags(Resource=arn)["Tags"][NOT_READY_TAG] == f"0:{NAME}")


@story
def after_weeks(world: World) -> Outcome:
    """All functions sleep when the run begins, and setup-db-users once more before its turn."""
    asleep = put_to_sleep(world, "aurora-restore-", times=2)
    functions = [arn for arn in asleep if not arn.endswith("write-evidence")]  # no state waits for that one
    name = world.start({"target": {"cluster_id": "after-weeks"}}, NAME)

    def is_copying() -> bool:
        return (world.row(name) or {}).get("current_step") in {"Copy Snapshot", "Check Copy Status"}

    wait_for(is_copying, "the copy to begin")
    assert len(functions) == 12
    assert all(is_awake(world, arn) for arn in functions), "all were asked before the first change"
    (setup,) = put_to_sleep(world, "aurora-restore-setup-db-users", times=3)
    outcome = world.end_of(name, "after-weeks")
    assert is_awake(world, setup)
    return outcome


def test_a_run_waits_for_functions_that_wake_up(after_weeks: Outcome) -> None:
    after_weeks.expect_success()
    failures = [event for event in after_weeks.history if event["type"] == "TaskFailed"]
    assert {event["taskFailedEventDetails"]["error"] for event in failures} == {"Lambda.ResourceNotReadyException"}


@contextmanager
def placeholder_in_the_masters_secret(world: World) -> Iterator[None]:
    secrets = world.client("secretsmanager")
    settings = world.client("lambda").get_function_configuration(FunctionName="aurora-restore-setup-db-users")
    name = settings["Environment"]["Variables"]["MASTER_SECRET_NAME"]
    value = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps({"username": "master", "password": "PLACEHOLDER"}))
    try:
        yield
    finally:
        secrets.put_secret_value(SecretId=name, SecretString=value)


@pytest.mark.usefixtures("quiet")
def test_a_placeholder_that_only_the_users_step_would_meet_stops_the_run_first(world: World) -> None:
    old = world.old_target("never-touched")
    with placeholder_in_the_masters_secret(world):
        outcome = world.run({"target": {"cluster_id": "never-touched"}})
    outcome.expect_failure(
        "FunctionsNotReady", "Setup DB Users, master-credentials: ", "the placeholder of the template", in_a_step=False
    )
    assert outcome.changes == []
    assert world.is_untouched(old)
