"""Ways to have code run for others that PostgreSQL itself keeps for superusers: nothing stands against them here.

Whoever reads which owners' code could run takes from here what need not be looked at; a version that lets owners do one
of these makes this red.
"""

import pytest

from tests.unit.database.production import MASTER, Restored

WAYS = {
    "a type with functions of its own": "CREATE TYPE t (input = textin, output = textout)",
    "a transform": "CREATE TRANSFORM FOR sales.mood LANGUAGE plpgsql (FROM SQL WITH FUNCTION boolin(cstring))",
    "an operator class": "CREATE OPERATOR CLASS odd FOR TYPE sales.mood USING hash AS FUNCTION 1 hashed(sales.mood)",
    "a function for the planner": "CREATE FUNCTION f() RETURNS int LANGUAGE sql SUPPORT array_unnest_support AS '1'",
    "a language": "CREATE LANGUAGE odd HANDLER plpgsql_call_handler VALIDATOR plpgsql_validator",
    "a foreign data wrapper": "CREATE FOREIGN DATA WRAPPER odd",
    "an access method": "CREATE ACCESS METHOD odd TYPE INDEX HANDLER bthandler",
    "a routine in C": "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'plpgsql', 'plpgsql_validator'",
    "a text search template": "CREATE TEXT SEARCH TEMPLATE odd (lexize = dsimple_lexize)",
    "a cast that calls nothing": "CREATE CAST (sales.mood AS int) WITHOUT FUNCTION",
}


@pytest.mark.parametrize("whose", ["shop_owner", MASTER])
def test_what_calls_code_by_itself_is_made_by_superusers_only(planted: Restored, whose: str) -> None:
    hashed = "CREATE FUNCTION hashed(sales.mood) RETURNS int LANGUAGE sql AS 'SELECT 0'"
    planted.run("shop_owner", "shop", hashed)
    assert [what for what, statement in WAYS.items() if planted.is_allowed(whose, "shop", statement)] == []
