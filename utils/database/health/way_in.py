"""The master's way in: what would stop the set-up's sessions half-way is put right with the first one, or named."""

from collections.abc import Sequence
from dataclasses import replace

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier

from utils.database.access.first_look import look_for_what_ran
from utils.database.health.finding import finding
from utils.database.server.connection import FIRST_DATABASE, TEMPLATE, Master, postgres_call
from utils.database.server.limits import TEMPORARY_FILES
from utils.database.server.statements import attempt, execute, names, rows
from utils.errors import DatabaseChangeRefused
from utils.operation.model import HealthRecord, Verdict

# The lock's, the one that is kept for the first database, the one at work, and one that is just ending.
_SESSIONS = 4
_DATABASES = """
    SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'rdsadmin'
        AND has_database_privilege(oid, 'CONNECT') AND (datconnlimit = -1 OR datconnlimit >= %s)
    ORDER BY oid
"""
_FULL = """
    SELECT datconnlimit FROM pg_database WHERE datname = %s AND datallowconn
        AND has_database_privilege(oid, 'CONNECT') AND datconnlimit BETWEEN 1 AND %s - 1
"""
# What production may have given to the master's sessions, though it takes a superuser or a right of his to change, and
# what they have instead. Without triggers a script would leave work undone.
_OF_SUPERUSERS = {TEMPORARY_FILES: "-1", "session_replication_role": "origin"}
_GIVEN = """
    SELECT DISTINCT split_part(entry, '=', 1) FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS entry
    WHERE split_part(entry, '=', 1) = ANY(%s)
        AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
    ORDER BY 1
"""
# Where the limit stays, the catalog is looked at in memory.
_IN_MEMORY = "-c work_mem=64MB"
_LIMITS = """
    SELECT datconnlimit, rolconnlimit, rolinherit, current_setting('server_version_num')::int
    FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user
"""


def find_way_in(master: Master) -> tuple[Master, list[HealthRecord]]:
    """Return the master with a first database that has room for the set-up, and what was put right for it.

    Raises `DatabaseChangeRefused` for what stops every set-up.
    """
    found: list[HealthRecord] = []
    first = FIRST_DATABASE
    if not _can_enter(master, first):
        found = _made_room(master)
        first = FIRST_DATABASE if found and _can_enter(master, FIRST_DATABASE) else _another(master, TEMPLATE)
    with master.session(first) as connection:
        room, role_room, inherits, version = rows(connection, "look at the way in", _LIMITS)[0]
        given = names(connection, "look at settings", _GIVEN, (list(_OF_SUPERUSERS),))
    master = _with_own(replace(master, first_database=first), given)
    with master.in_database(first) as connection:
        if 0 <= role_room < _SESSIONS:
            found += _mend_role(connection, master, f"CONNECTION LIMIT {role_room}", SQL("CONNECTION LIMIT -1"))
        # Since PostgreSQL 16 each membership says itself whether it gives rights; before, the role says it for all.
        if not inherits and version < 160_000:
            found += _mend_role(connection, master, "NOINHERIT", SQL("INHERIT"))
        if 0 <= room < _SESSIONS:
            if raised := _mend_limit(connection, first, room):
                return master, [*found, *raised]
            return replace(master, first_database=_another(master, first)), found
    return master, found


def _with_own(master: Master, given: Sequence[str]) -> Master:
    """Return the master with settings of its own for those that production has given, as far as it may."""
    for name in given:
        options = f"{master.options} -c {name}={_OF_SUPERUSERS[name]}"
        if master.may_begin_with(options):
            master = replace(master, options=options)
        elif name == TEMPORARY_FILES:
            master = replace(master, options=f"{master.options} {_IN_MEMORY}")
    return master


def _made_room(master: Master) -> list[HealthRecord]:
    """Raise the first database's limit from another one: a session that is just ending may be all that it bears.

    Passed over, the set-up's lock would be taken where an earlier call of this step does not look for it.
    """
    with master.session(TEMPLATE) as connection:
        look_for_what_ran(connection, master.password)
        limits = rows(connection, "look for room", _FULL, (FIRST_DATABASE, _SESSIONS))
    with master.in_database(TEMPLATE) as connection:
        return [found for (limit,) in limits for found in _mend_limit(connection, FIRST_DATABASE, limit)]


def _mend_limit(connection: Connection, database: str, limit: int) -> list[HealthRecord]:
    if not _is_done(connection, SQL("ALTER DATABASE {} CONNECTION LIMIT -1").format(Identifier(database))):
        return []
    return finding(Verdict.MENDED, f"CONNECTION LIMIT {limit} of the database", [database])


def _another(master: Master, way: str) -> str:
    with master.session(way) as connection:
        look_for_what_ran(connection, master.password)
        others = [name for (name,) in rows(connection, "look for a database", _DATABASES, (_SESSIONS,)) if name != way]
    for name in others:
        if _can_enter(master, name):
            return str(name)
    raise DatabaseChangeRefused(
        f"no database that lets {master.name} in {_SESSIONS} times at once",
        expected=f"the database {FIRST_DATABASE}, or any other that accepts connections, for the set-up to work from",
        action="in the source: ALTER DATABASE ... CONNECTION LIMIT -1, or ALLOW_CONNECTIONS true; then a new snapshot",
    )


def _can_enter(master: Master, database: str) -> bool:
    return master.can_enter(database, lambda connection: look_for_what_ran(connection, master.password))


def _mend_role(connection: Connection, master: Master, what: str, option: Composable) -> list[HealthRecord]:
    if _is_done(connection, SQL("ALTER ROLE CURRENT_USER ") + option):
        return finding(Verdict.MENDED, f"{what} of the master", [master.name])
    raise DatabaseChangeRefused(
        f"master user {master.name} with {what}, which it may not change itself",
        expected=f"room for {_SESSIONS} sessions of the master, with the rights of the roles that it is a member of",
        action=f"ALTER ROLE {master.name} {option.as_string(connection)} in the source, as another role with "
        "CREATEROLE and ADMIN on it, then start a new run from a new snapshot; nothing was changed",
    )


def _is_done(connection: Connection, statement: Composable) -> bool:
    refused = True
    with postgres_call("room for the set-up"), attempt(connection, postgres_errors.InsufficientPrivilege):
        execute(connection, statement)
        refused = False
    return not refused
