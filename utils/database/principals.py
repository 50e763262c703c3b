"""The users as roles of the cluster: attributes, memberships and settings, whatever they were before."""

from collections.abc import Sequence

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composed, Identifier, Literal

from utils.database.aws_roles import is_reserved
from utils.database.connection import postgres_call
from utils.database.logins import MAY_ALTER
from utils.database.memberships import version
from utils.database.profiles import PRIVILEGES, Auth, DatabaseUser
from utils.database.session import attempt, execute, rows, run
from utils.errors import DatabaseChangeRefused, SecretInvalid

_IAM_ROLE = "rds_iam"
_ROLE = f"SELECT oid, rolsuper, {MAY_ALTER} FROM pg_roles WHERE rolname = %s"  # noqa: S608 - constants
_MEMBERSHIPS = """
    SELECT role.rolname, grantor.rolname, admin_option FROM pg_auth_members AS held
    JOIN pg_roles AS role ON role.oid = held.roleid JOIN pg_roles AS grantor ON grantor.oid = held.grantor
    JOIN pg_roles AS member ON member.oid = held.member
    WHERE member.rolname = %s ORDER BY 1, 2
"""
_SETTINGS = """
    SELECT datname, setconfig FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole
    LEFT JOIN pg_database ON pg_database.oid = setdatabase
    WHERE rolname = %s ORDER BY datname NULLS FIRST
"""
_ATTRIBUTES = """
    SELECT rolinherit AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
    FROM pg_roles WHERE rolname = %s
"""


def check_names(users: Sequence[DatabaseUser], master: str) -> None:
    """Refuse a user name that is the master's, AWS's or PostgreSQL's; raises `SecretInvalid`."""
    for user in users:
        if user.name == master or is_reserved(user.name):
            raise SecretInvalid(
                f"user name {user.name!r}",
                field=f"app-credentials, {user.profile.value} user, username",
                expected="a name that is not the master user's, and does not start with rds or pg_",
                action="put another name into the secret, then start the run again",
            )


def set_up_role(connection: Connection, user: DatabaseUser) -> None:
    """Create the role or take it over, without login; raises `DatabaseChangeRefused` if it cannot be put right."""
    found = rows(connection, f"look at user {user.name}", _ROLE, (user.name,))
    if found:
        oid, is_superuser, may_alter = found[0]
        if is_superuser or not may_alter:
            raise DatabaseChangeRefused(
                f"a role {user.name} that came with the snapshot, "
                f"{'a superuser' if is_superuser else 'on which the master has no ADMIN OPTION'}",
                expected="one that the master may put right",
                action="give the user another name in app-credentials, then start the run again",
            )
        _put_right(connection, user)
        if not _is_right(connection, user):
            _put_aside(connection, user, oid)
            found = []
    if not found:
        run(connection, f"creation of user {user.name}", [SQL("CREATE ROLE {}").format(Identifier(user.name))])
        _put_right(connection, user)
    if not _is_right(connection, user):
        raise DatabaseChangeRefused(
            f"user {user.name}, which the master cannot give {_wanted_text(user)}",
            expected="a master with ADMIN OPTION on the roles to be granted, and with the right to the settings",
            action="see the user's memberships and settings as the master user",
        )


def memberships_of(connection: Connection, user: DatabaseUser) -> list[str]:
    """Return the roles that the user shall be a member of, as far as the master may grant them."""
    granted = [role for role in PRIVILEGES[user.profile].memberships if _may_grant(connection, role)]
    return [*granted, _IAM_ROLE] if user.auth is Auth.IAM else granted


