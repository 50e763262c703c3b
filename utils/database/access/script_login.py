"""The login of the request's scripts and checks: made for the run, and with nothing of the master's to give away.

A script touches production's tables, and with them their triggers, rules, policies, defaults, constraints and index
expressions run. `SET ROLE` would be no fence: whatever runs in a session may `RESET ROLE` to who logged in.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal
from pydantic import SecretStr

from utils.database.access.logins import shut_out
from utils.database.rights.objects import on_objects
from utils.database.rights.ownership import open_schemas
from utils.database.roles.aws_roles import MAY_ALTER, OF_AWS, SYSTEM_ROLE
from utils.database.roles.memberships import join, version
from utils.database.roles.owner_role import OWNER_ROLE, SCRIPT_LOGIN
from utils.database.roles.powers import HARMLESS
from utils.database.server.connection import FIRST_DATABASE, Login, Master, postgres_call
from utils.database.server.statements import attempt, execute, listed, names, rows, run
from utils.errors import AuroraRestoreError

# Longer than an invocation of the function; the login itself cannot prolong it.
_VALID_MINUTES = 20
# As a text that means the same whatever the session's DateStyle and time zone are.
_UNTIL = (
    f"SELECT to_char(now() AT TIME ZONE 'UTC' + interval '{_VALID_MINUTES} minutes', 'YYYY-MM-DD HH24:MI:SS') || '+00'"
)
_LEFTOVER = f"SELECT rolname FROM pg_roles WHERE rolname = %(name)s AND {MAY_ALTER}"  # noqa: S608 - constants
# Whoever is a member of another of PostgreSQL's and AWS's, directly or not, is none whom the login may be; of rds_iam,
# because on RDS a member of it has no password; of a login that is kept, because it could give that another password.
_STRONG = f"""
    strong AS (
        SELECT oid FROM pg_roles WHERE rolsuper OR rolcreaterole OR rolreplication OR rolname = current_user
            OR {SYSTEM_ROLE} AND rolname <> ALL(%(harmless)s) OR rolcanlogin AND rolname <> %(login)s
    )
