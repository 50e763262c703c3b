"""Checks must hold before anybody gets in; what they ask is one value, and they change nothing."""

from typing import Any

import pytest

from tests.unit.database.before_opening.world import World, check
from utils.errors import CheckFailed
from utils.operation.model import CheckRecord
from utils.request.sql import Check

PEOPLE = "SELECT count(*) FROM scratch.people"


@pytest.mark.parametrize(
    ("sql", "expected", "found"),
    [
        (PEOPLE, {"expect": 2}, "2"),
        (PEOPLE, {"at_least": 2}, "a number that fits"),
        (PEOPLE, {"at_least": 1, "at_most": 2}, "a number that fits"),
        ("SELECT 0.1::float8 + 0.2", {"at_most": 0.31}, "a number that fits"),
        ("SELECT 2.50::numeric", {"expect": 2.5}, "2.50"),
        ("SELECT true", {"expect": True}, "True"),
        ("SELECT 'UTF8'::name", {"expect": "UTF8"}, "UTF8"),
        ("SELECT date '2026-11-22' -- today;", {"expect": "2026-11-22"}, "2026-11-22"),
        ("WITH n AS (SELECT 100 % 7 AS rest) SELECT rest FROM n;", {"expect": 2}, "2"),
    ],
)
def test_a_check_holds(world: World, sql: str, expected: dict[str, Any], found: str) -> None:
    (record,) = world.before_opening(checks=[check(sql, **expected)]).checks
    assert (record.name, record.database, record.found, record.holds) == ("the check", "shop", found, True)


@pytest.mark.parametrize(
    ("sql", "expected", "message"),
    [
        (PEOPLE, {"expect": 0}, "the check in database shop: a number that does not fit; expected the check: 0"),
        (PEOPLE, {"at_least": 3}, "expected the check: at least 3;"),
        (PEOPLE, {"at_least": 0, "at_most": 1}, "expected the check: at least 0, at most 1;"),
        (PEOPLE, {"expect": "2 people"}, "the check in database shop: a number that does not fit"),
        ("SELECT true", {"expect": 1}, "the check in database shop: a bool that does not fit"),
        ("SELECT true", {"at_least": 0}, "the check in database shop: a bool that does not fit"),
        ("SELECT 'NaN'::float8", {"at_most": 5}, "the check in database shop: a number that does not fit"),
        ("SELECT NULL", {"expect": 0}, "the check in database shop: NULL"),
        ("SELECT min(name) FROM scratch.people", {"expect": "masked"}, "a str that does not fit"),
        ("SELECT array_agg(name) FROM scratch.people", {"at_least": 1}, "a list that does not fit"),
    ],
)
def test_a_check_that_does_not_hold_says_so_without_data(
    world: World, sql: str, expected: dict[str, Any], message: str
) -> None:
    with pytest.raises(CheckFailed) as failed:
        world.before_opening(checks=[check(sql, **expected)])
    assert message in str(failed.value)
    assert "Planted" not in str(failed.value)


def test_a_number_of_production_is_told_of_the_operators_checks_only(world: World) -> None:
    salary = "SELECT 83125"
    asked, always = check(salary, name="asked", expect=0), check(salary, name="always", expect=0)
    with pytest.raises(CheckFailed, match=r"asked in database shop: a number that does not fit; always .*: 83125;"):
        world.before_opening(checks=[asked, always], of_the_operator=[Check.model_validate(always)])
    bounded = [check(salary, name="asked", at_least=1), check(salary, name="always", at_least=1)]
    outcome = world.before_opening(checks=bounded, of_the_operator=[Check.model_validate(bounded[1])])
    assert [record.found for record in outcome.checks] == ["a number that fits", "83125"]


def test_every_check_that_fails_is_named(world: World) -> None:
    checks = [check(PEOPLE, name=name, expect=value) for name, value in (("one", 1), ("two", 2), ("three", 3))]
    remembered: list[list[CheckRecord]] = []
    with pytest.raises(
        CheckFailed,
        match=r"one in database shop: a number that .*; three in database shop: .*; expected one: 1; three: 3",
    ):
        world.before_opening(checks=checks, remember_checks=remembered.append)
    assert [(record.name, record.holds) for record in remembered[0]] == [
        ("one", False),
        ("two", True),
        ("three", False),
    ]


def test_what_was_answered_before_a_check_that_cannot_be_asked_is_remembered(world: World) -> None:
    remembered: list[list[CheckRecord]] = []
    with pytest.raises(CheckFailed):
        world.before_opening(
            checks=[check(PEOPLE, expect=2), check("SELECT", expect=2)], remember_checks=remembered.append
        )
    assert [record.found for record in remembered[0]] == ["2"]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT name FROM scratch.people", r"more than one row of 1 column"),
        ("SELECT id, name FROM scratch.people WHERE id = 1", r"1 row\(s\) of 2 column"),
        ("SELECT 1 WHERE false", r"0 row\(s\) of 1 column"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("-- nothing", "0 statements"),
        ("COMMIT", "transaction control in line 1"),
        ("DELETE FROM scratch.people RETURNING 1", "42601 SyntaxError"),
        ("SELECT name::int FROM scratch.people WHERE id = 1", "22P02 InvalidTextRepresentation from PostgreSQL"),
        ("SELECT nextval('shop.order_number')", "25006 ReadOnlySqlTransaction"),
        ("SELECT set_config('transaction_read_only', 'off', true)", "25001 ActiveSqlTransaction"),
    ],
)
def test_what_is_no_question_is_refused(world: World, sql: str, found: str) -> None:
    with pytest.raises(CheckFailed, match=f"checks, the check: found {found}") as failed:
        world.before_opening(checks=[check(sql, expect=1)])
    assert "Planted" not in str(failed.value)
    assert world.people() == ["Anna Planted", "Ben Planted"]


def test_a_check_answers_in_time(world: World) -> None:
    with pytest.raises(CheckFailed, match="no answer within 1 s"):
        world.before_opening(checks=[check("SELECT pg_sleep(5)::text", expect="", timeout_seconds=1)])
