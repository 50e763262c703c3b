"""Before, wanted, after: what is counted, what is told, what stops the run."""

from typing import Any

import pytest

from utils.cluster_settings.comparison import Comparison, Severity, compare
from utils.cluster_settings.model import Member, TargetSettings
from utils.cluster_settings.origins import Origin
from utils.cluster_settings.values import Insights, Monitoring

MEMBER = Member(identifier="staging-1", instance_class="db.r8g.large")
BEFORE = TargetSettings(
    engine_version="17.4", port=5432, kms_key_id="arn:aws:kms:us-west-2:1:key/k", tags={"a": "b"}, members=[MEMBER]
)


def compared(
    before: TargetSettings | None = BEFORE, wanted: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> Comparison:
    want = BEFORE.model_copy(update=wanted or {})
    found = want.model_copy(update=after or {})
    origins = dict.fromkeys(wanted or {}, Origin.REQUEST)
    return compare(before, want, found, origins, [])


def test_what_came_out_as_it_was_is_counted() -> None:
    found = compared()
    assert (found.changed, found.differences) == ([], [])
    assert str(found) == f"{found.as_before} settings as before"


def test_another_version_is_no_change_of_a_setting() -> None:
    assert str(compared(wanted={"engine_version": "17.5"})).endswith("settings as before")
    assert [item.path for item in compared(after={"engine_version": "17.5"}).differences] == ["engine_version"]


def test_what_nobody_asked_for_and_no_target_had_is_awss_to_choose() -> None:
    assert (
        compared(after={"backup_window": "03:00-03:30", "maintenance_window": "sun:05:00-sun:05:30"}).differences == []
    )


def test_without_a_target_before_only_what_was_wanted_is_compared() -> None:
    found = compared(before=None, wanted={"port": 6000})
    assert (found.as_before, found.changed_count, found.differences) == (0, 0, [])
    assert str(found) == "none: there was no target before"


@pytest.mark.parametrize(
    ("nothing", "nothing_else"),
    [
        ({"log_exports": []}, {"log_exports": None}),
        ({"data_api": False}, {"data_api": None}),
        ({"monitoring": Monitoring(interval_seconds=0)}, {"monitoring": None}),
        ({"insights": Insights(enabled=False)}, {"insights": None}),
    ],
)
def test_nothing_is_the_same_as_nothing(nothing: dict[str, Any], nothing_else: dict[str, Any]) -> None:
    assert compared(wanted=nothing, after=nothing_else).differences == []


def test_the_order_of_a_list_says_nothing() -> None:
    groups = {"security_group_ids": ["sg-1", "sg-2"]}
    assert compared(wanted=groups, after={"security_group_ids": ["sg-2", "sg-1"]}).differences == []


def test_zones_that_rds_adds_are_no_difference() -> None:
    zones = {"availability_zones": ["us-west-2a"]}
    assert compared(wanted=zones, after={"availability_zones": ["us-west-2a", "us-west-2c"]}).differences == []
    (moved,) = compared(wanted=zones, after={"availability_zones": ["us-west-2c"]}).differences
    assert moved.path == "availability_zones"


def test_a_key_is_the_same_by_id_and_by_arn() -> None:
    assert compared(wanted={"kms_key_id": "k"}, after={"kms_key_id": "arn:aws:kms:us-west-2:1:key/k"}).differences == []


@pytest.mark.parametrize(
    ("path", "wanted", "found", "severity"),
    [
        ("security_group_ids", ["sg-1"], ["sg-2"], Severity.SAFETY),
        ("deletion_protection", True, False, Severity.SAFETY),
        ("data_api", True, False, Severity.TOLD),
        ("backup_retention_days", 14, 1, Severity.TOLD),
    ],
)
def test_a_difference_is_as_grave_as_its_setting(path: str, wanted: Any, found: Any, severity: Severity) -> None:
    (difference,) = compared(wanted={path: wanted}, after={path: found}).differences
    assert (difference.path, difference.severity) == (path, severity)
    assert str(difference) == f"{path}: wanted {wanted}, found {found}"


def test_a_member_that_is_missing_and_one_that_is_smaller_are_told() -> None:
    smaller = MEMBER.model_copy(update={"instance_class": "db.t4g.medium"})
    assert [item.path for item in compared(after={"members": [smaller]}).differences] == [
        "members.staging-1.instance_class"
    ]
    assert "members.staging-1" in [item.path for item in compared(after={"members": []}).differences]


def test_many_differences_are_named_up_to_a_number_that_fits_into_a_row() -> None:
    many = [Member(identifier=f"staging-{n}", instance_class="db.r8g.large") for n in range(16)]
    found = compared(wanted={"members": many}, after={"members": []})
    assert len(found.differences) == 20
    assert all(len(str(item)) < 400 for item in found.differences)


def test_what_stops_the_run_is_never_among_the_differences_that_are_too_many() -> None:
    many = [Member(identifier=f"staging-{n}", instance_class="db.r8g.large") for n in range(30)]
    found = compared(wanted={"members": many, "security_group_ids": ["sg-1"]}, after={"security_group_ids": ["sg-2"]})
    assert [item.path for item in found.unsafe] == ["security_group_ids"]
    last = [one.model_copy(update={"publicly_accessible": False}) for one in many]
    opened = [
        one.model_copy(update={"instance_class": "db.r8g.xlarge", "publicly_accessible": one is last[-1]})
        for one in last
    ]
    found = compared(wanted={"members": last}, after={"members": opened})
    assert [item.path for item in found.unsafe] == ["members.staging-29.publicly_accessible"]


def test_what_the_stack_decided_is_told_by_name_and_was_asked_for_by_nobody() -> None:
    wanted = BEFORE.model_copy(update={"kms_key_id": "arn:aws:kms:us-west-2:1:key/stack", "port": 6000})
    origins = {"kms_key_id": Origin.STACK, "port": Origin.REQUEST}
    found = compare(BEFORE, wanted, wanted, origins, [])
    assert (found.changed, found.changed_by_stack) == (["port"], ["kms_key_id"])
    assert str(found).endswith("1 changed as asked, 1 as the stack has it: kms_key_id")


def test_what_the_plan_does_not_take_over_and_nobody_asked_for_is_told_by_name() -> None:
    wanted = BEFORE.model_copy(update={"port": None, "tags": {}})
    after = wanted.model_copy(update={"port": 5444})
    found = compare(BEFORE, wanted, after, {"port": Origin.AWS_DEFAULT, "tags": Origin.OLD_TARGET}, [])
    assert found.changed_otherwise == ["port", "tags"]
    assert str(found).endswith("2 not taken over: port, tags")


def test_an_instance_that_the_request_does_without_is_one_change_that_was_asked_for() -> None:
    before = BEFORE.model_copy(update={"members": [MEMBER, MEMBER.model_copy(update={"identifier": "staging-2"})]})
    found = compare(before, BEFORE, BEFORE, {}, [])
    assert (found.changed, found.changed_otherwise) == (["members.staging-2"], [])


def test_what_aws_chose_where_nothing_was_known_is_no_loss() -> None:
    assert compared(after={"backup_window": "03:00-03:30"}).changed_otherwise == []
