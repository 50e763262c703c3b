"""Roles of the whole cluster: the three users, and the logins that came with the snapshot."""

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Identifier, Literal
from pydantic import SecretStr

from utils.database.connection import postgres_call
from utils.database.profiles import PRIVILEGES, DatabaseUser
from utils.errors import SecretInvalid

# AWS's own roles: rdsadmin, rds_superuser, rds_iam, rdswriteforwarduser and the like, and PostgreSQL's pg_*.
_RESERVED_PREFIXES = ("rds", "pg_")


def check_names(users: list[DatabaseUser], master: str) -> None:
    """Refuse a user name that is the master's, AWS's or PostgreSQL's; raises `SecretInvalid`."""
    for user in users:
        if user.name == master or user.name.lower().startswith(_RESERVED_PREFIXES):
            raise SecretInvalid(
                f"user name {user.name!r}",
                field=f"app-credentials, {user.profile.value} user, username",
                expected="a name that is not the master user's, and does not start with rds or pg_",
                action="put another name into the secret, then start the run again",
            )


def set_up_role(connection: Connection, user: DatabaseUser) -> None:
    """Create the role or take it over; only a SCRAM verifier, made here, reaches the server."""
    with postgres_call(f"set-up of user {user.name}"), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user.name,))
        if cursor.fetchone() is None:
            cursor.execute(SQL("CREATE ROLE {}").format(Identifier(user.name)))
        password = user.password or SecretStr("")
        verifier = encrypt_password(password.get_secret_value(), user.name, scope=connection, algorithm="scram-sha-256")
        cursor.execute(
            SQL(
                "ALTER ROLE {} LOGIN INHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT -1 "
                "PASSWORD {} VALID UNTIL 'infinity'"
            ).format(Identifier(user.name), Literal(verifier))
        )
        privileges = PRIVILEGES[user.profile]
        cursor.execute(SQL("ALTER ROLE {} RESET ALL").format(Identifier(user.name)))
        for parameter, value in privileges.parameters:
            cursor.execute(
                SQL("ALTER ROLE {} SET {} = {}").format(Identifier(user.name), Identifier(parameter), Literal(value))
            )
        for role in privileges.memberships:
            if _may_grant(cursor, role):
                cursor.execute(SQL("GRANT {} TO {}").format(Identifier(role), Identifier(user.name)))


def _may_grant(cursor: Cursor, role: str) -> bool:
    # CREATEROLE is enough before PostgreSQL 16; after that it takes ADMIN on the role, which not every Aurora gives.
    cursor.execute(
        "SELECT current_setting('server_version_num')::int < 160000 "
        "OR pg_has_role(current_user, %s, 'MEMBER WITH ADMIN OPTION')",
        (role,),
    )
    row = cursor.fetchone()
    return row is not None and bool(row[0])


def join_role(connection: Connection, role: str, master: str) -> None:
    """Make the master a member of `role` with its rights, which granting on its objects needs."""
    with postgres_call(f"membership of the master in {role}"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(%s, %s, 'USAGE'), current_setting('server_version_num')::int", (master, role)
        )
        row = cursor.fetchone()
        if row is not None and not row[0]:
            # From PostgreSQL 16 on, who created a role has ADMIN on it, but neither INHERIT nor SET.
            options = SQL(" WITH INHERIT TRUE, SET TRUE") if row[1] >= 160000 else SQL("")
            cursor.execute(SQL("GRANT {} TO {}").format(Identifier(role), Identifier(master)) + options)


def join_administrators(connection: Connection, master: str) -> None:
    """Make the master a member of roles that create roles, so that it may grant what those own.

    From PostgreSQL 16 on only who created a role, or has its rights, can grant it.
    """
    with postgres_call("look at roles that create roles"), connection.cursor() as cursor:
        # A role is younger than the one that created it.
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolcreaterole AND NOT rolsuper AND rolname NOT LIKE 'rds%%' "
            "AND pg_has_role(%s, oid, 'MEMBER WITH ADMIN OPTION') ORDER BY oid",
            (master,),
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        join_role(connection, name, master)


def logins_besides(connection: Connection, master: str) -> list[str]:
    """Return every role but the master, AWS's and superusers that can log in."""
    with postgres_call("look at logins"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname <> %s ORDER BY rolname",
            (master,),
        )
        return [name for (name,) in cursor.fetchall() if not name.startswith(_RESERVED_PREFIXES)]


def shut_out(connection: Connection, names: list[str]) -> None:
    """Take login and password from the roles, and end their sessions."""
    with postgres_call("shutting out of logins"), connection.cursor() as cursor:
        for name in names:
            cursor.execute(SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(Identifier(name)))
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY(%s)", (names,))
