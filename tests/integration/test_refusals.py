"""What a run refuses, before it has changed anything: bad input, and everything the guards forbid."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from local_cloud.credentials import ACCOUNT_ID
from local_cloud.regions import TARGET_REGION
from tests.integration.stage.outcome import ApiCall, Outcome
from tests.integration.stage.production import Production
from tests.integration.stage.sources import InOneRegion
from tests.integration.stage.stories import Storyteller
from tests.integration.stage.world import World, target_of


@dataclass(frozen=True)
class Refusal:
    """A request, and the error and words that refuse it."""

    request: Any
    error: str
    words: tuple[str, ...]


def bad_input(request: Any, *words: str) -> Refusal:
    return Refusal(request, "InvalidRequest", (*words, "nothing was changed"))


_numbers = itertools.count(1)


def to(target_id: str, **target: Any) -> dict[str, Any]:
    return {"target": {"cluster_id": target_id, **target}}


def nowhere(**target: Any) -> dict[str, Any]:
    """A target that is absent and stays so; every request has its own, as a lock is a target's."""
    return to(f"nowhere-{next(_numbers)}", **target)


BAD_INPUT = {
    "an unknown field": bad_input(
        {**nowhere(), "keep_copys": 3}, "keep_copys: found an unknown field", "'keep_copies'"
    ),
    "an unknown field inside": bad_input(
        nowhere(instances={"cuont": 2}), "target.instances.cuont: found an unknown field", "'count' perhaps"
    ),
    "a missing field": bad_input({}, "target.cluster_id: found nothing", "a parameter of the stack"),
    "a number as text": bad_input({**nowhere(), "keep_copies": "3"}, "keep_copies: found str '3'", "a valid integer"),
    "text for yes or no": bad_input({**nowhere(), "dry_run": "no"}, "dry_run: found str 'no'", "a valid boolean"),
    "a number out of range": bad_input({**nowhere(), "keep_copies": 0}, "keep_copies: found int 0", "or equal to 1"),
    "text for an object": bad_input({"target": "nowhere"}, "target: found str 'nowhere'"),
    "a malformed identifier": bad_input(to("no--where"), "target.cluster_id: found str 'no--where'", "letters, digits"),
    "a malformed snapshot": bad_input(
        {**nowhere(), "source": {"snapshot": "not a snapshot"}}, "source.snapshot: found str 'not a snapshot'"
    ),
    "a malformed Region": bad_input({**nowhere(), "source": {"region": "mars"}}, "source.region: found str 'mars'"),
    "an account id as a number": bad_input(
        {**nowhere(), "source": {"account_id": 111111111111}}, "source.account_id: found int 111111111111"
    ),
    "a tag of the pipeline": bad_input(nowhere(tags={"aurora-restore:replaceable": "true"}), "target.tags"),
    "no object at all": bad_input(["nowhere"], "found list ['nowhere']", "a JSON object"),
}
GUARDS = {
    "a target without the tag": Refusal(
        to("untagged"), "TargetNotReplaceable", ("without the tag aurora-restore:replaceable", "nothing was changed")
    ),
    "a target whose tag says otherwise": Refusal(
        to("tagged-no"), "TargetNotReplaceable", ("aurora-restore:replaceable=no", "nothing was changed")
    ),
    "a protected target": Refusal(
        to("protected"), "TargetProtected", ("protected with deletion protection", "override_deletion_protection: true")
    ),
    "the source itself": Refusal(
        {**to("shop-west"), "source": {"cluster_id": "shop-west", "region": TARGET_REGION}},
        "TargetIsSource",
        ("shop-west", "another cluster than the source"),
    ),
    "a snapshot that is too old": Refusal(
        {**nowhere(), "source": {"max_age_hours": 0.001}}, "SnapshotTooOld", ("source.max_age_hours = 0.001",)
    ),
    "an unknown snapshot": Refusal(
        {**nowhere(), "source": {"snapshot": "of-nobody"}}, "SnapshotNotFound", ("no snapshot of-nobody in us-east-1",)
    ),
    "a cluster without a snapshot": Refusal(
        {**nowhere(), "source": {"cluster_id": "never-backed-up"}},
        "SnapshotNotFound",
        ("no available snapshot of cluster never-backed-up in us-east-1",),
    ),
    "a snapshot of another cluster": Refusal(
        {**nowhere(), "source": {"cluster_id": "other", "snapshot": "shop-production-yesterday"}},
        "SnapshotNotFound",
        ("snapshot shop-production-yesterday of cluster shop-production", "source.cluster_id = other"),
    ),
    "a snapshot that is still being taken": Refusal(
        {**nowhere(), "source": {"snapshot": "of-this-moment"}}, "SnapshotNotAvailable", ("with status creating",)
    ),
    "a snapshot in another Region than it says": Refusal(
        {
            **nowhere(),
            "source": {
                "cluster_id": "shop-west",
                "snapshot": "arn:aws:rds:us-west-2:123456789012:cluster-snapshot:shop-west-yesterday",
            },
        },
        "SnapshotNotFound",
        ("the ARN of a snapshot in us-west-2", "source.region = us-east-1"),
    ),
    "an account that shares nothing": Refusal(
        {**nowhere(), "source": {"account_id": "222222222222"}}, "SnapshotNotFound", ("shared by account 222222222222",)
    ),
    "an older engine version": Refusal(
        nowhere(engine_version="16.8"),
        "EngineVersionNotRestorable",
        ("target.engine_version: found 16.8, older than the snapshot's 17.4",),
    ),
    "an engine version that is not offered": Refusal(
        nowhere(engine_version="17.99"), "EngineVersionNotRestorable", ("17.99",)
    ),
    "a subnet group that does not exist": Refusal(
        nowhere(subnet_group="of-nobody"), "SettingNotFound", ("target.subnet_group: found no DB subnet group",)
    ),
    "a parameter group that does not exist": Refusal(
        nowhere(cluster_parameter_group="of-nobody"), "SettingNotFound", ("target.cluster_parameter_group",)
    ),
    "a role that does not exist": Refusal(
        nowhere(associated_roles=[{"role_arn": f"arn:aws:iam::{ACCOUNT_ID}:role/of-nobody", "feature": "s3Import"}]),
        "SettingNotFound",
        ("target.associated_roles: found no IAM role", "of-nobody in the account"),
    ),
    "a disabled key": Refusal(
        nowhere(kms_key_id="alias/disabled"), "KeyNotUsable", ("target.kms_key_id: found KMS key",)
    ),
    "a key that does not exist": Refusal(nowhere(kms_key_id="alias/of-nobody"), "KeyNotUsable", ("alias/of-nobody",)),
}
REFUSALS = BAD_INPUT | GUARDS


