"""Who is a member of whom: the master of every role whose objects it must grant."""

from collections.abc import Collection

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composed, Identifier

from utils.database.roles.aws_roles import OF_AWS, SYSTEM_ROLE
from utils.database.server.connection import postgres_call
from utils.database.server.statements import attempt, execute, listed, names, rows, run
from utils.errors import DatabaseChangeRefused
from utils.shortened import first_of

# A role is younger than the one that created it.
_ADMINISTRATORS = f"""
    SELECT rolname FROM pg_roles
    WHERE rolcreaterole AND NOT rolsuper AND rolname <> current_user AND NOT {SYSTEM_ROLE}
        AND pg_has_role(oid, 'MEMBER WITH ADMIN OPTION')
    ORDER BY oid
"""  # noqa: S608 - constants
# Shared dependencies tell of all databases who owns something, or was granted something.
_NEEDED = f"""
    SELECT DISTINCT rolname FROM pg_roles
    WHERE NOT rolsuper AND rolname <> current_user AND NOT {SYSTEM_ROLE}
        AND (rolname = ANY(%(ours)s) OR oid IN (SELECT datdba FROM pg_database) OR oid IN (
            SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o'))
    ORDER BY rolname
"""  # noqa: S608 - constants
# An owner may have taken the right to connect from itself; the master could not see what others may do there.
_CLOSED_DATABASES = """
    SELECT datname FROM pg_database
    WHERE datallowconn AND datname NOT IN ('rdsadmin', 'template0', 'template1')
        AND NOT has_database_privilege(oid, 'CONNECT') AND pg_has_role(datdba, 'USAGE') ORDER BY datname
"""
_MEMBERS_OF_MASTER = """
    SELECT DISTINCT member.rolname, grantor.rolname FROM pg_auth_members
    JOIN pg_roles AS member ON member.oid = pg_auth_members.member
    JOIN pg_roles AS grantor ON grantor.oid = pg_auth_members.grantor
    WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND NOT member.rolsuper
        AND member.rolname <> ALL(%s)
"""
# Roles that are members of the master, and through which of its own members.
_ABOVE_THE_MASTER = """
    SELECT roles.name, array_agg(DISTINCT member.rolname::text ORDER BY member.rolname::text)
    FROM unnest(%s::name[]) AS roles (name), pg_auth_members
    JOIN pg_roles AS member ON member.oid = pg_auth_members.member
    WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = current_user)
        AND pg_has_role(roles.name, member.oid, 'MEMBER')
    GROUP BY roles.name ORDER BY roles.name
"""
# Owners, and the roles through which owners are, that log in with tokens only; not those of logins that stay.
_OWNERS_WITH_TOKENS = f"""
    WITH owners AS (
        SELECT DISTINCT refobjid AS oid FROM pg_shdepend
        WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o'
            AND refobjid IN (SELECT oid FROM pg_roles WHERE NOT rolsuper)
    )
    SELECT DISTINCT pg_roles.rolname, grantor.rolname FROM pg_auth_members
    JOIN pg_roles ON pg_roles.oid = member JOIN pg_roles AS grantor ON grantor.oid = pg_auth_members.grantor
    WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = 'rds_iam')
        AND NOT pg_roles.rolsuper AND pg_roles.rolname <> current_user AND NOT {SYSTEM_ROLE}
        AND EXISTS (SELECT FROM owners WHERE pg_has_role(owners.oid, member, 'MEMBER'))
        AND NOT EXISTS (SELECT FROM unnest(%(staying)s::name[]) AS stays JOIN pg_roles AS login ON login.rolname = stays
            WHERE pg_has_role(login.oid, member, 'MEMBER'))
    ORDER BY 1, 2
"""  # noqa: S608 - constants


def version(connection: Connection) -> int:
    """Return the server's version, as 160004."""
    return connection.server_version


def revocation(connection: Connection, role: str, member: str, grantor: str) -> Composed:
    """Return the statement that ends a membership; from PostgreSQL 16 on each grantor's is one of its own."""
    statement = SQL("REVOKE {} FROM {}").format(Identifier(role), Identifier(member))
    if version(connection) >= 160000:
        statement += SQL(" GRANTED BY {}").format(Identifier(grantor))
    return statement + SQL(" CASCADE")


