"""Production's owners: which of them are weak enough for devops to act for them, and what is taken from these first.

An owner is weak if neither it nor any role that it is a member of has more than objects, and rights on objects, of
schemas. Databases, foreign servers and the like, and rights to create such, reach further: they go to the master.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Identifier

from utils.database.roles.aws_roles import OF_AWS, SYSTEM_ROLE
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.roles.profiles import DatabaseUser
from utils.database.roles.wanted_role import PUT_ASIDE
from utils.database.server.connection import postgres_call
from utils.database.server.statements import attempt, execute, names, rows, rows_of

# Whoever owns a database is a member of pg_database_owner, until the database is the master's. pg_parameter_acl came
# with PostgreSQL 15.
_STRONG = f"""
    WITH strong AS (
        SELECT oid, true AS for_ever FROM pg_roles
        WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
            OR {SYSTEM_ROLE} AND rolname <> 'pg_database_owner' OR rolname = current_user OR rolname = ANY(%(ours)s)
        UNION ALL
        SELECT refobjid, false FROM pg_shdepend JOIN pg_class ON pg_class.oid = classid
        WHERE refclassid = 'pg_authid'::regclass AND (
            deptype = 'o' AND relname IN ('pg_database', 'pg_tablespace', 'pg_foreign_server',
                'pg_foreign_data_wrapper', 'pg_subscription', 'pg_event_trigger')
            OR deptype = 'a' AND relname IN ('pg_foreign_server', 'pg_foreign_data_wrapper', 'pg_parameter_acl'))
        UNION ALL
        SELECT grantee, false FROM pg_database, aclexplode(datacl) WHERE privilege_type = 'CREATE'
    )
"""  # noqa: S608 - constants
_OWNERS = f"""
    {_STRONG},
    owners AS (
        SELECT oid, rolname, {SYSTEM_ROLE} AS is_system FROM pg_roles WHERE NOT rolsuper AND NOT {PUT_ASIDE}
            AND rolname <> current_user AND rolname <> ALL(%(ours)s) AND oid IN (
                SELECT refobjid FROM pg_shdepend JOIN pg_class ON pg_class.oid = classid
                WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND relname NOT IN (
                    'pg_database', 'pg_tablespace', 'pg_foreign_server', 'pg_foreign_data_wrapper', 'pg_subscription',
                    'pg_publication', 'pg_event_trigger', 'pg_extension', 'pg_default_acl', 'pg_user_mapping'))
    )
    SELECT rolname,
        is_system OR (SELECT bool_or(for_ever) FROM strong WHERE pg_has_role(owners.oid, strong.oid, 'MEMBER'))
        OR current_setting('server_version_num')::int >= 160000 AND NOT pg_has_role(oid, 'MEMBER WITH ADMIN OPTION'),
        EXISTS (SELECT FROM strong WHERE pg_has_role(owners.oid, strong.oid, 'MEMBER'))
    FROM owners ORDER BY rolname
"""  # noqa: S608 - constants
_STRONG_ROLES = f"""
    {_STRONG}
    SELECT rolname FROM pg_roles WHERE rolname <> ALL(%(ours)s) AND (
        {SYSTEM_ROLE} OR EXISTS (SELECT FROM strong WHERE pg_has_role(pg_roles.oid, strong.oid, 'MEMBER'))
        OR current_setting('server_version_num')::int >= 160000 AND NOT pg_has_role(oid, 'MEMBER WITH ADMIN OPTION'))
"""  # noqa: S608 - constants
_REACHED = """
    SELECT rolname FROM pg_roles WHERE rolname <> 'pg_database_owner' AND rolname <> ALL(%(kept)s)
        AND EXISTS (SELECT FROM unnest(%(weak)s::name[]) AS weak WHERE pg_has_role(weak, pg_roles.oid, 'MEMBER'))
    ORDER BY rolname
"""
_DATABASES = """
    SELECT datname, rolname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba
    WHERE rolname = ANY(%s) ORDER BY datname
"""
_FAR_REACHING = """
    SELECT 'SERVER', quote_ident(srvname) FROM pg_foreign_server JOIN pg_roles ON pg_roles.oid = srvowner
    WHERE pg_roles.oid = ANY(%(roles)s::oid[])
    ORDER BY 1, 2
