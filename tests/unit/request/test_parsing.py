"""Any input either becomes a request or is refused with the field, what was found, what was expected, what to do."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.aws import ENVIRONMENT
from utils.errors import InvalidRequest
from utils.request.model import Budgets, RestoreRequest
from utils.request.parsing import find_problems, parse_request, parse_resume, parse_undo
from utils.request.source import Source
from utils.request.target import Target
from utils.restore_type import RestoreType
from utils.settings import Settings

CONFIGURED = Settings.from_environment(ENVIRONMENT)
BARE = Settings.from_environment(ENVIRONMENT | {"SOURCE_CLUSTER_ID": "", "TARGET_CLUSTER_ID": ""})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted({name for model in (RestoreRequest, Source, Target, Budgets) for name in model.model_fields})


def refused(raw: object, settings: Settings = CONFIGURED) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(raw, settings)
    return caught.value


def with_defaults(**defaults: Any) -> Settings:
    return Settings.from_environment(ENVIRONMENT | {"REQUEST_DEFAULTS": json.dumps(defaults)})


def test_a_request_that_a_run_takes_has_no_problems() -> None:
    assert find_problems({}, CONFIGURED) == []


def test_nothing_at_all_is_a_nightly_run_on_a_configured_stack() -> None:
    request = parse_request({}, CONFIGURED)
    assert (request.source.cluster_id, request.source.region, request.source.snapshot) == (
        "prod",
        "us-east-1",
        "latest",
    )
    assert request.target.cluster_id == "staging"
    assert (request.final_snapshot, request.override_deletion_protection, request.dry_run) == (True, False, False)


def test_a_request_goes_over_the_stacks_defaults_field_by_field() -> None:
    settings = with_defaults(keep_copies=7, target={"port": 5433, "tags": {"team": "a"}}, budgets={"copy_hours": 1})
    request = parse_request({"target": {"tags": {"owner": "b"}}, "budgets": {"delete_hours": 3}}, settings)
    assert (request.keep_copies, request.target.port, request.target.cluster_id) == (7, 5433, "staging")
    assert request.target.tags == {"owner": "b"}
    assert (request.budgets.copy_hours, request.budgets.delete_hours) == (1, 3)


def test_identifiers_are_lowered_as_rds_stores_them() -> None:
    assert parse_request({"target": {"cluster_id": "Shop-STAGING"}}, CONFIGURED).target.cluster_id == "shop-staging"


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        ({"sourc": {}}, "sourc", "'source' perhaps"),
        ({"target": {"clusterid": "x"}}, "target.clusterid", "'cluster_id' perhaps"),
        ({"target": {"instances": {"klass": 1}}}, "target.instances.klass", "instance_class"),
        ({"target": {"serverless_v2": {"min": 1}}}, "target.serverless_v2", "max_capacity"),
        ({"target": {"associated_roles": [{"rol": "x"}]}}, "target.associated_roles.0.rol", "'role_arn' perhaps"),
        (
            {"target": {"instances": {"named": {"a-1": {"klass": 1}}}}},
            "target.instances.named.a-1.klass",
            "instance_class",
        ),
        ({"target": {"instances": {"named": {"tags": {"klass": 1}}}}}, "target.instances.named.tags.klass", "tags"),
        ({"budgets": {"copy": 1}}, "budgets.copy", "'copy_hours' perhaps"),
        ({"zzz": 1}, "zzz", "one of source, target"),
        ({"health": {"amcheck": "shop"}}, "health.amcheck", "valid list"),
        ({"health": {"amcheck_seconds": 301}}, "health.amcheck_seconds", "less than or equal to 300"),
        ({"source": "prod"}, "source", "a JSON object"),
        ({"source": {"cluster_id": 7}}, "source.cluster_id", "found int 7; expected a valid string"),
        ({"source": {"cluster_id": "-prod"}}, "source.cluster_id", "a letter first"),
        ({"source": {"region": "Virginia"}}, "source.region", "an AWS Region such as us-east-1"),
        ({"source": {"account_id": "1234"}}, "source.account_id", "12 digits"),
        ({"source": {"snapshot": "a b"}}, "source.snapshot", "'latest', the identifier"),
        ({"source": {"max_age_hours": 0}}, "source.max_age_hours", "found int 0"),
        ({"target": {"cluster_id": "a--b"}}, "target.cluster_id", "no two hyphens in a row"),
        ({"target": {"cluster_id": "a" * 64}}, "target.cluster_id", "1 to 63"),
        ({"target": {"engine_version": "17"}}, "target.engine_version", "such as 17.4"),
        ({"target": {"instances": {"instance_class": "r8g"}}}, "target.instances.instance_class", "db.r8g.large"),
        ({"target": {"instances": {"count": 17}}}, "target.instances.count", "less than or equal to 16"),
        ({"target": {"instances": {"named": {"A-1": {}, "a-1": {}}}}}, "target.instances.named", "each instance once"),
        ({"target": {"port": 80}}, "target.port", "greater than or equal to 1150"),
        ({"target": {"storage_type": "gp3"}}, "target.storage_type", "'aurora' or 'aurora-iopt1'"),
        ({"target": {"tags": {"aurora-restore:managed": "true"}}}, "target.tags", "do not start with 'aws:'"),
        ({"target": {"tags": {"": "x"}}}, "target.tags", "1 to 128 characters"),
        ({"target": {"tags": {"AWS:x": "x"}}}, "target.tags", "do not start with 'aws:'"),
        ({"target": {"tags": {"rds:owner": "x"}}}, "target.tags", "do not start with 'aws:', 'rds:'"),
        ({"target": {"tags": {"owner": "Jane, team A"}}}, "target.tags", "as RDS takes them"),
        ({"target": {"tags": {"R&D": "x"}}}, "target.tags", "as RDS takes them"),
        ({"target": {"tags": {"owner": "Jane\nteam A"}}}, "target.tags", "as RDS takes them"),
        ({"target": {"tags": {"owner\t": "Jane"}}}, "target.tags", "as RDS takes them"),
        ({"target": {"tags": {str(n): "x" for n in range(46)}}}, "target.tags", "at most 45 tags"),
        ({"target": {"security_group_ids": []}}, "target.security_group_ids", "at least one security group"),
        ({"source": {"account_id": "１２３４５６７８９０１２"}}, "source.account_id", "12 digits"),  # noqa: RUF001 - no ASCII
        ({"target": {"engine_version": "16.４"}}, "target.engine_version", "such as 17.4"),  # noqa: RUF001 - no ASCII
        ({"target": {"backup_window": "0٣:00-04:00"}}, "target.backup_window", "a window of UTC"),
        ({"target": {"maintenance_window": "ſun:05:00-sun:05:30"}}, "target.maintenance_window", "a window of UTC"),  # noqa: RUF001 - no ASCII
        ({"keep_logins": ["\ud800"]}, "keep_logins.0", r"half a character ('\ud800'); expected Unicode text"),
        ({"target": {"domain": {"directory_id": "\udfff"}}}, "target.domain.directory_id", "half a character"),
        ({"target": {"\ud800": 1}}, r"target.\ud800", "half a character"),
        ({"target": {"insights": {"retention_days": 31 * 10**50}}}, "target.insights.retention_days", "of 52 digits"),
        (
            {"checks": [{"name": "n", "database": "é" * 32, "sql": "SELECT 1", "expect": 1}]},
            "checks.0.database",
            "63 bytes",
        ),
        ({"target": {"cluster_id": None}}, "target.cluster_id", "found null; expected a valid string"),
        ({"keep_copies": True}, "keep_copies", "found bool True"),
        ({"dry_run": "true"}, "dry_run", "found str 'true'"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected(raw: dict[str, Any], field: str, words: str) -> None:
    message = str(refused(raw))
    assert message.startswith(f"{field}")
    assert words in message
    assert "what to do: correct the field (the README lists all of them)" in message


@pytest.mark.parametrize("field", ["resume", "undo"])
@pytest.mark.parametrize(("value", "found"), [(None, "null"), ([], "list []"), ({}, "dict {}"), ("x\n", r"str 'x\n'")])
def test_a_name_that_is_none_is_told_in_words_of_json(field: str, value: object, found: str) -> None:
    parse = {"resume": parse_resume, "undo": parse_undo}[field]
    with pytest.raises(InvalidRequest) as error:
        parse({field: value})
    assert str(error.value).startswith(f"{field}: found {found}; expected ")


@pytest.mark.parametrize(
    ("capacity", "words"),
    [
        ({"min_capacity": 8, "max_capacity": 4}, "min_capacity no higher than max_capacity"),
        ({"min_capacity": 1, "max_capacity": 4, "seconds_until_auto_pause": 300}, "only with min_capacity 0"),
    ],
)
def test_a_capacity_that_rds_would_refuse_is_refused_first(capacity: dict[str, Any], words: str) -> None:
    assert words in str(refused({"target": {"serverless_v2": capacity}}))


@pytest.mark.parametrize("raw", [None, [], "{}", 7, True])
def test_what_is_no_object_is_refused(raw: object) -> None:
    assert "expected a JSON object" in str(refused(raw))


def test_a_missing_field_says_where_it_may_come_from() -> None:
    error = refused({"target": {"cluster_id": "x"}}, BARE)
    assert error.field == "source.cluster_id"
    assert "in the request or as a parameter of the stack" in str(error)


def test_every_wrong_field_is_named() -> None:
    message = str(refused({"keep_copies": 0, "dry_run": 1, "port": 1}))
    assert message.startswith("port: found an unknown field (2 more problems in the request: keep_copies, dry_run)")


def test_of_very_many_wrong_fields_the_first_are_named() -> None:
    message = str(refused({f"field-{number}": number for number in range(1000)}))
    assert "(999 more problems in the request: field-1, field-2," in message
    assert len(message) < 2000


def test_of_several_values_that_no_row_can_hold_the_number_is_told() -> None:
    message = str(refused({"keep_logins": ["\ud800", "a", "\ud801"], "keep_copies": 10**20}))
    assert message.startswith("keep_logins.0: found text with half a character")
    assert "(2 more problems of this kind)" in message


@pytest.mark.parametrize(
    "defaults",
    [
        "{",
        "[]",
        "null",
        '"text"',
        "7",
        "NaN",
        "9" * 5000,
        f'{{"keep_copies": {"9" * 5000}}}',
        '{"checks": [], "checks": []}',
    ],
)
def test_malformed_defaults_are_the_stacks_fault(defaults: str) -> None:
    error = refused({}, Settings.from_environment(ENVIRONMENT | {"REQUEST_DEFAULTS": defaults}))
    assert error.field == "stack parameter RequestDefaults"


@pytest.mark.parametrize("hours", [float("inf"), float("nan"), 1e300, 1e-300])
@pytest.mark.parametrize("place", [("source", "max_age_hours"), ("budgets", "copy_hours")])
def test_a_number_that_dynamodb_cannot_hold_is_refused(place: tuple[str, str], hours: float) -> None:
    section, name = place
    assert refused({section: {name: hours}}).field == f"{section}.{name}"


def test_hours_that_dynamodb_cannot_hold_are_refused() -> None:
    error = refused({"keep_old_hours": 1e-300})
    assert (error.field, error.expected) == ("keep_old_hours", "0, or at least 0.001 hours")


@pytest.mark.parametrize("field", ["security_group_ids", "log_exports"])
def test_what_a_list_names_twice_is_refused_before_rds_can(field: str) -> None:
    twice = {"security_group_ids": ["sg-1", "sg-2", "sg-1"], "log_exports": ["postgresql", "postgresql"]}[field]
    error = refused({"target": {field: twice}})
    assert (error.field, error.expected) == (f"target.{field}", f"each of them once, not {twice[0]} twice")


def test_all_that_stands_beside_resume_is_told_in_text_that_can_be_written() -> None:
    with pytest.raises(InvalidRequest) as error:
        parse_resume({"resume": "nightly-0", "\ud800": 1, "dry_run": True})
    assert error.value.field == "\\ud800"
    assert "found a field beside resume (and dry_run); expected" in str(error.value)
    assert str(error.value).encode()


def test_a_wrong_key_is_named_as_the_field_that_it_is() -> None:
    assert refused({"target": {"instances": {"named": {"bad_": {}}}}}).field == "target.instances.named.bad_"


def test_a_long_value_is_not_repeated() -> None:
    message = str(refused({"target": {"cluster_id": "x" * 1_000_000}}))
    assert len(message) < 500
    assert "(1000002 characters)" in message


def test_a_long_field_name_is_not_repeated() -> None:
    assert len(str(refused({"x" * 1_000_000: 1}))) < 1000


@pytest.mark.parametrize(
    "wrong",
    [
        "yesterday",
        "2026-11-26",
        "2026-11-26T09:30:00",
        "2026-13-26T09:30:00Z",
        "",
        "20261126T093000Z",
        "2026-11-26T0930.1Z",
        "2026-11-26T09:30:00.1234567Z",
        "2026-11-26T09:30:00+01",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_a_restore_time_is_the_latest_or_a_time_with_its_zone(wrong: str) -> None:
    problem = refused({"source": {"restore_time": wrong}})
    assert (problem.field, "its zone such as" in str(problem.expected)) == ("source.restore_time", True)


@pytest.mark.parametrize(
    "both",
    [
        {"snapshot": "nightly", "restore_time": "latest"},
        {"snapshot": "nightly", "fast_clone": True},
        {"fast_clone": True, "restore_time": "2026-11-26T09:30:00Z"},
    ],
)
def test_one_source_is_asked_for(both: dict[str, Any]) -> None:
    problem = refused({"source": both})
    assert (problem.field, "fast_clone" in str(problem.expected)) == ("source", True)


def test_a_restore_time_is_of_its_zone_and_a_clone_is_of_the_latest() -> None:
    source = {"cluster_id": "prod", "region": "us-west-2"}
    moment = Source.model_validate(source | {"restore_time": "2026-11-26T10:30:00+01:00"})
    assert (moment.restore_type, moment.restore_to) == (
        RestoreType.FULL_COPY,
        datetime(2026, 11, 26, 9, 30, tzinfo=UTC),
    )
    clone = Source.model_validate(source | {"restore_time": "latest", "fast_clone": True})
    assert (clone.restore_type, clone.restore_to) == (RestoreType.COPY_ON_WRITE, None)
    assert Source.model_validate(source).restore_type is RestoreType.SNAPSHOT


def test_a_long_snapshot_name_takes_no_time() -> None:
    assert refused({"source": {"snapshot": "arn:aws" + "-" * 1_000_000}}).field == "source.snapshot"


@pytest.mark.parametrize("depth", [300, 3_000, 30_000])
@pytest.mark.parametrize("field", ["source", "keep_copies", "checks", "start_window", "unknown"])
def test_deep_nesting_is_refused(field: str, depth: int) -> None:
    objects: Any = {}
    lists: Any = []
    for _ in range(depth):
        objects, lists = {field: objects}, [lists]
    for value in (objects, {field: lists}, {"target": {"tags": objects}}, lists):
        assert len(str(refused(value))) < 1500


def test_defaults_that_are_nested_thousands_deep_are_the_stacks_fault() -> None:
    settings = Settings.from_environment(ENVIRONMENT | {"REQUEST_DEFAULTS": "[" * 100_000})
    assert refused({}, settings).field == "stack parameter RequestDefaults"


def test_a_request_that_would_not_fit_into_its_row_is_refused() -> None:
    check = {"database": "shop", "sql": f"SELECT '{'x' * 3900}' IS NULL", "expect": False}
    raw = {"checks": [check | {"name": f"check {number}"} for number in range(50)]}
    assert "characters of JSON" in str(refused(raw))


@pytest.mark.parametrize(
    "hostile", ["\x00", "\ud800", "'; DROP TABLE x; --", "{% $x %}", "${jndi:x}", "a\nb", "é" * 10]
)
def test_hostile_strings_are_refused_and_the_message_can_be_sent(hostile: str) -> None:
    for raw in ({"target": {"cluster_id": hostile}}, {hostile: 1}, {"target": {"tags": {"aws:" + hostile: hostile}}}):
        assert str(refused(raw)).encode()


def parsed_or_refused(raw: object) -> RestoreRequest | InvalidRequest:
    try:
        return parse_request(raw, CONFIGURED)
    except InvalidRequest as error:
        return error


@given(json_values)
def test_any_json_is_a_request_or_is_refused(raw: Any) -> None:
    result = parsed_or_refused(raw)
    if isinstance(result, InvalidRequest):
        assert str(result).encode()
        assert result.field or "JSON object" in str(result)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=5))
def test_any_value_in_a_known_field_is_a_request_or_is_refused(raw: dict[str, Any]) -> None:
    for candidate in (raw, {"source": raw}, {"target": raw}, {"budgets": raw}):
        result = parsed_or_refused(candidate)
        if isinstance(result, InvalidRequest):
            assert result.field
        else:
            assert RestoreRequest.model_validate_json(result.model_dump_json()) == result
