from pathlib import Path

import pytest

from tests.fakes.aws import ENVIRONMENT
from utils.database.server.tls import Tls, TlsMode
from utils.errors import ConfigurationMissing
from utils.settings import Settings

OPTIONAL = {"SOURCE_CLUSTER_ID", "TARGET_CLUSTER_ID"}


def test_the_account_is_that_of_the_topic() -> None:
    assert Settings.from_environment(ENVIRONMENT).account_id == "123456789012"


@pytest.mark.parametrize("name", sorted(set(ENVIRONMENT) - OPTIONAL))
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in ENVIRONMENT.items() if key != name} | (
        {name: value} if value == "" else {}
    )
    with pytest.raises(ConfigurationMissing, match=f"found no value for {name};"):
        Settings.from_environment(environment)


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(ConfigurationMissing, match="ENVIRONMENT, STATE_TABLE_NAME, AUDIT_TABLE_NAME"):
        Settings.from_environment({})


def test_the_default_cluster_ids_are_optional() -> None:
    settings = Settings.from_environment({key: value for key, value in ENVIRONMENT.items() if key not in OPTIONAL})
    assert (settings.source_cluster_id, settings.target_cluster_id, settings.request_defaults) == ("", "", "{}")


def test_a_topic_that_is_no_arn_is_refused() -> None:
    with pytest.raises(ConfigurationMissing) as refused:
        Settings.from_environment(ENVIRONMENT | {"SNS_TOPIC_ARN": "aurora-restore-notifications"})
    assert refused.value.field == "SNS_TOPIC_ARN"


def test_the_database_is_verified_with_the_shipped_cas_unless_the_stack_says_otherwise() -> None:
    assert Settings.from_environment(ENVIRONMENT).tls == Tls()
    other = ENVIRONMENT | {"DATABASE_TLS": "require", "DATABASE_CA_FILE": "/ca.pem"}
    assert Settings.from_environment(other).tls == Tls(mode=TlsMode.REQUIRE, ca_file=Path("/ca.pem"))


@pytest.mark.parametrize("mode", ["prefer", "disable", "verify-ca", "VERIFY-FULL"])
def test_the_database_is_never_talked_to_with_less(mode: str) -> None:
    with pytest.raises(ConfigurationMissing, match=r"DATABASE_TLS: found .* expected verify-full or require"):
        Settings.from_environment(ENVIRONMENT | {"DATABASE_TLS": mode})


def test_a_message_has_no_unknown_form() -> None:
    assert Settings.from_environment(ENVIRONMENT).notification_format == "text"
    with pytest.raises(ConfigurationMissing, match="NOTIFICATION_FORMAT: found pigeon; expected text or"):
        Settings.from_environment(ENVIRONMENT | {"NOTIFICATION_FORMAT": "pigeon"})