"""
_FAR_REACHING_RIGHTS = """
    SELECT what, name, rolname, array_agg(DISTINCT privilege_type ORDER BY privilege_type) FROM (
        SELECT 'DATABASE', quote_ident(datname), datacl FROM pg_database WHERE datname = current_database()
        UNION ALL SELECT 'FOREIGN SERVER', quote_ident(srvname), srvacl FROM pg_foreign_server
        UNION ALL SELECT 'FOREIGN DATA WRAPPER', quote_ident(fdwname), fdwacl FROM pg_foreign_data_wrapper
    ) AS objects (what, name, acl), aclexplode(acl) AS entry JOIN pg_roles ON pg_roles.oid = entry.grantee
    WHERE pg_roles.oid = ANY(%s::oid[]) AND (what <> 'DATABASE' OR privilege_type = 'CREATE')
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_REFUSALS = (postgres_errors.InsufficientPrivilege,)


class _Owner(NamedTuple):
    """A role that owns something: whether it has more than objects of schemas, and whether nothing can change that."""

    name: str
    is_strong_for_ever: bool
    has_more: bool

    @property
    def is_strong(self) -> bool:
        """Whether devops must not act for it."""
        return self.is_strong_for_ever or self.has_more


class _FarReachingRight(NamedTuple):
    """A right that reaches out of schemas: `FOREIGN SERVER, warehouse, shop_owner, {USAGE}`."""

    kind: str
    name: str
    role: str
    privileges: list[str]


@dataclass(frozen=True, kw_only=True)
class Owners:
    """Production's owners by name; `reached` are all roles that come along with those that are or can be made weak."""

    weak: list[str]
    strong: list[str]
    strong_for_ever: list[str]
    reached: list[str]


def find_owners(connection: Connection, users: Sequence[DatabaseUser], kept: Collection[str]) -> Owners:
    """Sort the roles that own something in any database; nothing is taken from those of `kept`."""
    ours = [OWNER_ROLE, *(user.name for user in users)]
    found = rows_of(_Owner, connection, "look at production's owners", _OWNERS, {**OF_AWS, "ours": ours})
    weakenable = [owner.name for owner in found if not owner.is_strong_for_ever]
    return Owners(
        weak=[owner.name for owner in found if not owner.is_strong],
        strong=[owner.name for owner in found if owner.is_strong],
        strong_for_ever=[owner.name for owner in found if owner.is_strong_for_ever],
        reached=names(connection, "look at owners' roles", _REACHED, {"weak": weakenable, "kept": list(kept)}),
    )


def strong_roles(connection: Connection, users: Sequence[DatabaseUser]) -> list[str]:
    """Return every role that devops must not act for, the master among them, whether it owns anything or not."""
    ours = [OWNER_ROLE, *(user.name for user in users)]
    return names(connection, "look at strong roles", _STRONG_ROLES, {**OF_AWS, "ours": ours})


def take_databases(connection: Connection, roles: Sequence[str]) -> None:
    """Make the master the owner of databases that the roles own; they can still connect."""
    for database, owner in rows(connection, "look at databases of owners", _DATABASES, (list(roles),)):
        name = Identifier(database)
        with postgres_call(f"new owner for database {database}"), attempt(connection, *_REFUSALS):
            execute(connection, SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(name))
            execute(connection, SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(name, Identifier(owner)))


def take_far_reaching(connection: Connection, roles: Sequence[int]) -> None:
    """Take from the roles, by oid, what reaches out of schemas in this database; what is refused leaves them strong."""
    for kind, name in rows(connection, "look at far-reaching objects", _FAR_REACHING, {"roles": list(roles)}):
        with postgres_call(f"new owner for {name}"), attempt(connection, *_REFUSALS):
            # PostgreSQL has quoted these names itself.
            execute(connection, SQL(" ").join([SQL(f"ALTER {kind}"), SQL(name), SQL("OWNER TO CURRENT_USER")]))
    asked = "look at far-reaching rights"
    for right in rows_of(_FarReachingRight, connection, asked, _FAR_REACHING_RIGHTS, (list(roles),)):
        whom = SQL("FROM {} CASCADE").format(Identifier(right.role))
        with postgres_call(f"end of a right on {right.name}"), attempt(connection, *_REFUSALS):
            revoke = SQL(f"REVOKE {', '.join(right.privileges)} ON {right.kind}")
            execute(connection, SQL(" ").join([revoke, SQL(right.name), whom]))
