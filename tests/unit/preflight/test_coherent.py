"""What AWS would refuse after the deletion, as far as the settings alone show it, is refused with the plan."""

from typing import Any

import pytest

from tests.fakes import away_from_default
from tests.fakes.aws import FakeAws
from tests.unit.steps.rebuild import settings_now
from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin
from utils.errors import InvalidRequest
from utils.preflight.coherent import look_at_coherence
from utils.preflight.looks import Preflight

ROLE = "arn:aws:iam::123456789012:role/x"
SCALING = {"min_readers": 0, "max_readers": 4}
MEMBER = {"identifier": "a", "maintenance_window": "tue:04:45-tue:05:15"}
ENDPOINT = {"identifier": "x", "kind": "ANY"}
POLICY = {"name": "cpu", "kind": "TargetTrackingScaling", "configuration": "{}"}
NIGHT = {"name": "night", "schedule": "cron(0 22 * * ? *)"}


def looked_at(**settings: Any) -> None:
    preflight = Preflight()
    asked = dict.fromkeys(settings, Origin.REQUEST)
    look_at_coherence(preflight, TargetSettings.model_validate({"engine_version": "17.4"} | settings), asked)
    preflight.raise_problems()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"backup_window": "03:00-03:10"}, "target.backup_window: found 03:00-03:10; expected at least 30 minutes"),
        ({"backup_window": "03:00-03:00"}, "target.backup_window: found 03:00-03:00"),
        ({"maintenance_window": "sun:05:00-sun:05:10"}, "target.maintenance_window: found sun:05:00-sun:05:10"),
        ({"maintenance_window": "sun:05:00-mon:05:00"}, "less than 24 hours"),
        (
            {"backup_window": "05:00-06:00", "maintenance_window": "sun:05:30-sun:06:30"},
            "a time without the backup window 05:00-06:00",
        ),
        ({"backup_window": "23:50-00:30", "maintenance_window": "mon:00:00-mon:00:40"}, "without the backup window"),
        ({"backup_window": "23:50-00:30", "maintenance_window": "sun:23:30-mon:00:10"}, "without the backup window"),
        (
            {
                "backup_window": "05:00-06:00",
                "members": [MEMBER],
            },
            "target.instances.named.a.maintenance_window",
        ),
        ({"associated_roles": [{"role_arn": "nonsense"}]}, "target.associated_roles: found 'nonsense'"),
        ({"associated_roles": [{"role_arn": ROLE}] * 2}, "the same role for the same feature twice"),
        ({"monitoring": {"interval_seconds": 60, "role_arn": "x"}}, "target.monitoring.role_arn: found 'x'"),
        ({"domain": {"directory_id": "nonsense"}}, "target.domain.directory_id: found 'nonsense'"),
        (
            {"domain": {"directory_id": "d-926example", "role_name": "arn:aws:iam::123456789012:role/kerberos"}},
            "target.domain.role_name: found 'arn:aws:iam::123456789012:role/kerberos'; expected the name of",
        ),
        (
            {"domain": {"directory_id": "d-926example", "role_name": "service-role/kerberos"}},
            "target.domain.role_name: found 'service-role/kerberos'; expected the name of",
        ),
        ({"insights": {"enabled": True, "retention_days": 8}}, "target.insights.retention_days: found 8"),
        ({"insights": {"enabled": True, "retention_days": -31}}, "target.insights.retention_days: found -31"),
        ({"insights_mode": "advanced"}, "target.insights_mode: found advanced"),
        ({"insights_mode": "advanced", "insights": {"enabled": True, "retention_days": 31}}, "kept 465 days or longer"),
        ({"custom_endpoints": [{"identifier": "\u00fcn!", "kind": "ANY"}]}, "an identifier of letters"),
        ({"custom_endpoints": [{"identifier": "x", "kind": "WRITER"}]}, "found 'WRITER'; expected READER or ANY"),
        ({"custom_endpoints": [{"identifier": "x", "kind": "ANY"}, {"identifier": "X", "kind": "ANY"}]}, "twice"),
        (
            {"custom_endpoints": [ENDPOINT | {"static_members": ["a"], "excluded_members": ["b"]}]},
            "either static_members or excluded_members",
        ),
        ({"reader_scaling": {"min_readers": 5, "max_readers": 1}}, "found 5 to 1; expected 0 to 15, the lower first"),
        ({"reader_scaling": {"min_readers": 0, "max_readers": 16}}, "found 0 to 16"),
        ({"reader_scaling": SCALING | {"suspended": ["everything"]}}, "target.reader_scaling.suspended"),
        ({"reader_scaling": SCALING | {"policies": [POLICY | {"kind": "Odd"}]}}, "found 'Odd'"),
        ({"reader_scaling": SCALING | {"policies": [POLICY | {"configuration": "no json"}]}}, "that is JSON"),
        ({"reader_scaling": SCALING | {"policies": [POLICY | {"configuration": "[]"}]}}, "that is JSON"),
        ({"reader_scaling": SCALING | {"policies": [POLICY | {"configuration": "[" * 50_000}]}}, "that is JSON"),
        ({"reader_scaling": SCALING | {"scheduled": [{"name": "x", "schedule": "each day"}]}}, "found 'each day'"),
        ({"reader_scaling": SCALING | {"scheduled": [NIGHT | {"time_zone": "Berlin"}]}}, "scheduled: found 'Berlin'"),
        ({"reader_scaling": SCALING | {"scheduled": [NIGHT | {"time_zone": ""}]}}, "such as UTC or Europe/Berlin"),
        (
            {"insights": {"enabled": True, "kms_key_id": ""}},
            "target.insights.kms_key_id: found nothing; expected a KMS",
        ),
    ],
)
def test_what_aws_refuses_is_refused_by_its_field(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        looked_at(**settings)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"backup_window": "23:50-00:20", "maintenance_window": "mon:00:20-mon:00:50"},
        {"backup_window": "05:00-05:30", "maintenance_window": "sun:23:45-mon:00:15"},
        {"insights": {"enabled": True, "retention_days": 62}},
        {"insights": {"enabled": False, "retention_days": 8}},
        {"insights_mode": "advanced", "insights": {"enabled": True, "retention_days": 465}},
        {"associated_roles": [{"role_arn": ROLE, "feature": "s3Import"}, {"role_arn": ROLE, "feature": "s3Export"}]},
        {"reader_scaling": SCALING | {"policies": [POLICY], "scheduled": [{"name": "x", "schedule": "rate(1 day)"}]}},
        {"reader_scaling": SCALING | {"scheduled": [NIGHT | {"time_zone": "Pacific/Tahiti"}]}},
    ],
)
def test_what_aws_takes_is_taken(settings: dict[str, Any]) -> None:
    looked_at(**settings)


