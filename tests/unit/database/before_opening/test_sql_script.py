"""A script is cut where psql cuts it, and what is no plain SQL of one transaction is refused before anything runs."""

import pytest

from tests.unit.database.before_opening.world import ROUTINES
from utils.database.before_opening.sql_script import NotASqlScript, Statement, split


def cut(script: str) -> list[tuple[int, str]]:
    return [(statement.line, statement.words) for statement in split(script)]


def test_functions_quotes_and_comments_hold_their_semicolons() -> None:
    assert cut(ROUTINES) == [
        (3, "CREATE FUNCTION scratch.f"),
        (9, "CREATE OR REPLACE PROCEDURE"),
        (15, "SELECT"),
        (16, "CREATE RULE r AS"),
        (17, "SELECT"),
    ]


def test_a_statement_is_named_without_its_data() -> None:
    (statement,) = split("\n\nUPDATE crm.customers SET name = 'Anna Planted', age = 42 WHERE id = 7")
    assert str(statement) == "line 3 (UPDATE crm.customers SET ...)"
    (statement,) = split("INSERT INTO \"people\" VALUES ('Anna Planted')")
    assert str(statement) == 'line 1 (INSERT INTO "people" VALUES ...)'
    (statement,) = split("DO $$ BEGIN PERFORM 'Anna Planted'; END $$")
    assert str(statement) == "line 1 (DO ...)"


def test_nothing_is_nothing() -> None:
    assert split(" ;;\n-- only a comment\n/* and another */ ;") == []


def test_the_text_of_a_statement_is_untouched() -> None:
    assert split("  SELECT 100 % 7 -- why\n , '%s' ;") == [
        Statement(text="SELECT 100 % 7 -- why\n , '%s'", line=1, words="SELECT")
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "BEGIN",
        "begin transaction isolation level serializable",
        "START TRANSACTION",
        "COMMIT",
        "/* quietly */ commit and chain",
        "END",
        "ROLLBACK",
        "ABORT",
        "SAVEPOINT s",
        "RELEASE s",
        "ROLLBACK TO s",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
    ],
)
def test_transaction_control_is_refused_wherever_it_stands(statement: str) -> None:
    with pytest.raises(NotASqlScript, match=r"transaction control in line 2 \("):
        split(f"SELECT 1;\n{statement}; SELECT 2")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("SELECT 1;\n\\i other.sql", "a command of psql in line 2"),
        ("COPY people FROM STDIN;\n1\n", r"data of the client in line 1 \(COPY people FROM STDIN ...\)"),
        ("SELECT 'Anna Planted", "a quote that does not end in line 1"),
        ('\nSELECT "Anna', "a quote that does not end in line 2"),
        ("SELECT $x$ Anna $y$", "a quote that does not end in line 1"),
        ("SELECT E'\\'", "a quote that does not end in line 1"),
        ("SELECT 1; /* /* */", "a comment that does not end in line 1"),
    ],
)
def test_what_is_no_whole_sql_is_refused_without_repeating_it(script: str, why: str) -> None:
    with pytest.raises(NotASqlScript, match=why) as refused:
        split(script)
    assert "Anna" not in str(refused.value)
