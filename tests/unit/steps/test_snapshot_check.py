"""Step 1: the plan is made, and whatever is wrong is said before anything is touched."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.aws import ENVIRONMENT, EXECUTION_ARN, KEY_ARN, OPERATION, REPLACEABLE_TAG, FakeAws
from tests.fakes.rds_items import OTHER_ACCOUNT, Item
from utils import errors
from utils.operation.state_table import lock_key
from utils.runtime.contract import StartEvent, StepStatus
from utils.steps.snapshot_check import snapshot_check

LOCK = lock_key("us-west-2", "staging")


def refused(aws: FakeAws, error: type[errors.PermanentError], **request: Any) -> errors.PermanentError:
    """Start a run that must be refused without a trace in RDS, the rows, or the locks."""
    with pytest.raises(error) as caught:
        aws.start(**request)
    assert aws.east.changes + aws.west.changes == []
    assert aws.operations.rows == {}
    assert aws.operations.locks == {}
    return caught.value


def test_an_empty_request_plans_a_copy_and_a_restore(aws: FakeAws) -> None:
    result = aws.start()

    assert result.status is StepStatus.READY
    operation = aws.operation
    assert (operation.snapshot.identifier, operation.snapshot.region) == ("prod-nightly", "us-east-1")
    assert operation.snapshot.age_hours == 1
    assert operation.identifiers.instance_ids == ["staging-1"]
    assert (operation.plan.copy_needed, operation.plan.delete_target) == (True, False)
    assert (operation.plan.copy_kms_key_id, operation.plan.settings.kms_key_id) == (KEY_ARN, KEY_ARN)
    assert result.details["actions"] == operation.plan.actions
    assert result.details["verify_network_of"] == "", "there is none yet"
    assert aws.east.changes + aws.west.changes == []


def test_the_network_is_tried_on_an_old_target_that_gives_it_to_the_new_one(aws: FakeAws) -> None:
    aws.has_old_target()
    assert aws.start().details["verify_network_of"] == "staging"


def test_the_network_is_not_tried_on_a_target_that_cannot_answer(aws: FakeAws) -> None:
    aws.has_old_target()
    for instance in aws.west.instances.values():
        instance["DBInstanceStatus"] = "incompatible-network"
    assert aws.start().details["verify_network_of"] == "", "what a failed run left must be healed by the next"


def test_the_network_of_an_old_target_says_nothing_of_another(aws: FakeAws) -> None:
    aws.has_old_target()
    assert aws.start(target={"security_group_ids": ["sg-0fedcba9876543210"]}).details["verify_network_of"] == ""


def test_over_an_old_target_the_plan_has_its_end_and_its_final_snapshot(aws: FakeAws) -> None:
    old = aws.has_old_target()
    aws.start()

    plan = aws.operation.plan
    assert (plan.delete_target, plan.take_final_snapshot) == (True, True)
    assert plan.old_target_resource_id == old["DbClusterResourceId"]
    assert aws.operation.old_target is not None
    assert aws.operation.old_target.member_ids == ("staging-1", "staging-2")
    assert [sentence.split(" ", 1)[0] for sentence in plan.actions] == [
        "take", "copy", "snapshot", "delete", "restore", "create", "reset", "keep",
    ]  # fmt: skip


def test_without_a_final_snapshot_the_plan_says_so_by_leaving_it_out(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.start(final_snapshot=False)
    assert not aws.operation.plan.take_final_snapshot
    assert not any("snapshot the old" in sentence for sentence in aws.operation.plan.actions)


def test_an_unencrypted_snapshot_is_copied_without_a_key_and_encrypted_by_the_restore(aws: FakeAws) -> None:
    del aws.east.snapshots["prod-nightly"]["KmsKeyId"]
    aws.start()
    assert aws.operation.plan.copy_kms_key_id is None
    assert aws.operation.plan.settings.kms_key_id == KEY_ARN


def test_a_snapshot_in_the_target_region_is_restored_where_it_is(aws: FakeAws) -> None:
    aws.west.has_snapshot("prod-local")
    aws.start(source={"region": "us-west-2"})
    plan = aws.operation.plan
    assert not plan.copy_needed
    assert plan.copy_reason == "the snapshot is in the target Region and account"
    assert "restore staging from prod-local with version 17.4" in plan.actions


def test_another_accounts_snapshot_is_copied_even_within_the_region(aws: FakeAws) -> None:
    arn = f"arn:aws:rds:us-west-2:{OTHER_ACCOUNT}:cluster-snapshot:shared"
    aws.west.has_snapshot(arn, DBClusterSnapshotArn=arn, SnapshotType="shared")
    aws.start(source={"region": "us-west-2", "account_id": OTHER_ACCOUNT})
    assert aws.operation.plan.copy_needed
    assert OTHER_ACCOUNT in aws.operation.plan.copy_reason


def test_a_second_call_finds_the_row_and_answers_the_same(aws: FakeAws) -> None:
    first = aws.start()
    aws.east.has_snapshot("newer", hours_old=0.1)
    assert aws.start() == first
    assert aws.operation.version == 0


def test_a_dry_run_plans_and_takes_no_lock(aws: FakeAws) -> None:
    result = aws.start(dry_run=True)
    assert result.status is StepStatus.DRY_RUN
    assert aws.operation.plan.actions
    assert aws.operations.locks == {}


@pytest.mark.parametrize(
    ("request_", "hours"),
    [
        ({}, 1 + 2 + 10 + 10),
        ({"strategy": "swap"}, 1 + 2 + 10 + 10 + 10 + 10),
        ({"on_failure": "bring_back"}, 1 + 2 + 10 + 10 + 2 + 10),
        ({"approval": {"timeout_hours": 5}}, 1 + 2 + 10 + 10 + 5),
    ],
)
def test_a_run_locks_its_target_for_longer_than_its_phases_may_take(
    aws: FakeAws, request_: dict[str, Any], hours: int
) -> None:
    aws.start(budgets={"copy_hours": 1, "delete_hours": 2, "restore_hours": 10}, **request_)
    lock = aws.operations.locks[LOCK]
    assert (lock.holder, lock.execution_arn) == (OPERATION, EXECUTION_ARN)
    assert lock.expires_at - lock.acquired_at == timedelta(hours=hours + 2)


def start_another(aws: FakeAws) -> None:
    event = StartEvent(operation_id="nightly-2", execution_arn="arn:second", request={})
    snapshot_check(event, aws.services)


def test_while_another_run_holds_the_target_nothing_starts(aws: FakeAws) -> None:
    aws.start()
    aws.executions.running.add(EXECUTION_ARN)
    with pytest.raises(errors.OperationInProgress) as refusal:
        start_another(aws)
    assert f"operation {OPERATION} on staging since" in str(refusal.value)
    assert EXECUTION_ARN in str(refusal.value)
    assert aws.operations.locks[LOCK].holder == OPERATION


def test_the_lock_of_a_run_that_is_over_is_taken_over(aws: FakeAws) -> None:
    aws.start()
    start_another(aws)
    assert aws.operations.locks[LOCK].holder == "nightly-2"


def test_an_operation_that_ended_is_not_run_again_under_its_name(aws: FakeAws) -> None:
    aws.start()
    operation = aws.operation
    operation.finished_at = operation.created_at
    aws.operations.save(operation)
    with pytest.raises(errors.OperationClosed, match="operation nightly-1, which ended 20"):
        aws.start()


def test_a_bad_request_is_refused(aws: FakeAws) -> None:
    assert refused(aws, errors.InvalidRequest, sourc={}).field == "sourc"


def test_a_snapshot_that_is_too_old_is_refused(aws: FakeAws) -> None:
    refused(aws, errors.SnapshotTooOld, source={"max_age_hours": 0.5})


def test_a_missing_snapshot_is_refused(aws: FakeAws) -> None:
    refused(aws, errors.SnapshotNotFound, source={"snapshot": "yesterday"})


@pytest.mark.parametrize("key", ["alias/aws/rds", f"arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:alias/aws/rds"])
def test_another_accounts_default_key_cannot_be_used(aws: FakeAws, key: str) -> None:
    arn = f"arn:aws:rds:us-east-1:{OTHER_ACCOUNT}:cluster-snapshot:shared"
    aws.east.has_snapshot(arn, DBClusterSnapshotArn=arn, SnapshotType="shared", KmsKeyId=key)
    refused(aws, errors.SnapshotNotRestorable, source={"account_id": OTHER_ACCOUNT})


def test_the_source_cluster_is_never_the_target(aws: FakeAws) -> None:
    aws.west.has_cluster("prod", tags=REPLACEABLE_TAG)
    aws.west.has_snapshot("local", of="prod")
    request = {"source": {"region": "us-west-2"}, "target": {"cluster_id": "prod"}}
    refused(aws, errors.TargetIsSource, **request)


def test_a_renamed_source_cluster_is_known_by_its_resource_id(aws: FakeAws) -> None:
    aws.has_old_target(DbClusterResourceId="cluster-PROD")
    aws.east.snapshots["prod-nightly"]["DbClusterResourceId"] = "cluster-PROD"
    refused(aws, errors.TargetIsSource)


def test_a_cluster_of_the_sources_name_in_another_region_may_be_the_target(aws: FakeAws) -> None:
    aws.west.has_cluster("prod", tags=REPLACEABLE_TAG)
    aws.start(target={"cluster_id": "prod"})
    assert aws.operation.plan.delete_target


@pytest.mark.parametrize("tags", [{}, {"aurora-restore:replaceable": "false"}, {"aurora-restore:replaceable": "True"}])
def test_a_target_without_the_tag_is_refused(aws: FakeAws, tags: dict[str, str]) -> None:
    aws.west.has_cluster("staging", tags=tags)
    assert refused(aws, errors.TargetNotReplaceable).field == "target.cluster_id"


def test_a_target_with_an_untagged_instance_is_refused(aws: FakeAws) -> None:
    aws.has_old_target()
    aws.west.has_instance("staging-reporting", "staging")
    assert "staging-reporting" in str(refused(aws, errors.TargetNotReplaceable))


def test_a_protected_target_is_refused_unless_overridden(aws: FakeAws) -> None:
    aws.has_old_target(DeletionProtection=True)
    refused(aws, errors.TargetProtected)
    aws.start(override_deletion_protection=True)


def test_a_member_of_a_global_cluster_is_refused(aws: FakeAws) -> None:
    aws.has_old_target(GlobalClusterIdentifier="world")
    refused(aws, errors.TargetInGlobalCluster)


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion", "PendingImport", "Unavailable"])
def test_a_key_that_cannot_be_used_is_refused(aws: FakeAws, state: str) -> None:
    aws.kms.states["alias/aurora-restore-secrets"] = state
    assert state in str(refused(aws, errors.KeyNotUsable))


@pytest.mark.parametrize(
    ("version", "words"),
    [("16.6", "older than the snapshot's 17.4"), ("17.9", "which the target Region does not offer")],
)
def test_an_engine_version_that_cannot_be_restored_is_refused(aws: FakeAws, version: str, words: str) -> None:
    assert words in str(refused(aws, errors.EngineVersionNotRestorable, target={"engine_version": version}))


def test_versions_are_compared_as_numbers(aws: FakeAws) -> None:
    aws.west.engine_versions.add("17.10")
    aws.start(target={"engine_version": "17.10"})


@pytest.mark.parametrize("setting", ["subnet_group", "cluster_parameter_group"])
def test_a_group_that_does_not_exist_is_refused(aws: FakeAws, setting: str) -> None:
    error = refused(aws, errors.SettingNotFound, target={setting: "nowhere"})
    assert error.field == f"target.{setting}"


def test_serverless_instances_without_a_capacity_are_refused(aws: FakeAws) -> None:
    error = refused(aws, errors.InvalidRequest, target={"instances": {"instance_class": "db.serverless"}})
    assert error.field == "target.serverless_v2"


def test_serverless_instances_with_a_capacity_are_planned(aws: FakeAws) -> None:
    capacity = {"min_capacity": 0.5, "max_capacity": 4}
    aws.start(target={"instances": {"instance_class": "db.serverless"}, "serverless_v2": capacity})
    assert aws.operation.plan.settings.classes == {"db.serverless": 1}


def test_an_instance_name_that_another_cluster_has_is_refused(aws: FakeAws) -> None:
    aws.west.has_instance("staging-1", "somebody-elses")
    error = refused(aws, errors.IdentifierTaken)
    assert "instance staging-1 of cluster somebody-elses" in str(error)


def has_lock_of_this_run(aws: FakeAws) -> Item:
    return {key: lock.holder for key, lock in aws.operations.locks.items()}


def test_what_may_pass_keeps_the_lock_for_the_next_try(aws: FakeAws) -> None:
    aws.west.fail("describe_db_clusters", "Throttling")
    with pytest.raises(errors.AwsThrottled):
        aws.start()
    assert has_lock_of_this_run(aws) == {LOCK: OPERATION}
    aws.start()


def users(aws: FakeAws, **more: Any) -> None:
    """Put more entries into the secret of the users."""
    name = ENVIRONMENT["APP_SECRET_NAME"]
    aws.secrets.values[name] = json.dumps(json.loads(aws.secrets.values[name]) | more)


def test_a_secret_of_the_users_that_cannot_be_used_stops_the_run_here(aws: FakeAws) -> None:
    aws.has_old_target()
    users(aws, readonly_user={"username": "reader", "password": "PLACEHOLDER"})
    assert "password" in str(refused(aws, errors.SecretInvalid))


def test_the_masters_secret_is_not_read_here(aws: FakeAws) -> None:
    del aws.secrets.values[ENVIRONMENT["MASTER_SECRET_NAME"]]
    assert aws.start().status is StepStatus.READY


def test_users_of_iam_need_a_target_with_iam_authentication(aws: FakeAws) -> None:
    aws.has_old_target()
    users(aws, reports={"username": "reports", "profile": "readonly", "auth": "iam"})
    error = refused(aws, errors.InvalidRequest)
    assert "target.iam_authentication: found no IAM authentication, with auth iam for reports" in str(error)
    aws.start(target={"iam_authentication": True})
    assert aws.operation.plan.settings.iam_authentication


def test_users_of_ours_cannot_be_kept_as_they_are(aws: FakeAws) -> None:
    error = refused(aws, errors.InvalidRequest, keep_logins=["auditor", "reader"])
    assert "keep_logins: found reader" in str(error)


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, "no such object"), (b"\xff", "not UTF-8"), (b"\\copy people from 'file'", "psql"), (b"COMMIT", "COMMIT")],
)
def test_a_script_that_cannot_be_run_stops_the_run_here(aws: FakeAws, content: bytes | None, found: str) -> None:
    aws.has_old_target()
    uri = "s3://bucket/post-restore-sql/mask.sql"
    if content is not None:
        aws.s3.objects[uri] = content
    error = refused(aws, errors.PostRestoreSqlFailed, post_restore_sql=[{"s3_uri": uri, "database": "shop"}])
    assert uri in str(error)
    assert found in str(error)


@pytest.mark.parametrize("name", ["it's-me!", "refresh(2)", "\N{PARTY POPPER}"])
def test_an_execution_whose_name_is_no_tag_is_refused(aws: FakeAws, name: str) -> None:
    event = StartEvent(operation_id=name, execution_arn=EXECUTION_ARN, request={})
    with pytest.raises(errors.InvalidRequest, match="which RDS takes as a tag"):
        snapshot_check(event, aws.services)
    assert aws.operations.locks == {}


@pytest.mark.parametrize("name", ["drill-1-afterwards", "nightly-1-retirement"])
def test_an_execution_with_the_name_of_what_follows_another_is_refused(aws: FakeAws, name: str) -> None:
    event = StartEvent(operation_id=name, execution_arn=EXECUTION_ARN, request={})
    with pytest.raises(errors.InvalidRequest, match="not -retirement or -afterwards as its end"):
        snapshot_check(event, aws.services)
    assert aws.operations.locks == {}


@pytest.mark.parametrize(
    ("sql", "words"),
    [("SELECT 1; SELECT 2", "2 statements in check 'names'"), ("-- nothing", "0 statements"), ("SELECT 'x", "names")],
)
def test_a_check_that_can_never_be_asked_is_refused(aws: FakeAws, sql: str, words: str) -> None:
    checks = [{"name": "names", "database": "shop", "sql": sql, "expect": 0}]
    error = refused(aws, errors.InvalidRequest, checks=checks)
    assert (error.field, words in str(error)) == ("checks", True)


def test_every_instance_that_endpoints_and_subscriptions_name_in_vain_is_named_once(aws: FakeAws) -> None:
    endpoints = [
        {"identifier": "one", "kind": "ANY", "static_members": ["x"], "excluded_members": ["x"]},
        {"identifier": "two", "kind": "ANY", "static_members": ["y"]},
    ]
    observed = [{"name": "told", "source_ids": ["z"]}]
    error = refused(aws, errors.InvalidRequest, target={"custom_endpoints": endpoints, "event_subscriptions": observed})
    assert str(error).startswith("target.custom_endpoints: found x, y, which the target will not have")
    assert "1 more problem: (2) target.event_subscriptions: found z, which" in str(error)


def test_every_script_check_and_instance_that_does_not_fit_is_named_at_once(aws: FakeAws) -> None:
    scripts = [{"s3_uri": f"s3://code/post-restore-sql/{name}.sql", "database": "shop"} for name in ("psql", "none")]
    aws.s3.objects[scripts[0]["s3_uri"]] = b"\\connect shop"
    checks = [{"name": name, "database": "shop", "sql": "SELECT 1; SELECT 2", "expect": 0} for name in ("a", "b")]
    instances = {"named": {"unheard-of": {"instance_class": "db.r8g.large"}}}
    error = refused(
        aws, errors.InvalidRequest, post_restore_sql=scripts, checks=checks, target={"instances": instances}
    )
    for words in (
        "checks: found 2 statements in check 'a'",
        "checks: found 2 statements in check 'b'",
        "post_restore_sql, s3://code/post-restore-sql/psql.sql: found ",
        "post_restore_sql, s3://code/post-restore-sql/none.sql: found ",
        "target.instances.named: found unheard-of",
    ):
        assert str(error).count(words) == 1
    assert "; 4 more problems: (2) " in str(error)
    assert [str(error).count(f"({number}) ") for number in (2, 3, 4, 5)] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "other",
    [{"Engine": "aurora-mysql"}, {"Engine": "docdb"}, {"Engine": "postgres"}, {"EngineMode": "serverless"}],
    ids=lambda other: "-".join(other.values()),
)
def test_a_tagged_target_of_another_engine_is_refused(aws: FakeAws, other: dict[str, str]) -> None:
    aws.has_old_target().update(other)
    error = refused(aws, errors.TargetNotReplaceable)
    assert error.field == "target.cluster_id"
    assert "aurora-postgresql, provisioned" in str(error)


@pytest.mark.parametrize(("pattern", "is_taken"), [("*", True), ("stag*", True), ("staging", True), ("dev-*", False)])
def test_a_target_that_the_roles_may_not_touch_is_refused_at_once(aws: FakeAws, pattern: str, is_taken: bool) -> None:
    aws.services = aws.services_with(TARGET_CLUSTER_PATTERN=pattern)
    if is_taken:
        assert aws.start().status is StepStatus.READY
        return
    with pytest.raises(errors.InvalidRequest, match="a name like dev-\\*, as the stack parameter TargetClusterPattern"):
        aws.start()
    assert aws.operations.rows == {}
    assert aws.operations.locks == {}
