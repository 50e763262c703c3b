"""Scripts and checks of a request: refused before anything happens if they could not work."""

from typing import Any

import pytest

from tests.fakes.aws import ENVIRONMENT
from utils.errors import InvalidRequest
from utils.request.model import RestoreRequest
from utils.request.parsing import parse_request
from utils.settings import Settings

SETTINGS = Settings.from_environment(ENVIRONMENT)
SCRIPT = {"s3_uri": "s3://bucket/post-restore-sql/mask.sql", "database": "shop"}
CHECK = {"name": "nobody", "database": "shop", "sql": "SELECT 0", "expect": 0}


def test_nothing_is_run_when_nothing_is_asked_for() -> None:
    request = parse_request({}, SETTINGS)
    assert (request.post_restore_sql, request.checks, request.manage_master_user_password) == ([], [], None)


def test_a_script_runs_as_the_master_for_ten_minutes_at_most() -> None:
    (script,) = parse_request({"post_restore_sql": [SCRIPT]}, SETTINGS).post_restore_sql
    assert (script.user, script.timeout_seconds) == (None, 600)


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        ({"expect": 0}, "0"),
        ({"expect": True}, "True"),
        ({"expect": ""}, ""),
        ({"at_least": 1}, "at least 1"),
        ({"at_least": 0.5, "at_most": 2}, "at least 0.5, at most 2"),
    ],
)
def test_an_expectation_survives_the_operations_row(expectation: dict[str, Any], words: str) -> None:
    check = {name: value for name, value in CHECK.items() if name != "expect"} | expectation
    request = parse_request({"checks": [check]}, SETTINGS)
    assert request.checks[0].expected == words
    assert RestoreRequest.model_validate_json(request.model_dump_json()) == request


@pytest.mark.parametrize(
    ("raw", "field", "expected"),
    [
        (
            {"post_restore_sql": [SCRIPT | {"s3_uri": "https://bucket/x"}]},
            "post_restore_sql.0.s3_uri",
            "an S3 URI such as",
        ),
        ({"post_restore_sql": [SCRIPT | {"s3_uri": "s3://bucket/"}]}, "post_restore_sql.0.s3_uri", "an S3 URI such as"),
        ({"post_restore_sql": [SCRIPT | {"timeout_seconds": 601}]}, "post_restore_sql.0.timeout_seconds", "600"),
        ({"post_restore_sql": [SCRIPT, SCRIPT | {"s3_url": "x"}]}, "post_restore_sql.1.s3_url", "'s3_uri' perhaps"),
        ({"post_restore_sql": SCRIPT}, "post_restore_sql", "a valid list"),
        ({"post_restore_sql": [SCRIPT] * 51}, "post_restore_sql", "at most 50 items"),
        ({"checks": [CHECK | {"at_least": 1}]}, "checks.0", "either expect, or at_least and at_most"),
        ({"checks": [{"name": "n", "database": "d", "sql": "SELECT 1"}]}, "checks.0", "either expect, or at_least"),
        ({"checks": [CHECK | {"expect": None, "at_most": 1e300}]}, "checks.0.at_most", "a number whose size"),
        (
            {"checks": [CHECK | {"expect": None, "at_most": "5"}]},
            "checks.0.at_most",
            "found str '5'; expected a number",
        ),
        ({"checks": [CHECK | {"expect": None, "at_least": 5, "at_most": 1}]}, "checks.0", "no number fits"),
        ({"checks": [CHECK | {"sql": "SELECT 1\0"}]}, "checks.0.sql", "without the character NUL"),
        ({"checks": [CHECK | {"database": "shop\0"}]}, "checks.0.database", "without the character NUL"),
        (
            {"checks": [CHECK | {"expect": [1]}]},
            "checks.0.expect",
            "found list [1]; expected a boolean, a number or a text",
        ),
        ({"checks": [CHECK | {"expect": float("inf")}]}, "checks.0.expect", "found float inf; expected a boolean"),
        ({"checks": [CHECK | {"database": "rdsadmin"}]}, "checks.0.database", "a database that people connect to"),
        (
            {"post_restore_sql": [SCRIPT | {"database": "template0"}]},
            "post_restore_sql.0.database",
            "people connect to",
        ),
        ({"post_restore_sql": [SCRIPT | {"user": "ü" * 32}]}, "post_restore_sql.0.user", "1 to 63 bytes"),
        ({"checks": [{"name": "n"}]}, "checks.0.database", "a value"),
        ({"manage_master_user_password": "true"}, "manage_master_user_password", "a valid boolean"),
    ],
)
def test_what_cannot_work_is_refused_by_name(raw: dict[str, Any], field: str, expected: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_request(raw, SETTINGS)
    assert str(refused.value.field).startswith(field)
    assert expected in str(refused.value)
