"""The proof: log in as each user and try, with real statements, what it can and what it cannot do.

Every table, sequence and schema is judged by PostgreSQL's own has_*_privilege; statements are tried on some of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier
from pydantic import SecretStr

from utils.database.proof.by_privilege import RELATIONS, check_rights
from utils.database.roles.profiles import DatabaseUser, Profile
from utils.database.server.connection import DatabaseServer, Master, connected, postgres_call
from utils.database.server.statements import names, rows, run
from utils.errors import UsersNotProven

_PROBE_TABLE = "aurora_restore_probe"
_REFUSALS = (postgres_errors.InsufficientPrivilege, postgres_errors.ReadOnlySqlTransaction)
# With 15,000 tables a statement on each would take longer than the function may.
_TRIED_TABLES = 30
_TABLES = f"""
    SELECT nspname, relname, relhasrules, pg_get_userbyid(relowner) FROM (
        SELECT nspname, relname, relhasrules, relowner,
            row_number() OVER (PARTITION BY nspname ORDER BY relname) AS place
        {RELATIONS} AND relkind IN ('r', 'p')
    ) AS tables ORDER BY place, nspname, relname LIMIT %(limit)s
"""  # noqa: S608 - constants
_COUNT = f"SELECT count(*)::int {RELATIONS} AND relkind IN ('r', 'p')"
_LEFT_ALONE = """
    SELECT quote_ident(nspname) FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE rolsuper AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%'
        AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE') ORDER BY 1
"""
# One schema stands for all: the rights on what comes later do not depend on it.
_CREATABLE = """
    SELECT nspname FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE NOT rolsuper AND nspname NOT LIKE 'pg\\_%%' AND has_schema_privilege(pg_namespace.oid, 'CREATE')
        AND has_schema_privilege(pg_namespace.oid, 'USAGE')
    ORDER BY nspname <> 'public', nspname LIMIT 1
"""
_STRONG_HERE = f"""
    SELECT DISTINCT quote_ident(pg_get_userbyid(relowner)) {RELATIONS} AND pg_get_userbyid(relowner) = ANY(%(strong)s)
    ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A statement, and whether the user must be allowed to run it."""

    what: str
    statement: Composable
    allowed: bool


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A table to try statements on; `is_strong_owners`: nobody is to act for its owner."""

    name: Composable
    has_rules: bool = False
    is_strong_owners: bool


def prove_later(master: Master, databases: Sequence[str], users: Sequence[DatabaseUser]) -> None:
    """Create a table as the master and try it as each user, in a transaction that ends in nothing.

    A login of the user's own would not see the table before it is committed. Raises `UsersNotProven`.
    """
    for database in databases:
        with master.in_database(database) as connection:
            for schema in names(connection, "look for a schema to create in", _CREATABLE, {}):
                probe = Identifier(schema, _PROBE_TABLE)
                run(connection, "table of the proof", [SQL("CREATE TABLE {} (n int)").format(probe)])
                for user in users:
                    run(connection, "proof", [SQL("SET LOCAL ROLE {}").format(Identifier(user.name))])
                    table = _Table(name=probe, is_strong_owners=True)
                    for attempt in _attempts(user.profile, [table], has_public=False):
                        _check(connection, database, user, attempt)
                    run(connection, "proof", [SQL("RESET ROLE")])
            connection.rollback()


def prove(
    server: DatabaseServer,
    databases: Sequence[str],
    user: DatabaseUser,
    secret: SecretStr,
    strong_owners: Sequence[str],
) -> list[str]:
    """Return what was proven of the user, a line for each database; raises `UsersNotProven`.

    strong_owners: the master and other owners with more rights than any user may get, for which none may act.
    """
    strong = {"strong": list(strong_owners)}
    proven = []
    for database in databases:
        with connected(server, database, user.name, secret) as connection:
            tables = _tables(connection, strong_owners)
            attempts = _attempts(user.profile, tables, has_public=_has_public(connection))
            for attempt in attempts:
                _check(connection, database, user, attempt)
            check_rights(connection, database, user, strong)
            stronger = names(connection, "look at strong owners", _STRONG_HERE, strong)
            left_alone = names(connection, "look at AWS's schemas", _LEFT_ALONE, {})
            count = rows(connection, "count of tables", _COUNT, {})[0][0]
        done = ", ".join(dict.fromkeys(f"{'can' if a.allowed else 'cannot'} {a.what}" for a in attempts))
        tried = f", {len(tables)} of them tried" if len(tables) < count else ""
        alone = f"; schemas of AWS left alone: {', '.join(left_alone)}" if left_alone else ""
        if user.profile is Profile.DEVOPS and stronger:
            alone += f"; cannot alter what {', '.join(stronger)} owns, which has more rights than devops may get"
        proven.append(f"{database}: logs in, {done} ({count} tables{tried}){alone}")
    return proven


def _tables(connection: Connection, strong_owners: Sequence[str]) -> list[_Table]:
    found = rows(connection, "look at tables", _TABLES, {"limit": _TRIED_TABLES})
    return [
        _Table(name=Identifier(schema, table), has_rules=has_rules, is_strong_owners=owner in strong_owners)
        for schema, table, has_rules, owner in found
    ]


def _has_public(connection: Connection) -> bool:
    query = "SELECT 1 FROM pg_namespace WHERE nspname = 'public' AND has_schema_privilege(oid, 'USAGE')"
    return bool(rows(connection, "look at the schema public", query))


def _attempts(profile: Profile, tables: Sequence[_Table], *, has_public: bool) -> list[Attempt]:
    is_devops = profile is Profile.DEVOPS
    reads = [Attempt(what="read", statement=SQL("SELECT FROM {} LIMIT 1").format(t.name), allowed=True) for t in tables]
    # EXPLAIN checks the rights and fires no trigger; a rule may make nothing of the statement, and of its rights.
    writes = [
        Attempt(
            what="write",
            statement=SQL("EXPLAIN DELETE FROM {} WHERE false").format(table.name),
            allowed=profile is not Profile.READONLY,
        )
        for table in tables
        if not table.has_rules
    ]
    # A comment takes what every change of a table takes, its owner's rights, but no lock that reads or writes wait for.
    alters = [
        Attempt(what="alter", statement=SQL("COMMENT ON TABLE {} IS NULL").format(table.name), allowed=is_devops)
        for table in tables
        if not (is_devops and table.is_strong_owners)
    ]
    probe = Identifier("public", _PROBE_TABLE)
    creates = Attempt(
        what="create tables",
        statement=SQL("CREATE TABLE {} (n int)").format(probe),
        allowed=is_devops,
    )
    return [*reads, *writes, *alters, *([creates] if has_public else [])]


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