def _put_right(connection: Connection, user: DatabaseUser) -> None:
    name = Identifier(user.name)
    limit = -1 if user.connection_limit is None else user.connection_limit
    run(
        connection,
        f"attributes of user {user.name}",
        [
            SQL("ALTER ROLE {} INHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT {} VALID UNTIL 'infinity'").format(
                name, Literal(limit)
            )
        ],
    )
    wanted = memberships_of(connection, user)
    for role, grantor, has_admin in rows(connection, f"memberships of {user.name}", _MEMBERSHIPS, (user.name,)):
        if role not in wanted or has_admin:
            statement = SQL("REVOKE {} FROM {}").format(Identifier(role), name)
            if version(connection) >= 160000:
                statement += SQL(" GRANTED BY {}").format(Identifier(grantor))
            _try(connection, statement + SQL(" CASCADE"))
    held = {role for role, *_ in rows(connection, f"memberships of {user.name}", _MEMBERSHIPS, (user.name,))}
    for role in wanted:
        if role not in held:
            _try(connection, SQL("GRANT {} TO {}").format(Identifier(role), name))
    for statement in _settings_statements(connection, user):
        _try(connection, statement)


def _settings_statements(connection: Connection, user: DatabaseUser) -> list[Composed]:
    name, wanted = Identifier(user.name), settings_of(user)
    found = rows(connection, f"settings of {user.name}", _SETTINGS, (user.name,))
    statements = [
        SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(name, Identifier(database))
        for database, _ in found
        if database is not None
    ]
    current: list[str] = next((config for database, config in found if database is None), [])
    if _texts(wanted) != sorted(current):
        statements.append(SQL("ALTER ROLE {} RESET ALL").format(name))
        statements += [
            SQL("ALTER ROLE {} SET {} = {}").format(name, Identifier(parameter), Literal(value))
            for parameter, value in wanted.items()
        ]
    return statements


def settings_of(user: DatabaseUser) -> dict[str, str]:
    """Return the settings that a session of the user begins with."""
    settings = dict(PRIVILEGES[user.profile].parameters)
    if user.statement_timeout is not None:
        settings["statement_timeout"] = str(round(user.statement_timeout.total_seconds() * 1000))
    return settings


def _is_right(connection: Connection, user: DatabaseUser) -> bool:
    attributes = rows(connection, f"attributes of {user.name}", _ATTRIBUTES, (user.name,))
    memberships = rows(connection, f"memberships of {user.name}", _MEMBERSHIPS, (user.name,))
    settings = rows(connection, f"settings of {user.name}", _SETTINGS, (user.name,))
    expected = [(None, _texts(settings_of(user)))] if settings_of(user) else []
    return (
        attributes == [(True,)]
        and {role for role, *_ in memberships} == set(memberships_of(connection, user))
        and not any(has_admin for *_, has_admin in memberships)
        and [(database, sorted(config)) for database, config in settings] == expected
    )


def _put_aside(connection: Connection, user: DatabaseUser, oid: int) -> None:
    # Its rights, which the master cannot take, stay with the old role, which nobody can log in as.
    aside = f"of_production_{oid}"
    statement = SQL("ALTER ROLE {} RENAME TO {}").format(Identifier(user.name), Identifier(aside))
    run(connection, f"putting aside of the user {user.name} that came along", [statement])


def _may_grant(connection: Connection, role: str) -> bool:
    # CREATEROLE is enough before PostgreSQL 16; after that it takes ADMIN on the role, which not every Aurora gives.
    found = rows(connection, f"right to grant {role}", "SELECT pg_has_role(%s, 'MEMBER WITH ADMIN OPTION')", (role,))
    return version(connection) < 160000 or found == [(True,)]


def _try(connection: Connection, statement: Composed) -> None:
    refusals = (postgres_errors.InsufficientPrivilege, postgres_errors.InvalidGrantOperation)
    with postgres_call("memberships and settings of a user"), attempt(connection, *refusals):
        execute(connection, statement)


def _texts(settings: dict[str, str]) -> list[str]:
    return sorted(f"{parameter}={value}" for parameter, value in settings.items())


def _wanted_text(user: DatabaseUser) -> str:
    return f"the attributes, memberships and settings of profile {user.profile.value} with auth {user.auth.value}"