def put_out_of_master(connection: Connection, kept: Collection[str]) -> None:
    """Take the master's rights from roles that were made members of the master; a member cannot be joined either."""
    for member, grantor in rows(connection, "look at members of the master", _MEMBERS_OF_MASTER, (list(kept),)):
        statement = revocation(connection, connection.info.user, member, grantor)
        run(connection, f"end of the membership of {member} in the master", [statement])


def end_tokens_of_owners(connection: Connection, staying: Collection[str]) -> None:
    """Put owners that were shut out out of rds_iam: whoever is a member of theirs could log in with tokens only.

    staying: logins whose way in is not touched. What the master may not revoke stays.
    """
    values = {**OF_AWS, "staying": list(staying)}
    for member, grantor in rows(connection, "look at owners with tokens", _OWNERS_WITH_TOKENS, values):
        with (
            postgres_call(f"end of the tokens of {member}"),
            attempt(connection, postgres_errors.InsufficientPrivilege),
        ):
            execute(connection, revocation(connection, "rds_iam", member, grantor))


def join_needed(connection: Connection, ours: Collection[str]) -> None:
    """Make the master a member, with their rights, of all roles that own something anywhere, and of the users."""
    # From PostgreSQL 16 on only who created a role, or has its rights, can grant it: first who creates roles.
    for administrator in names(connection, "look at roles that create roles", _ADMINISTRATORS, OF_AWS):
        join(connection, [administrator])
    join(connection, names(connection, "look at owners", _NEEDED, {**OF_AWS, "ours": list(ours)}))


def open_databases(connection: Connection) -> None:
    """Let the master connect to every database for whose owner it acts."""
    grant = SQL("GRANT CONNECT ON DATABASE {} TO {}")
    closed = names(connection, "look at closed databases", _CLOSED_DATABASES, {})
    whom = Identifier(connection.info.user)
    run(connection, "the master's way into databases", [grant.format(Identifier(name), whom) for name in closed])


def join(connection: Connection, roles: Collection[str]) -> None:
    """Make the master a member of the roles as far as it is not."""
    since_16 = version(connection) >= 160000
    query = "SELECT name FROM unnest(%s::text[]) AS name WHERE NOT pg_has_role(name, 'USAGE')"
    if since_16:
        query += " OR NOT pg_has_role(name, 'SET')"
    missing = names(connection, "look at memberships of the master", query, (list(roles),))
    if missing:
        # From PostgreSQL 16 on, who created a role has ADMIN on it, but neither INHERIT nor SET.
        options = SQL(" WITH INHERIT TRUE, SET TRUE") if since_16 else SQL("")
        statement = SQL("GRANT {} TO {}").format(listed(missing), Identifier(connection.info.user)) + options
        with postgres_call(f"membership of the master in {first_of(missing)}"):
            try:
                execute(connection, statement)
            except (postgres_errors.InsufficientPrivilege, postgres_errors.InvalidGrantOperation) as error:
                connection.rollback()
                raise _not_joined(connection, missing, error.diag.message_primary or "") from None


def _not_joined(connection: Connection, roles: Collection[str], message: str) -> DatabaseChangeRefused:
    """Say why the master cannot act for roles; it never is a member of its own members."""
    master = connection.info.user
    above = rows(connection, "look at members of the master", _ABOVE_THE_MASTER, (list(roles),))
    if above:
        found = first_of([f"{name} (through {', '.join(through)})" for name, through in above])
        return DatabaseChangeRefused(
            f"owners that are members of the master user {master}, by a login of keep_logins: {found}",
            expected="owners that the master can act for, which PostgreSQL allows of no member of it",
            action=f"REVOKE {master} FROM those logins in the source and start a new run from a new snapshot, or a new "
            "run without them in keep_logins; nobody has been let in",
        )
    return DatabaseChangeRefused(
        f"no membership of the master user {master} in {first_of([*roles])}: {message}",
        expected="a master that may act for whoever owns something",
        action=f"in the source, as whoever may: GRANT the role TO {master} WITH ADMIN OPTION; then start a new run "
        "from a new snapshot; nobody has been let in",
    )
