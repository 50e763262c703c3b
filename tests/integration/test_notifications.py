"""A message that cannot be sent changes nothing about a run."""

import json
from collections.abc import Iterator

import pytest

from local_cloud.regions import TARGET_REGION
from tests.integration.stage.sources import InOneRegion
from tests.integration.stage.stories import Storyteller
from tests.integration.stage.world import World

ROLE = f"aurora-restore-sns-notification-{TARGET_REGION}"


@pytest.fixture
def _nothing_may_be_published(storyteller: Storyteller, world: World) -> Iterator[None]:
    storyteller.all_told()
    iam = world.client("iam")
    deny = {"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=ROLE, PolicyName="silence", PolicyDocument=policy)
    yield
    iam.delete_role_policy(RoleName=ROLE, PolicyName="silence")


@pytest.mark.usefixtures("_nothing_may_be_published")
def test_a_restore_succeeds_without_its_message(world: World, in_one_region: InOneRegion) -> None:
    source = {"cluster_id": in_one_region.production.cluster_id, "region": TARGET_REGION}
    outcome = world.run({"source": source, "target": {"cluster_id": "silent"}}).expect_success()
    assert outcome.output["notification"] == "not sent: AccessDenied"
    assert outcome.output["status"] == outcome.row["status"] == "SUCCEEDED"
    assert outcome.messages == []
    assert outcome.lock is None
    assert world.cluster("silent")["Status"] == "available"


@pytest.mark.usefixtures("_nothing_may_be_published")
def test_a_failure_keeps_its_own_error_without_its_message(world: World) -> None:
    outcome = world.run({"target": {"cluster_id": "silent"}, "no_such_field": 1})
    assert (outcome.status, outcome.error) == ("FAILED", "InvalidRequest")
    assert "no_such_field: found an unknown field" in outcome.cause
    assert outcome.row["error"]["name"] == "InvalidRequest"


@pytest.mark.usefixtures("quiet")
def test_a_run_succeeds_when_the_topic_is_gone(world: World) -> None:
    [topic] = world.client("sns").list_topics()["Topics"]
    world.client("sns").delete_topic(TopicArn=topic["TopicArn"])
    outcome = world.run({"target": {"cluster_id": "silent"}, "dry_run": True}).expect_success()
    assert outcome.output["notification"].startswith("not sent: ")
