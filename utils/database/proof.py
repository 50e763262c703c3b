"""The proof: log in as each user and try, with real statements, what it can and what it cannot do."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier
from pydantic import SecretStr

from utils.database.connection import DatabaseServer, connected, postgres_call
from utils.database.profiles import DatabaseUser, Profile
from utils.errors import UsersNotProven

_PROBE_TABLE = "aurora_restore_probe"
_REFUSALS = (postgres_errors.InsufficientPrivilege, postgres_errors.ReadOnlySqlTransaction)
_TABLES = """
    SELECT nspname, relname, relhasrules FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_roles ON pg_roles.oid = relowner AND NOT rolsuper
    WHERE relkind IN ('r', 'p') AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
    ORDER BY nspname, relname
"""
_WRITABLE = """
    SELECT pg_class.oid::regclass::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_roles ON pg_roles.oid = relowner AND NOT rolsuper
    WHERE relkind IN ('r', 'p', 'v', 'f') AND nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(nspname, 'USAGE')
        AND (has_any_column_privilege(pg_class.oid, 'INSERT, UPDATE')
             OR has_table_privilege(pg_class.oid, 'DELETE, TRUNCATE'))
    ORDER BY 1 LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A statement, and whether the user must be allowed to run it."""

    what: str
    statement: Composable
    allowed: bool


def prove(server: DatabaseServer, databases: Sequence[str], user: DatabaseUser, secret: SecretStr) -> list[str]:
    """Return what was proven of the user, a line for each database; raises `UsersNotProven`."""
    proven = []
    for database in databases:
        with connected(server, database, user.name, secret) as connection:
            tables = _tables(connection)
            attempts = _attempts(user.profile, tables, has_public=_has_public(connection))
            for attempt in attempts:
                _check(connection, database, user, attempt)
            if user.profile is Profile.READONLY:
                _check_nothing_is_writable(connection, database, user)
        done = ", ".join(dict.fromkeys(f"{'can' if a.allowed else 'cannot'} {a.what}" for a in attempts))
        proven.append(f"{database}: logs in, {done} ({len(tables)} tables)")
    return proven


def _tables(connection: Connection) -> list[tuple[Composable, bool]]:
    with postgres_call("look at tables"), connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [(Identifier(schema, table), has_rules) for schema, table, has_rules in cursor.fetchall()]


def _has_public(connection: Connection) -> bool:
    with postgres_call("look at the schema public"), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'public'")
        return cursor.fetchone() is not None


def _attempts(profile: Profile, tables: list[tuple[Composable, bool]], *, has_public: bool) -> list[Attempt]:
    reads = [Attempt(what="read", statement=SQL("SELECT FROM {} LIMIT 1").format(t), allowed=True) for t, _ in tables]
    # EXPLAIN checks the rights and fires no trigger; a rule may make nothing of the statement, and of its rights.
    writes = [
        Attempt(
            what="write",
            statement=SQL("EXPLAIN DELETE FROM {} WHERE false").format(table),
            allowed=profile is not Profile.READONLY,
        )
        for table, has_rules in tables
        if not has_rules
    ]
    probe = Identifier("public", _PROBE_TABLE)
    creates = Attempt(
        what="create tables",
        statement=SQL("CREATE TABLE {} (n int)").format(probe),
        allowed=profile is Profile.DEVOPS,
    )
    return [*reads, *writes, creates] if has_public else [*reads, *writes]


def _check_nothing_is_writable(connection: Connection, database: str, user: DatabaseUser) -> None:
    # A statement for each way to write to each kind of table cannot be written: ask for the rights behind them.
    with postgres_call(f"proof of user {user.name}"), connection.cursor() as cursor:
        cursor.execute(_WRITABLE)
        found = cursor.fetchone()
    if found is not None:
        raise UsersNotProven(
            f"user {user.name} in database {database} that can write {found[0]}",
            expected=f"one of profile {user.profile.value}, without INSERT, UPDATE, DELETE and TRUNCATE on any table",
            action="see who granted or owns that object, as the master user; then start the run again",
        )


def _check(connection: Connection, database: str, user: DatabaseUser, attempt: Attempt) -> None:
    with postgres_call(f"proof of user {user.name}"), connection.cursor() as cursor:
        cursor.execute("SAVEPOINT proof")
        try:
            cursor.execute(attempt.statement)
            was_allowed = True
        except _REFUSALS:
            was_allowed = False
        cursor.execute("ROLLBACK TO SAVEPOINT proof")
    if was_allowed is not attempt.allowed:
        raise UsersNotProven(
            f"user {user.name} in database {database} that {'can' if was_allowed else 'cannot'} {attempt.what}",
            expected=f"one of profile {user.profile.value}, which "
            f"{'can' if attempt.allowed else 'cannot'}: {attempt.statement.as_string(connection)}",
            action="see who granted or owns that object, as the master user; then start the run again",
        )
