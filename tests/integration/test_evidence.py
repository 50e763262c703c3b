"""Every run that has a plan leaves evidence that a stranger verifies with the public key alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.credentials import ACCOUNT_ID
from local_cloud.regions import TARGET_REGION
from restore_command.evidence import stored
from restore_command.evidence.verifying import verify
from tests.integration.stage.night import TARGET, Night
from tests.integration.stage.outcome import Outcome
from tests.integration.stage.production import Production
from tests.integration.stage.stories import Storyteller, story
from tests.integration.stage.world import World
from tests.waiting import wait_for
from utils.evidence.model import Evidence, Result
from utils.operation.records import EvidenceRecord

BUCKET = f"aurora-restore-evidence-{ACCOUNT_ID}-{TARGET_REGION}"


def fetched(world: World, outcome: Outcome, folder: Path) -> Evidence:
    """Fetch the evidence of a run, and have it verified."""
    record = EvidenceRecord.model_validate(outcome.row["evidence"])
    assert record.folder == f"s3://{BUCKET}/{outcome.target_id}/{outcome.operation_id}/"
    stored.fetch(world.client("s3"), world.client("kms"), record, folder)
    assert verify([folder], folder / stored.PUBLIC_KEY).wrong == []
    return Evidence.model_validate_json((folder / "report.json").read_text())


def test_a_restore_leaves_evidence_with_what_was_done_and_proven(world: World, night: Night, tmp_path: Path) -> None:
    evidence = fetched(world, night.outcome, tmp_path)

    assert evidence.verdict.result is Result.RESTORED
    assert (evidence.target.cluster_id, evidence.target.account_id) == (TARGET, ACCOUNT_ID)
    assert [phase.name for phase in evidence.timeline] == ["check", "copy", "delete", "restore", "users", "archive"]
    assert {user.name for user in evidence.access.users} >= {"app_user", "readonly_user", "devops_user"}
    assert {hand.actors[0] for hand in evidence.hands} == {world.execution_arn(night.outcome.operation_id)}
    assert evidence.rto.measured_seconds == night.outcome.output["seconds"]["total"]
    assert night.outcome.output["evidence"] in night.outcome.messages[0].text


@story
def signed_period(world: World) -> dict[str, Any]:
    """A report over thirty days, which the function makes from its own rows and signs."""
    event = {"operation_id": "drills-of-november", "period": {"days": 30, "fresh_days": 7}}
    answer = world.client("lambda").invoke(
        FunctionName="aurora-restore-write-evidence", Payload=json.dumps(event).encode()
    )
    details: dict[str, Any] = json.loads(answer["Payload"].read())["details"]
    return details


def test_a_period_is_signed_with_every_source_cluster_in_view(
    world: World, night: Night, production: Production, signed_period: dict[str, Any], tmp_path: Path
) -> None:
    assert night.outcome.status == "SUCCEEDED"
    record = EvidenceRecord.model_validate(signed_period)
    stored.fetch(world.client("s3"), world.client("kms"), record, tmp_path)
    assert verify([tmp_path], tmp_path / stored.PUBLIC_KEY).wrong == []
    assert record.folder == f"s3://{BUCKET}/drills/drills-of-november/"
    assert f'"{production.cluster_id}"' in (tmp_path / "drills.json").read_text()


def test_nothing_secret_is_in_it(world: World, night: Night, tmp_path: Path) -> None:
    fetched(world, night.outcome, tmp_path)
    content = "".join((tmp_path / name).read_text() for name in ("report.json", "report.html", "report.dsse.json"))
    deployed = world.deployment
    logins = (deployed.master, deployed.application_user, deployed.readonly_user, deployed.devops_user)
    assert [login.username for login in logins if login.password in content] == []


def test_a_dry_run_leaves_evidence_of_its_plan(world: World, tmp_path: Path) -> None:
    outcome = world.run({"target": {"cluster_id": "evidence-planned"}, "dry_run": True}).expect_success()
    assert fetched(world, outcome, tmp_path).verdict.result is Result.PLANNED


def test_a_run_that_is_stopped_leaves_evidence_as_well(world: World, tmp_path: Path) -> None:
    target = "evidence-stopped"
    name = world.start({"target": {"cluster_id": target}})
    arn = world.execution_arn(name)
    states = world.client("stepfunctions")

    def planned() -> bool:
        return "plan" in (world.row(name) or {})

    wait_for(planned, "a plan", seconds=60, every=0.1)
    states.stop_execution(executionArn=arn)
    wait_for(lambda: "evidence" in (world.row(name) or {}), "the evidence", seconds=60, every=0.2)
    outcome = world.end_of(name, target)

    evidence = fetched(world, outcome, tmp_path)
    assert evidence.verdict.result is Result.FAILED
    assert evidence.verdict.error is not None
    assert evidence.verdict.error.name == "ExecutionStopped"
    assert outcome.lock is None


@pytest.fixture
def _nothing_can_be_signed(storyteller: Storyteller, world: World) -> Iterator[None]:
    storyteller.all_told()
    kms = world.client("kms")
    kms.disable_key(KeyId="alias/aurora-restore-evidence")
    yield
    kms.enable_key(KeyId="alias/aurora-restore-evidence")


@pytest.mark.usefixtures("_nothing_can_be_signed")
def test_a_run_ends_as_it_would_when_nothing_can_be_signed_and_says_so(world: World) -> None:
    outcome = world.run({"target": {"cluster_id": "unsigned"}, "dry_run": True}).expect_success()
    assert outcome.output["evidence"] == "not written: AwsRequestRejected"
    assert "Evidence          not written: AwsRequestRejected" in outcome.messages[0].text
    assert outcome.lock is None
    listed = world.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="unsigned/")
    assert listed["KeyCount"] == 0