"""  # noqa: S608 - constants
_JOINABLE = f"""
    WITH {_STRONG}
    SELECT rolname FROM pg_roles
    WHERE rolname <> %(login)s AND NOT EXISTS (SELECT FROM strong WHERE pg_has_role(pg_roles.oid, strong.oid, 'MEMBER'))
        AND NOT {SYSTEM_ROLE} AND NOT pg_has_role(oid, %(login)s, 'MEMBER')
        AND (current_setting('server_version_num')::int < 160000 OR pg_has_role(oid, 'MEMBER WITH ADMIN OPTION'))
        AND (rolname = ANY(%(wanted)s) OR oid IN (
            SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o'))
    ORDER BY rolname
"""  # noqa: S608 - constants
# On rows only: by a trigger or a foreign key its code would run as the owner.
_RIGHTS = {"SCHEMA": "USAGE", "TABLE": "SELECT, INSERT, UPDATE, DELETE, TRUNCATE", "SEQUENCE": "ALL"}
# What belongs to owners that it must not be: the rights that an owner would have on the rows.
_OF_OTHERS = """
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
        array_agg(quote_ident(nspname) || '.' || quote_ident(relname) ORDER BY pg_class.oid)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_roles ON pg_roles.oid = relowner
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT rolsuper AND pg_has_role(relowner, 'USAGE')
        AND NOT pg_has_role(%(login)s, relowner, 'USAGE') AND nspname NOT LIKE 'pg\\_%%'
        AND has_schema_privilege(pg_namespace.oid, 'USAGE')
    GROUP BY 1 ORDER BY 1
"""
_CLOSED_SCHEMAS = """
    SELECT 'SCHEMA', array_agg(quote_ident(nspname) ORDER BY pg_namespace.oid)
    FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE NOT rolsuper AND pg_has_role(nspowner, 'USAGE') AND nspname NOT LIKE 'pg\\_%%'
        AND NOT has_schema_privilege(%(login)s, pg_namespace.oid, 'USAGE')
    HAVING count(*) > 0
"""
# What reaches out of schemas, whose owner needs more than the weak owner has; nothing of it is code.
_FAR_REACHING = """
    SELECT 'PUBLICATION ' || quote_ident(pubname) FROM pg_publication JOIN pg_roles ON pg_roles.oid = pubowner
    WHERE rolname = %(login)s
    UNION ALL SELECT 'SERVER ' || quote_ident(srvname) FROM pg_foreign_server JOIN pg_roles ON pg_roles.oid = srvowner
    WHERE rolname = %(login)s
"""
_WHERE_IT_HAS_SOMETHING = """
    SELECT DISTINCT datname FROM pg_shdepend JOIN pg_database ON pg_database.oid = dbid
    WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = %s)
        AND datallowconn AND datname <> %s ORDER BY datname
"""


@dataclass(frozen=True, kw_only=True)
class ScriptWork:
    """What such a login is to do: in which databases, as which roles, and whether some of it is the master's work.

    login: its name, the same for each call of an operation and for no other, so that nobody else's is taken for it;
    changed: the databases that scripts change, while checks only look at theirs.
    """

    login: str = SCRIPT_LOGIN
    databases: Collection[str]
    changed: Collection[str] = ()
    roles: Collection[str] = ()
    as_master: bool = False
    run: Callable[[Login], None]


@contextmanager
def script_login(master: Master, work: ScriptWork, lock_pid: int) -> Iterator[Login]:
    """Make a login with the rights of production's owners, and remove it; what it made stays.

    It is a member of the owner role, which has got what the master owned, and of every owner but those with rights of
    the master's kind; on what these own it has the rights on rows.
    """
    remove_script_login(master, work.login, lock_pid)
    login = Login(
        server=master.server,
        name=work.login,
        password=SecretStr(secrets.token_urlsafe(32)),
    )
    done = False
    try:
        _make(master, login, work.roles)
        for database in work.databases:
            with master.in_database(database) as connection:
                _let_in(connection, login.name)
        yield login
        done = True
    finally:
        _remove(master, work.login, lock_pid, in_time=done)


def name_for(operation_id: str) -> str:
    """Return the name of the login of an operation, which production cannot have known."""
    return f"{SCRIPT_LOGIN}_{hashlib.sha256(operation_id.encode()).hexdigest()[:16]}"


def remove_script_login(master: Master, name: str, lock_pid: int) -> None:
    """Remove the login, also one that an invocation left which was broken off; the owner role gets its own."""
    with master.in_database(FIRST_DATABASE) as connection:
        left = names(connection, "look at the login of scripts", _LEFTOVER, {"name": name})
    if not left:
        return
    shut_out(master, left, lock_pid)
    with master.in_database(FIRST_DATABASE) as connection:
        join(connection, left)
        values = (name, FIRST_DATABASE)
        databases = [FIRST_DATABASE, *names(connection, "look at what scripts made", _WHERE_IT_HAS_SOMETHING, values)]
    for database in databases:
        with master.in_database(database) as connection:
            # The new owner of what scripts made needs CREATE on its schema.
            open_schemas(connection)
            role = Identifier(name)
            far = names(connection, "look at what scripts made", _FAR_REACHING, {"login": name})
            statements = [
                # PostgreSQL has quoted these names itself.
                *(SQL("ALTER ") + SQL(each) + SQL(" OWNER TO CURRENT_USER") for each in far),
                SQL("REASSIGN OWNED BY {} TO {}").format(role, Identifier(OWNER_ROLE)),
                SQL("DROP OWNED BY {}").format(role),
            ]
            run(connection, f"new owner for what scripts made in database {database}", statements)
    with master.in_database(FIRST_DATABASE) as connection:
        run(connection, "end of the login of scripts", [SQL("DROP ROLE {}").format(Identifier(name))])


def _remove(master: Master, name: str, lock_pid: int, *, in_time: bool) -> None:
    try:
        remove_script_login(master, name, lock_pid)
    except AuroraRestoreError:
        # Nothing replaces the error of a script; the next call removes the login, whose time is up soon.
        if in_time:
            raise


def _make(master: Master, login: Login, roles: Collection[str]) -> None:
    with master.in_database(FIRST_DATABASE) as connection:
        with postgres_call("password of the login of scripts"):
            verifier = encrypt_password(
                login.password.get_secret_value(), login.name, scope=connection, algorithm="scram-sha-256"
            )
        until = rows(connection, "clock", _UNTIL)[0][0]
        statement = SQL(
            "CREATE ROLE {} LOGIN INHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT 4 PASSWORD {} VALID UNTIL {}"
        )
        run(
            connection,
            "creation of the login of scripts",
            [statement.format(Identifier(login.name), Literal(verifier), Literal(until))],
        )
        values = {**OF_AWS, "harmless": HARMLESS, "login": login.name, "wanted": list(roles)}
        owners = names(connection, "look at owners", _JOINABLE, values)
        if owners:
            run(connection, "memberships of the login of scripts", [_membership(connection, owners, login.name)])
        # Checks look at everything, also at what an extension made for itself.
        _try(connection, _membership(connection, ["pg_read_all_data"], login.name))


def _membership(connection: Connection, roles: Sequence[str], login: str) -> Composed:
    options = SQL(" WITH INHERIT TRUE, SET TRUE") if version(connection) >= 160000 else SQL("")
    return SQL("GRANT {} TO {}").format(listed(roles), Identifier(login)) + options


def _let_in(connection: Connection, login: str) -> None:
    whom = SQL("TO {}").format(Identifier(login))
    database = Identifier(connection.info.dbname).as_string(connection)
    _try(connection, on_objects("GRANT CONNECT, TEMPORARY", "DATABASE", [database], whom))
    for query in (_CLOSED_SCHEMAS, _OF_OTHERS):
        for kind, objects in rows(connection, "look at what scripts may not reach", query, {"login": login}):
            grant = on_objects(f"GRANT {_RIGHTS[kind]}", kind, objects, whom)
            run(connection, "rights of the login of scripts", [grant])


def _try(connection: Connection, statement: Composable) -> None:
    with postgres_call("rights of the login of scripts"), attempt(connection, postgres_errors.InsufficientPrivilege):
        execute(connection, statement)