@dataclass(frozen=True)
class Refused:
    """All refused runs, while nothing else went on."""

    outcomes: dict[str, Outcome]
    calls: list[ApiCall]
    guarded: list[dict[str, Any]]


@pytest.fixture(scope="session")
def refused(storyteller: Storyteller, world: World, production: Production, in_one_region: InOneRegion) -> Refused:
    storyteller.all_told()
    assert in_one_region.production.cluster_id == "shop-west"
    key = world.client("kms").create_key(Description="disabled")["KeyMetadata"]["KeyId"]
    world.client("kms").create_alias(AliasName="alias/disabled", TargetKeyId=key)
    world.client("kms").disable_key(KeyId=key)
    world.fault("freeze", "CreateDBClusterSnapshot", "of-this-moment")
    world.source.create_db_cluster_snapshot(
        DBClusterIdentifier=production.cluster_id, DBClusterSnapshotIdentifier="of-this-moment"
    )
    with ThreadPoolExecutor(3) as pool:
        guarded: list[Callable[[], dict[str, Any]]] = [
            lambda: world.old_target("untagged", tags={}),
            lambda: world.old_target("tagged-no", tags={"aurora-restore:replaceable": "no"}),
            lambda: world.old_target("protected", DeletionProtection=True),
        ]
        old = list(pool.map(lambda make: make(), guarded))
        before = len(world.journal())
        outcomes = list(pool.map(lambda refusal: _refused(world, refusal), REFUSALS.values()))
    calls = [call for call in world.journal()[before:] if call.by_function]
    return Refused(dict(zip(REFUSALS, outcomes, strict=True)), calls, old)


def _refused(world: World, refusal: Refusal) -> Outcome:
    return world.end_of(world.start(refusal.request), target_of(refusal.request))


@pytest.mark.parametrize("what", REFUSALS)
def test_refused(refused: Refused, what: str) -> None:
    refusal = REFUSALS[what]
    outcome = refused.outcomes[what].expect_failure(refusal.error, *refusal.words)
    assert outcome.states == ["Snapshot Check", "SNS Failure Notification", "Failed"]
    assert [row["event"] for row in outcome.audit] == ["ENTERED", "FAILED", "ENTERED", "LEFT"]


def test_a_refused_run_changes_nothing(refused: Refused) -> None:
    assert refused.calls, "the guards looked at nothing"
    assert [call for call in refused.calls if not call.operation.startswith("Describe")] == []


def test_bad_input_is_refused_before_anything_is_looked_at(refused: Refused) -> None:
    for what in BAD_INPUT:
        [failed] = [row for row in refused.outcomes[what].audit if row["event"] == "FAILED"]
        assert [call for call in failed["api_calls"] if not call.startswith("dynamodb:")] == []


def test_what_the_guards_protect_is_untouched(world: World, refused: Refused, in_one_region: InOneRegion) -> None:
    for old in (*refused.guarded, in_one_region.production.cluster):
        assert world.is_untouched(old)
    assert [name for name in world.cluster_ids() if name.startswith("nowhere")] == []
