"""The master's statements: asked, run, tried; and the databases in which they can be."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Composed, Identifier

from utils.database.server.connection import postgres_call
from utils.database.server.limits import TEMPORARY_FILES, limit_reached
from utils.database.server.refusals import LIMIT_OF_SETTINGS

Row = TypeVar("Row")
# The templates of PostgreSQL are AWS's; a template of production's own is a database like any other.
_CONNECTABLE = """
    SELECT datname FROM pg_database
    WHERE datallowconn AND datconnlimit NOT IN (-2, 0) AND datname NOT IN ('rdsadmin', 'template0', 'template1')
        AND has_database_privilege(oid, 'CONNECT')
    ORDER BY datname
"""


def rows(connection: Connection, what: str, query: str | Composable, values: Any = None) -> list[tuple[Any, ...]]:
    """Ask, and return the answer; `what` names the question in an error."""
    with _asking(connection, what), connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def rows_of(
    row: Callable[..., Row], connection: Connection, what: str, query: str | Composable, values: Any = None
) -> list[Row]:
    """Ask, and return the answer; `row` is a NamedTuple with a field for each column, in their order."""
    return [row(*columns) for columns in rows(connection, what, query, values)]


def names(connection: Connection, what: str, query: str | Composable, values: Any = None) -> list[str]:
    """Ask for names, and return them."""
    return [str(name) for (name,) in rows(connection, what, query, values)]


def run(connection: Connection, what: str, statements: Sequence[Composable]) -> None:
    """Run statements in order; `what` names them in an error."""
    with _asking(connection, what), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def execute(connection: Connection, statement: Composable) -> None:
    """Run one statement; raises psycopg2's own errors."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def attempt(connection: Connection, *refusals: type[Exception]) -> Iterator[None]:
    """Do what PostgreSQL may refuse; after one of `refusals` it is as if nothing had been tried."""
    execute(connection, SQL("SAVEPOINT attempt"))
    try:
        yield
    except refusals:
        execute(connection, SQL("ROLLBACK TO SAVEPOINT attempt"))
    execute(connection, SQL("RELEASE SAVEPOINT attempt"))


def listed(role_names: Sequence[str]) -> Composed:
    """Return role names as a statement lists them."""
    return SQL(", ").join(Identifier(name) for name in role_names)


def oids_of(connection: Connection, role_names: Sequence[str]) -> list[int]:
    """Return the roles' oids, which are the same in every database, whatever its encoding makes of their names."""
    query = "SELECT oid FROM pg_roles WHERE rolname = ANY(%s) ORDER BY rolname"
    return [int(oid) for (oid,) in rows(connection, "look at roles", query, (list(role_names),))]


def connectable_databases(connection: Connection) -> list[str]:
    """Return the databases that accept connections of people."""
    return names(connection, "list of databases", _CONNECTABLE)


def oids_of_databases(connection: Connection, databases: Sequence[str]) -> list[int]:
    """Return what the databases are known by, whatever becomes of their names."""
    query = "SELECT oid FROM pg_database WHERE datname = ANY(%s)"
    return [int(oid) for (oid,) in rows(connection, "list of databases", query, (list(databases),))]


def databases_of(connection: Connection, oids: Sequence[int]) -> list[str]:
    """Return the names that the databases have now."""
    query = "SELECT datname FROM pg_database WHERE oid = ANY(%s::oid[]) ORDER BY datname"
    return names(connection, "list of databases", query, (list(oids),))


@contextmanager
def _asking(connection: Connection, what: str) -> Iterator[None]:
    where = f"{what} in database {connection.info.dbname}"
    with postgres_call(where):
        try:
            yield
        except LIMIT_OF_SETTINGS as error:
            if TEMPORARY_FILES not in (error.diag.message_primary or ""):
                raise
            raise limit_reached(connection, where) from None
