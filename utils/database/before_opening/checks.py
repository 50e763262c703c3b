"""Questions to the restored data whose answers must fit before anybody but the master gets in."""

from decimal import Decimal

import psycopg2
from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Literal

from utils.database.before_opening.sql_script import NotASqlScript, split
from utils.database.server.connection import Login, postgres_call
from utils.database.server.refusals import may_pass
from utils.errors import CheckFailed
from utils.operation.model import CheckRecord
from utils.request.sql import Check


def run_check(login: Login, check: Check, seconds_left: float, *, tells_number: bool = False) -> CheckRecord:
    """Ask in a read-only transaction; raises `CheckFailed` for what is no answer of one row and one column.

    Whoever may start a run writes its checks, and reads the answers in messages: no value that was found is told but
    what the check itself says, unless `tells_number` is for one that the operator of the stack wrote.
    """
    query = _query(check)
    seconds = min(check.timeout_seconds, seconds_left)
    with login.in_database(check.database) as connection:
        connection.set_session(readonly=True)
        with postgres_call("settings of the session"), connection.cursor() as cursor:
            cursor.execute(SQL("SET LOCAL statement_timeout = {}").format(Literal(round(seconds * 1000))))
            # Rows that a policy hides would not be counted.
            cursor.execute("SET LOCAL row_security = off")
        try:
            rows, columns = _answer(connection, query)
        except postgres_errors.QueryCanceled:
            raise _failed(check, f"no answer within {seconds:g} s") from None
        except psycopg2.Error as error:
            if may_pass(error):
                raise
            raise _failed(check, f"{error.pgcode} {type(error).__name__} from PostgreSQL") from None
    if len(rows) != 1 or columns != 1:
        raise _failed(
            check, f"{'more than one row' if len(rows) > 1 else f'{len(rows)} row(s)'} of {columns} column(s)"
        )
    value = rows[0][0]
    holds = _fits(check, value)
    found = _shown(check, value, holds, tells_number)
    return CheckRecord(name=check.name, database=check.database, expected=check.expected, found=found, holds=holds)


def _query(check: Check) -> str:
    try:
        statements = split(check.sql)
    except NotASqlScript as error:
        raise _failed(check, str(error)) from None
    if len(statements) != 1:
        raise _failed(check, f"{len(statements)} statements")
    return statements[0].text


def _answer(connection: Connection, query: str) -> tuple[list[tuple[object, ...]], int]:
    # A cursor on the server takes a query only, and gives the second row without fetching the millionth.
    with connection.cursor(name="aurora_restore_check") as cursor:
        cursor.execute(query)
        rows = cursor.fetchmany(2)
        return rows, len(cursor.description or ())


def _fits(check: Check, value: object) -> bool:
    if check.expect is not None:
        return _equal(check.expect, value)
    number = _number(value)
    if number is None:
        return False
    lower, upper = check.at_least, check.at_most
    return (lower is None or number >= Decimal(str(lower))) and (upper is None or number <= Decimal(str(upper)))


def _equal(expected: object, value: object) -> bool:
    if isinstance(expected, bool) or isinstance(value, bool):
        return expected is value
    if isinstance(expected, int | float):
        return _number(value) == Decimal(str(expected))
    return value is not None and str(value) == expected


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    return None if number.is_nan() else number


def _shown(check: Check, value: object, holds: bool, tells_number: bool) -> str:
    if value is None:
        return "NULL"
    # A text that was not expected may be anybody's name, and a number anybody's salary.
    is_number = isinstance(value, bool | int | float | Decimal)
    if (holds and check.expect is not None) or (tells_number and is_number):
        return str(value)
    kind = "number" if is_number and not isinstance(value, bool) else type(value).__name__
    return f"a {kind} that {'fits' if holds else 'does not fit'}"


def _failed(check: Check, found: str) -> CheckFailed:
    return CheckFailed(
        found,
        field=f"checks, {check.name}",
        expected="one query whose answer is one row of one column, of what the owners of production may read whole",
        action="correct the query, then start a new run; the users are still locked out",
    )