def test_a_time_zone_that_the_target_has_already_is_awss_to_judge() -> None:
    scaling = SCALING | {"scheduled": [NIGHT | {"time_zone": "Moon/Tranquility"}]}
    preflight = Preflight()
    settings = TargetSettings.model_validate({"engine_version": "17.4", "reader_scaling": scaling})
    look_at_coherence(preflight, settings, {"reader_scaling": Origin.OLD_TARGET})
    preflight.raise_problems()


def test_windows_that_the_target_has_already_are_rdss_to_judge() -> None:
    settings = {"engine_version": "17.4", "backup_window": "05:00-06:00", "members": [MEMBER]}
    preflight = Preflight()
    origins = {"backup_window": Origin.OLD_TARGET, "members.a.maintenance_window": Origin.OLD_TARGET}
    look_at_coherence(preflight, TargetSettings.model_validate(settings), origins)
    preflight.raise_problems()


def test_a_target_with_every_setting_away_from_its_default_is_coherent() -> None:
    aws, preflight = FakeAws(), Preflight()
    away_from_default.stands(aws)
    look_at_coherence(preflight, settings_now(aws), {})
    preflight.raise_problems()


def test_all_that_is_wrong_of_one_kind_is_told() -> None:
    with pytest.raises(InvalidRequest, match=r"5 to 1; target\.reader_scaling\.suspended is nothing"):
        looked_at(reader_scaling={"min_readers": 5, "max_readers": 1, "suspended": ["nothing"]})
