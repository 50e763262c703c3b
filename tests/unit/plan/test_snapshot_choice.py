"""Which snapshot a run restores."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.aws import FakeAws
from tests.fakes.rds_items import OTHER_ACCOUNT, Item
from utils.aws.rds_models import Snapshot
from utils.errors import SnapshotNotAvailable, SnapshotNotFound, SnapshotNotRestorable, SnapshotTooOld, UnknownStatus
from utils.plan.source.snapshot_choice import check_age, choose_snapshot
from utils.request.source import Source
from utils.tags import Role, own_tags

ARN = "arn:aws:rds:us-east-1:123456789012:cluster-snapshot:"


def choose(aws: FakeAws, **source: Any) -> Snapshot:
    asked = Source.model_validate({"cluster_id": "prod", "region": "us-east-1"} | source)
    return choose_snapshot(asked, aws.services.rds("us-east-1"), aws.services.settings).snapshot


def shared_snapshot(aws: FakeAws, name: str, account: str = OTHER_ACCOUNT, **other: Any) -> Item:
    """Let a snapshot be shared with us; as in AWS, its identifier is its ARN."""
    arn = f"arn:aws:rds:us-east-1:{account}:cluster-snapshot:{name}"
    return aws.east.has_snapshot(arn, SnapshotType="shared", DBClusterSnapshotArn=arn, **other)


def test_the_newest_available_one_by_creation_time_is_the_latest(aws: FakeAws) -> None:
    aws.east.has_snapshot("zzz-older", hours_old=3)
    aws.east.has_snapshot("aaa-newest", hours_old=0.5)
    assert choose(aws).identifier == "aaa-newest"


def test_another_accounts_snapshot_is_looked_for_in_the_partition_of_the_stack(aws: FakeAws) -> None:
    settings = aws.services_with(SNS_TOPIC_ARN="arn:aws-cn:sns:us-west-2:123456789012:topic").settings
    asked = Source.model_validate(
        {"cluster_id": "prod", "region": "us-east-1", "account_id": OTHER_ACCOUNT, "snapshot": "theirs"}
    )
    with pytest.raises(SnapshotNotFound):
        choose_snapshot(asked, aws.services.rds("us-east-1"), settings)
    (looked_for,) = aws.east.asked("describe_db_cluster_snapshots")
    assert looked_for["DBClusterSnapshotIdentifier"].startswith("arn:aws-cn:rds:us-east-1:")


def test_an_automated_snapshot_may_be_the_latest(aws: FakeAws) -> None:
    aws.east.has_snapshot("rds:prod-2026-11-22-02-30", hours_old=0.5)
    assert choose(aws).identifier == "rds:prod-2026-11-22-02-30"


@pytest.mark.parametrize("status", ["creating", "copying", "failed", "deleting", "something-new"])
def test_what_is_not_available_is_never_the_latest(aws: FakeAws, status: str) -> None:
    aws.east.has_snapshot("newer", hours_old=0.1, Status=status)
    assert choose(aws).identifier == "prod-nightly"


@pytest.mark.parametrize("role", ["copy", "final"])
def test_what_the_pipeline_made_is_never_the_latest_but_may_be_named(aws: FakeAws, role: str) -> None:
    made = [{"Key": "aurora-restore:managed", "Value": "true"}, {"Key": "aurora-restore:role", "Value": role}]
    aws.east.has_snapshot("made-by-us", hours_old=0.1, TagList=made)
    assert choose(aws).identifier == "prod-nightly"
    assert choose(aws, snapshot="made-by-us").identifier == "made-by-us"


def test_a_snapshot_that_people_take_of_a_restored_cluster_is_one_of_theirs(aws: FakeAws) -> None:
    copied = [{"Key": "aurora-restore:managed", "Value": "true"}, {"Key": "aurora-restore:role", "Value": "target"}]
    aws.east.has_snapshot("by-people", hours_old=0.1, TagList=copied)
    assert choose(aws).identifier == "by-people"


def test_a_copy_is_as_old_as_what_it_is_a_copy_of(aws: FakeAws) -> None:
    old = aws.east.has_snapshot("a-week-ago", hours_old=168)
    first = aws.east.has_snapshot("copied-now", hours_old=0.2, SourceDBClusterSnapshotArn=old["DBClusterSnapshotArn"])
    aws.east.has_snapshot("again", hours_old=0.1, SourceDBClusterSnapshotArn=first["DBClusterSnapshotArn"])
    assert choose(aws).identifier == "prod-nightly"
    assert choose(aws, snapshot="copied-now").created_at == old["SnapshotCreateTime"]


def test_a_copy_whose_origin_is_gone_is_as_old_as_it_says(aws: FakeAws) -> None:
    copy = aws.east.has_snapshot("copied-now", hours_old=0.2, SourceDBClusterSnapshotArn=f"{ARN}gone")
    assert choose(aws, snapshot="copied-now").created_at == copy["SnapshotCreateTime"]
    assert choose(aws).identifier == "copied-now"


def test_a_shared_copy_of_an_automated_snapshot_is_as_old_as_the_time_in_that_ones_name(aws: FakeAws) -> None:
    origin = f"arn:aws:rds:us-east-1:{OTHER_ACCOUNT}:cluster-snapshot:rds:prod-2026-11-20-03-05"
    shared_snapshot(aws, "copied-now", hours_old=0.1, SourceDBClusterSnapshotArn=origin)
    chosen = choose(aws, account_id=OTHER_ACCOUNT)
    assert chosen.created_at == datetime(2026, 11, 20, 3, 5, tzinfo=UTC)
    shared_snapshot(aws, "younger-data", hours_old=2)
    assert choose(aws, account_id=OTHER_ACCOUNT).arn.endswith(":younger-data")


@pytest.mark.parametrize("name", ["preupgrade-prod-16-6-to-17-4", "rds:preupgrade-prod-16-6-to-17-4"])
def test_what_aws_took_before_an_upgrade_is_never_the_latest(aws: FakeAws, name: str) -> None:
    aws.east.has_snapshot(name, hours_old=0.1)
    assert choose(aws).identifier == "prod-nightly"


def test_a_snapshot_that_is_still_without_a_time_is_not_the_latest(aws: FakeAws) -> None:
    del aws.east.has_snapshot("newer")["SnapshotCreateTime"]
    assert choose(aws).identifier == "prod-nightly"


def test_a_source_without_snapshots_is_refused_with_what_was_seen(aws: FakeAws) -> None:
    aws.east.snapshots["prod-nightly"]["Status"] = "creating"
    with pytest.raises(SnapshotNotFound, match=r"no available snapshot of cluster prod in us-east-1 \(1 snapshot"):
        choose(aws)


def test_the_latest_of_another_account_is_the_newest_it_shares(aws: FakeAws) -> None:
    shared_snapshot(aws, "old", hours_old=9)
    shared_snapshot(aws, "new", hours_old=5)
    shared_snapshot(aws, "preupgrade-prod-16-6-to-17-4", hours_old=1)
    shared_snapshot(aws, "of-another-cluster", of="crm", hours_old=1)
    shared_snapshot(aws, "of-a-third-account", account="111122223333", hours_old=1)
    assert choose(aws, account_id=OTHER_ACCOUNT).arn == f"arn:aws:rds:us-east-1:{OTHER_ACCOUNT}:cluster-snapshot:new"


def test_an_account_that_shares_nothing_is_named(aws: FakeAws) -> None:
    with pytest.raises(SnapshotNotFound, match=f"shared by account {OTHER_ACCOUNT}"):
        choose(aws, account_id=OTHER_ACCOUNT)


@pytest.mark.parametrize("given", ["prod-nightly", ARN + "prod-nightly"])
def test_a_named_snapshot_is_taken_even_if_there_are_newer_ones(aws: FakeAws, given: str) -> None:
    aws.east.has_snapshot("newer", hours_old=0.1)
    assert choose(aws, snapshot=given).identifier == "prod-nightly"


def test_an_automated_snapshot_can_be_named(aws: FakeAws) -> None:
    aws.east.has_snapshot("rds:prod-2026-11-22-02-30")
    assert choose(aws, snapshot="rds:prod-2026-11-22-02-30").snapshot_type == "automated"


def test_another_accounts_snapshot_can_be_named_by_id_or_arn(aws: FakeAws) -> None:
    arn = shared_snapshot(aws, "nightly")["DBClusterSnapshotArn"]
    assert choose(aws, snapshot="nightly", account_id=OTHER_ACCOUNT).arn == arn
    assert choose(aws, snapshot=arn).arn == arn


def test_an_unknown_name_is_refused(aws: FakeAws) -> None:
    with pytest.raises(SnapshotNotFound, match="no snapshot yesterday in us-east-1"):
        choose(aws, snapshot="yesterday")


def test_an_arn_of_another_region_is_refused(aws: FakeAws) -> None:
    with pytest.raises(SnapshotNotFound, match="the ARN of a snapshot in eu-west-1"):
        choose(aws, snapshot="arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:nightly")


def test_an_arn_of_another_account_than_asked_for_is_refused(aws: FakeAws) -> None:
    with pytest.raises(SnapshotNotFound, match=r"account 123456789012.*source\.account_id = 999988887777"):
        choose(aws, snapshot=ARN + "prod-nightly", account_id=OTHER_ACCOUNT)


def test_a_snapshot_of_another_cluster_is_refused(aws: FakeAws) -> None:
    aws.east.has_snapshot("crm-nightly", of="crm")
    with pytest.raises(
        SnapshotNotFound, match=r"crm-nightly of cluster crm; expected a snapshot of source\.cluster_id"
    ):
        choose(aws, snapshot="crm-nightly")


def test_a_snapshot_of_another_engine_is_refused(aws: FakeAws) -> None:
    aws.east.has_snapshot("mysql", Engine="aurora-mysql")
    with pytest.raises(SnapshotNotRestorable, match="of engine aurora-mysql"):
        choose(aws, snapshot="mysql")


@pytest.mark.parametrize("status", ["creating", "failed"])
def test_a_named_snapshot_that_is_not_available_is_refused(aws: FakeAws, status: str) -> None:
    aws.east.has_snapshot("today", Status=status)
    with pytest.raises(SnapshotNotAvailable, match=f"today with status {status}"):
        choose(aws, snapshot="today")


def test_a_named_snapshot_with_an_unknown_status_is_refused(aws: FakeAws) -> None:
    aws.east.has_snapshot("today", Status="hibernating")
    with pytest.raises(UnknownStatus, match="'hibernating'"):
        choose(aws, snapshot="today")


def test_a_snapshot_may_be_as_old_as_allowed(aws: FakeAws) -> None:
    snapshot = choose(aws)
    assert check_age(snapshot.identifier, snapshot.created_at, 1, aws.clock.now()) == 1
    assert check_age(snapshot.identifier, snapshot.created_at, None, aws.clock.now()) == 1


def test_an_age_is_told_to_the_hundredth_of_an_hour(aws: FakeAws) -> None:
    now = aws.clock.now()
    assert check_age("old", now - timedelta(hours=1, minutes=20), 48, now) == 1.33


def test_an_age_of_weeks_is_exact(aws: FakeAws) -> None:
    now = aws.clock.now()
    assert check_age("old", now - timedelta(hours=500), 500, now) == 500
    with pytest.raises(SnapshotTooOld):
        check_age("old", now - timedelta(hours=500), 499.9, now)


def test_a_snapshot_that_is_too_old_is_refused_with_its_age(aws: FakeAws) -> None:
    snapshot = choose(aws)
    aws.clock.advance(hours=48)
    with pytest.raises(SnapshotTooOld, match=r"of 2026-11-22 02:00 UTC, 49\.0 hours old.*max_age_hours = 48"):
        check_age(snapshot.identifier, snapshot.created_at, 48, aws.clock.now())


def test_a_snapshot_without_a_time_has_no_age(aws: FakeAws) -> None:
    del aws.east.snapshots["prod-nightly"]["SnapshotCreateTime"]
    snapshot = choose(aws, snapshot="prod-nightly")
    with pytest.raises(SnapshotNotAvailable, match="without a creation time"):
        check_age(snapshot.identifier, snapshot.created_at, None, aws.clock.now())


def test_a_snapshot_of_a_clock_that_is_ahead_is_new_and_not_of_a_negative_age(aws: FakeAws) -> None:
    aws.east.has_snapshot("of-tomorrow", hours_old=-24)
    snapshot = choose(aws, snapshot="of-tomorrow")
    assert check_age(snapshot.identifier, snapshot.created_at, 1, aws.clock.now()) == 0


def test_what_is_not_restored_is_named_with_the_reason_the_newest_first(aws: FakeAws) -> None:
    aws.east.has_snapshot("older", hours_old=5)
    aws.east.has_snapshot("preupgrade-prod-1", hours_old=0.4)
    aws.east.has_snapshot("in-the-making", hours_old=0.1, Status="creating")
    final = own_tags(Role.FINAL, "nightly-0", "prod")
    aws.east.has_snapshot("final-of-the-pipeline", hours_old=0.3, tags=final)
    aws.east.has_snapshot("of-another-engine", hours_old=0.2, Engine="aurora-mysql")
    aws.east.has_snapshot("of-another-cluster", "billing", hours_old=0.2)
    asked = Source.model_validate({"cluster_id": "prod", "region": "us-east-1"})
    choice = choose_snapshot(asked, aws.services.rds("us-east-1"), aws.services.settings)
    assert choice.snapshot.identifier == "prod-nightly"
    assert [(other.identifier, other.why) for other in choice.rejected] == [
        ("in-the-making", "its status is creating"),
        ("of-another-engine", "of engine aurora-mysql"),
        ("final-of-the-pipeline", "the pipeline's own (final)"),
        ("preupgrade-prod-1", "taken by AWS before an upgrade"),
        ("older", "older: of 2026-11-21 22:00 UTC"),
    ]
