"""The part of a request about users: who may stay, and limits."""

from typing import Any

import pytest

from tests.fakes.aws import ENVIRONMENT
from utils.errors import InvalidRequest
from utils.request.parsing import parse_request
from utils.settings import Settings

SETTINGS = Settings.from_environment(ENVIRONMENT)


def test_by_default_nobody_stays_no_way_out_is_left_and_nothing_is_limited() -> None:
    request = parse_request({}, SETTINGS)
    assert (request.keep_logins, request.close_outbound) == ([], True)
    for limits in (request.user_limits.application, request.user_limits.readonly, request.user_limits.devops):
        assert (limits.statement_timeout, limits.connection_limit) == (None, None)


def test_the_name_of_a_login_may_be_whatever_postgresql_takes() -> None:
    names = ["auditor", "Mixed Case", 'quo"te', "100%", "ä" * 31]
    assert parse_request({"keep_logins": names}, SETTINGS).keep_logins == names


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"keep_logins": [""]}, "keep_logins.0"),
        ({"keep_logins": ["ä" * 32]}, "keep_logins.0"),
        ({"keep_logins": ["a\0b"]}, "keep_logins.0"),
        ({"keep_logins": "auditor"}, "keep_logins"),
        ({"close_outbound": "no"}, "close_outbound"),
        ({"user_limits": {"application": {"connection_limit": 0}}}, "user_limits.application.connection_limit"),
        ({"user_limits": {"readonly": {"connection_limit": 5001}}}, "user_limits.readonly.connection_limit"),
        ({"user_limits": {"devops": {"statement_timeout_seconds": 0}}}, "user_limits.devops.statement_timeout_seconds"),
        ({"user_limits": {"reader": {}}}, "user_limits.reader"),
    ],
)
def test_what_could_not_work_is_refused_by_its_name(request_: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field.replace(".", r"\.")):
        parse_request(request_, SETTINGS)
