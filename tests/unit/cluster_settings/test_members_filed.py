"""Every member of RDS's operations is filed: what AWS adds fails here until somebody has decided what becomes of it."""

import botocore.session
import pytest

from utils.cluster_settings.attached_filed import ATTACHED
from utils.cluster_settings.members_filed import FILED, Fate, Filed
from utils.cluster_settings.model import ClusterSettings, Member, MemberOptions, TargetSettings

# What has a value of its own without a member of one of the operations: other operations set it.
BY_OTHER_OPERATIONS = {"data_api", "custom_endpoints", "reader_scaling", "proxies", "event_subscriptions"}


def members_of(operation: str, service: str = "rds") -> set[str]:
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    assert model.input_shape is not None
    return set(model.input_shape.members)


@pytest.mark.parametrize("operation", FILED)
def test_each_member_is_filed_in_one_place_with_a_reason(operation: str) -> None:
    assert set(FILED[operation]) == members_of(operation)
    assert all(filed.why for filed in FILED[operation].values())


@pytest.mark.parametrize(("service", "operation"), ATTACHED)
def test_each_member_of_what_puts_back_what_hangs_on_a_cluster_is_filed(service: str, operation: str) -> None:
    filed = ATTACHED[service, operation]
    assert set(filed) == members_of(operation, service)
    assert {one.why for one in filed.values() if one.fate is Fate.CARRIED} <= BY_OTHER_OPERATIONS


def test_a_member_that_is_new_to_us_is_noticed() -> None:
    known = dict(FILED["CreateDBInstance"])
    del known["PromotionTier"]
    assert members_of("CreateDBInstance") - set(known) == {"PromotionTier"}


@pytest.mark.parametrize("operation", FILED)
def test_what_is_carried_is_a_setting(operation: str) -> None:
    model = MemberOptions if operation.endswith("DBInstance") else TargetSettings
    assert {filed.why for filed in carried(operation)} <= set(model.model_fields)


def test_every_setting_is_carried_by_a_member_or_by_an_operation_of_its_own() -> None:
    of_cluster = {filed.why for name in ("RestoreDBClusterFromSnapshot", "ModifyDBCluster") for filed in carried(name)}
    assert set(ClusterSettings.model_fields) - of_cluster == BY_OTHER_OPERATIONS
    of_member = {filed.why for filed in carried("CreateDBInstance")}
    # Public access is asked for, never carried.
    assert set(Member.model_fields) - of_member == {"identifier", "publicly_accessible"}


def carried(operation: str) -> list[Filed]:
    return [filed for filed in FILED[operation].values() if filed.fate is Fate.CARRIED]
