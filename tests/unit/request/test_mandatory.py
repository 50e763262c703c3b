"""What the stack's operator requires, no request takes away: it is said in the plan, and the step keeps it."""

import json
from typing import Any

import pytest

from tests.fakes.aws import ENVIRONMENT, FakeAws
from utils.errors import ConfigurationMissing, InvalidRequest
from utils.request.mandatory import mandatory_of
from utils.request.model import RestoreRequest
from utils.request.parsing import parse_request
from utils.settings import Settings

MASK = {"s3_uri": "s3://scripts/mask.sql", "database": "shop"}
OTHER = {"s3_uri": "s3://scripts/other.sql", "database": "shop"}
CHECK = {"name": "no phones", "database": "shop", "sql": "SELECT count(*) FROM people", "expect": 0}
REQUIRED = {
    "post_restore_sql": [MASK],
    "checks": [CHECK],
    "may_keep_logins": ["auditor"],
    "close_outbound": True,
    "may_use_master": False,
}


def asked(request: dict[str, Any], **required: Any) -> RestoreRequest:
    return parse_request(
        request, Settings.from_environment(ENVIRONMENT | {"MANDATORY_REQUEST": json.dumps(required or REQUIRED)})
    )


def test_scripts_and_checks_come_first_and_a_request_that_takes_them_away_still_has_them() -> None:
    request = asked({"post_restore_sql": [], "checks": []})
    assert [script.s3_uri for script in request.post_restore_sql] == ["s3://scripts/mask.sql"]
    assert [check.name for check in request.checks] == ["no phones"]
    both = asked({"post_restore_sql": [OTHER, MASK]})
    assert [script.s3_uri for script in both.post_restore_sql] == ["s3://scripts/mask.sql", "s3://scripts/other.sql"]


def test_a_request_with_what_always_holds_stays_as_it_is() -> None:
    request = asked({"post_restore_sql": [OTHER], "keep_logins": ["auditor"]})
    assert mandatory_of(json.dumps(REQUIRED)).applied_to(request) == request


@pytest.mark.parametrize(
    ("request_", "field", "words"),
    [
        ({"close_outbound": False}, "close_outbound", "found false; expected true, as the stack parameter"),
        (
            {"post_restore_sql": [OTHER | {"as_master": True}]},
            "post_restore_sql",
            "as_master for s3://scripts/other.sql",
        ),
        ({"keep_logins": ["shop_app", "auditor"]}, "keep_logins", "found shop_app; expected only auditor"),
        ({"post_restore_sql": [OTHER | {"timeout_seconds": n} for n in range(1, 51)]}, "post_restore_sql", "51 with"),
    ],
)
def test_what_would_take_it_away_is_refused(request_: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        asked(request_)
    assert refused.value.field == field
    assert words in str(refused.value)


def test_everything_that_would_be_taken_away_is_named_at_once() -> None:
    masters = [OTHER | {"as_master": True, "timeout_seconds": number} for number in range(1, 51)]
    with pytest.raises(InvalidRequest) as refused:
        asked({"close_outbound": False, "keep_logins": ["shop_app"], "post_restore_sql": masters})
    assert "close_outbound: found false" in str(refused.value)
    assert "3 more problems: (2) keep_logins: found shop_app" in str(refused.value)
    assert "(3) post_restore_sql: found as_master for s3://scripts/other.sql; expected" in str(refused.value)
    assert "(4) post_restore_sql: found 51 with the stack's 1" in str(refused.value)


def test_a_stack_that_requires_nothing_changes_nothing() -> None:
    raw = {"close_outbound": False, "keep_logins": ["anybody"]}
    assert asked(raw, may_keep_logins=None) == parse_request(raw, Settings.from_environment(ENVIRONMENT))


def test_a_script_of_the_stacks_own_may_run_as_the_master_where_no_requests_may() -> None:
    masters = MASK | {"as_master": True}
    request = asked({"post_restore_sql": [OTHER]}, post_restore_sql=[masters], may_use_master=False)
    assert [script.as_master for script in request.post_restore_sql] == [True, False]
    required = mandatory_of(json.dumps({"post_restore_sql": [masters], "may_use_master": False}))
    assert required.applied_to(request) == request, "Setup DB Users asks again"
    assert "running no script of a request as the master" in required.in_words()


@pytest.mark.parametrize("text", ["{", "[]", '{"checks": [{"name": "x"}]}', '{"closed": true}', "[" * 100_000])
def test_a_malformed_parameter_is_the_stacks_fault(text: str) -> None:
    with pytest.raises(ConfigurationMissing, match="stack parameter MandatoryRequest"):
        mandatory_of(text)


def test_all_that_is_wrong_in_the_parameter_is_named() -> None:
    with pytest.raises(ConfigurationMissing) as refused:
        mandatory_of('{"close_outbound": 1, "checks": [{"name": "x"}], "closed": true}')
    for field in ("close_outbound: ", "checks.0.database: ", "checks.0.sql: ", "closed: "):
        assert field in str(refused.value)


def test_the_plan_says_what_is_done_for_every_run(aws: FakeAws) -> None:
    required = {"may_keep_logins": [], "close_outbound": True}
    aws.services = aws.services_with(MANDATORY_REQUEST=json.dumps(required))
    aws.start()
    assert aws.operation.plan.actions[-1] == (
        "do for every run of this stack, whatever the request says: closing every way out, keeping no login"
    )
