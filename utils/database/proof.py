"""The proof: log in as each user and try, with real statements, what it can and what it cannot do.

Every table, sequence and schema is judged by PostgreSQL's own has_*_privilege; statements are tried on some of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier
from pydantic import SecretStr

from utils.database.connection import DatabaseServer, Master, connected, postgres_call
from utils.database.profiles import DatabaseUser, Profile
from utils.database.session import names, rows, run
from utils.errors import UsersNotProven

_PROBE_TABLE = "aurora_restore_probe"
_REFUSALS = (postgres_errors.InsufficientPrivilege, postgres_errors.ReadOnlySqlTransaction)
# With 15,000 tables a statement on each would take longer than the function may.
_TRIED_TABLES = 30
# What a superuser owns is AWS's, and so is what lies in a schema of his that he keeps to himself.
_RELATIONS = """
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%'
        AND relowner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper)
        AND (has_schema_privilege(relnamespace, 'USAGE') OR nspowner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper))
"""
_TABLES = f"""
    SELECT nspname, relname, relhasrules FROM (
        SELECT nspname, relname, relhasrules, row_number() OVER (PARTITION BY nspname ORDER BY relname) AS place
        {_RELATIONS} AND relkind IN ('r', 'p')
    ) AS tables ORDER BY place, nspname, relname LIMIT %(limit)s
"""  # noqa: S608 - constants
_COUNT = f"SELECT count(*)::int {_RELATIONS} AND relkind IN ('r', 'p')"
_LEFT_ALONE = """
    SELECT quote_ident(nspname) FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE rolsuper AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%'
        AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE') ORDER BY 1
"""
# What a user may do that its profile does not say, or may not do that it says.
_NAME = "quote_ident(nspname) || '.' || quote_ident(relname)"
_UNREADABLE = f"""
    SELECT {_NAME} {_RELATIONS} AND relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT (has_table_privilege(pg_class.oid, 'SELECT') AND has_schema_privilege(relnamespace, 'USAGE'))
    ORDER BY 1 LIMIT 1
"""
_UNWRITABLE = f"""
    SELECT {_NAME} {_RELATIONS} AND relkind IN ('r', 'p')
        AND NOT (has_table_privilege(pg_class.oid, 'INSERT') AND has_table_privilege(pg_class.oid, 'UPDATE')
            AND has_table_privilege(pg_class.oid, 'DELETE'))
    ORDER BY 1 LIMIT 1
"""
# The privileges of a list are alternatives.
_WRITABLE = f"""
    SELECT {_NAME} {_RELATIONS} AND has_schema_privilege(relnamespace, 'USAGE') AND (
        relkind IN ('r', 'p', 'v', 'f') AND (has_any_column_privilege(pg_class.oid, 'INSERT, UPDATE')
            OR has_table_privilege(pg_class.oid, 'DELETE, TRUNCATE'))
        OR CASE WHEN relkind = 'S' THEN has_sequence_privilege(pg_class.oid, 'USAGE, UPDATE') END)
    ORDER BY 1 LIMIT 1
"""
_TRUNCATABLE = f"""
    SELECT {_NAME} {_RELATIONS} AND relkind IN ('r', 'p') AND has_table_privilege(pg_class.oid, 'TRUNCATE, TRIGGER')
    ORDER BY 1 LIMIT 1
"""
# One schema stands for all: the rights on what comes later do not depend on it.
_CREATABLE = """
    SELECT nspname FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE NOT rolsuper AND nspname NOT LIKE 'pg\\_%%' AND has_schema_privilege(pg_namespace.oid, 'CREATE')
        AND has_schema_privilege(pg_namespace.oid, 'USAGE')
    ORDER BY nspname <> 'public', nspname LIMIT 1
"""
_OPEN_SCHEMAS = """
    SELECT quote_ident(nspname) FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%' AND has_schema_privilege(oid, 'CREATE')
    ORDER BY 1 LIMIT 1
"""
_OWNED = """
    SELECT objid::text FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o'
        AND classid <> 'pg_default_acl'::regclass
        AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = current_user) LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A statement, and whether the user must be allowed to run it."""

    what: str
    statement: Composable
    allowed: bool


def prove_later(
    server: DatabaseServer, master: Master, databases: Sequence[str], users: Sequence[DatabaseUser]
) -> None:
    """Create a table as the master and try it as each user, in a transaction that ends in nothing.

    A login of the user's own would not see the table before it is committed. Raises `UsersNotProven`.
    """
    for database in databases:
        with connected(server, database, master.name, master.password) as connection:
            for schema in names(connection, "look for a schema to create in", _CREATABLE, {}):
                probe = Identifier(schema, _PROBE_TABLE)
                run(connection, "table of the proof", [SQL("CREATE TABLE {} (n int)").format(probe)])
                for user in users:
                    run(connection, "proof", [SQL("SET LOCAL ROLE {}").format(Identifier(user.name))])
                    for attempt in _attempts(user.profile, [(probe, False)], has_public=False):
                        _check(connection, database, user, attempt)
                    run(connection, "proof", [SQL("RESET ROLE")])
            connection.rollback()


def prove(server: DatabaseServer, databases: Sequence[str], user: DatabaseUser, secret: SecretStr) -> list[str]:
    """Return what was proven of the user, a line for each database; raises `UsersNotProven`."""
    proven = []
    for database in databases:
        with connected(server, database, user.name, secret) as connection:
            tables = _tables(connection)
            attempts = _attempts(user.profile, tables, has_public=_has_public(connection))
            for attempt in attempts:
                _check(connection, database, user, attempt)
            _check_rights(connection, database, user)
            left_alone = names(connection, "look at AWS's schemas", _LEFT_ALONE, {})
            count = rows(connection, "count of tables", _COUNT, {})[0][0]
        done = ", ".join(dict.fromkeys(f"{'can' if a.allowed else 'cannot'} {a.what}" for a in attempts))
        tried = f", {len(tables)} of them tried" if len(tables) < count else ""
        alone = f"; schemas of AWS left alone: {', '.join(left_alone)}" if left_alone else ""
        proven.append(f"{database}: logs in, {done} ({count} tables{tried}){alone}")
    return proven


def _tables(connection: Connection) -> list[tuple[Composable, bool]]:
    found = rows(connection, "look at tables", _TABLES, {"limit": _TRIED_TABLES})
    return [(Identifier(schema, table), has_rules) for schema, table, has_rules in found]


def _has_public(connection: Connection) -> bool:
    query = "SELECT 1 FROM pg_namespace WHERE nspname = 'public' AND has_schema_privilege(oid, 'USAGE')"
    return bool(rows(connection, "look at the schema public", query))


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


def _check_rights(connection: Connection, database: str, user: DatabaseUser) -> None:
    # A statement for each way to write to each kind of object cannot be written: ask for the rights behind them.
    checks = [("cannot read", _UNREADABLE)]
    if user.profile is Profile.READONLY:
        checks.append(("can write", _WRITABLE))
    else:
        checks.append(("cannot write", _UNWRITABLE))
    if user.profile is Profile.APPLICATION:
        checks.append(("can truncate or put triggers on", _TRUNCATABLE))
    if user.profile is not Profile.DEVOPS:
        checks += [("can create objects in schema", _OPEN_SCHEMAS), ("owns the object", _OWNED)]
    for what, query in checks:
        found = names(connection, f"proof of user {user.name}", query, {})
        if found:
            raise UsersNotProven(
                f"user {user.name} in database {database} that {what} {found[0]}",
                expected=f"one with the rights of profile {user.profile.value}, no more and no less",
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
