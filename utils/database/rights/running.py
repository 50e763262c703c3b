"""Rights on a strong owner's tables by which a user would have code of its own run as that owner.

A devops user acts for weak owners, and has what production granted these: `GRANT ALL` on a table of the master's, or on
all that the master will create, holds TRIGGER and REFERENCES.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier

from utils.database.rights.objects import RUNNING, on_objects
from utils.database.roles.profiles import Grantee
from utils.database.server.statements import rows_of, run

_THROUGH_OTHERS = """
    JOIN pg_roles AS grantee ON grantee.oid = entry.grantee
    WHERE privilege_type = ANY(%(running)s) AND grantee.rolname <> ALL(%(users)s)
        AND EXISTS (SELECT FROM pg_roles AS ours WHERE ours.rolname = ANY(%(users)s)
            AND pg_has_role(ours.oid, grantee.oid, 'MEMBER'))
"""
_ON_TABLES = f"""
    SELECT quote_ident(nspname) || '.' || quote_ident(relname), grantee.rolname,
        array_agg(DISTINCT privilege_type ORDER BY privilege_type)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    CROSS JOIN LATERAL (
        SELECT relacl UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = pg_class.oid
    ) AS lists (acl)
    CROSS JOIN aclexplode(acl) AS entry {_THROUGH_OTHERS}
        AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relowner = ANY(%(strong)s::oid[])
        AND pg_has_role(relowner, 'USAGE') AND entry.grantee <> relowner AND nspname NOT LIKE 'pg\\_%%'
        AND has_schema_privilege(relnamespace, 'USAGE')
    GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - constants
_ON_LATER_TABLES = f"""
    SELECT creator.rolname, nspname, grantee.rolname, array_agg(DISTINCT privilege_type ORDER BY privilege_type)
    FROM pg_default_acl JOIN pg_roles AS creator ON creator.oid = defaclrole
    LEFT JOIN pg_namespace ON pg_namespace.oid = defaclnamespace
    CROSS JOIN aclexplode(defaclacl) AS entry {_THROUGH_OTHERS}
        AND defaclobjtype = 'r' AND creator.rolname = ANY(%(makers)s) AND pg_has_role(defaclrole, 'USAGE')
        AND entry.grantee <> defaclrole
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - constants


class _OnTable(NamedTuple):
    """What a role that a user acts for has on a strong owner's table."""

    table: str
    role: str
    privileges: list[str]


class _OnLaterTables(NamedTuple):
    """What such a role will have on the tables that a strong role creates; no schema is every schema."""

    creator: str
    schema: str | None
    role: str
    privileges: list[str]


def take_running_through_others(
    connection: Connection, users: Sequence[Grantee], strong: Sequence[int], strong_makers: Collection[str]
) -> None:
    """Take these rights from every role that a user acts for; `strong` are owners by oid, and makers by name."""
    values = {
        "users": [user.name for user in users],
        "running": list(RUNNING),
        "strong": list(strong),
        "makers": list(strong_makers),
    }
    statements: list[Composable] = [
        on_objects(f"REVOKE {', '.join(right.privileges)}", "TABLE", [right.table], _from(right.role))
        for right in rows_of(_OnTable, connection, "look at strong owners' tables", _ON_TABLES, values)
    ]
    for later in rows_of(_OnLaterTables, connection, "look at later tables", _ON_LATER_TABLES, values):
        where = SQL("") if later.schema is None else SQL(" IN SCHEMA {}").format(Identifier(later.schema))
        revoke = SQL(f"REVOKE {', '.join(later.privileges)} ON TABLES")
        alter = SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {}").format(Identifier(later.creator))
        statements.append(SQL(" ").join([alter + where, revoke, _from(later.role)]))
    run(connection, f"rights on strong owners' tables in database {connection.info.dbname}", statements)


def _from(role: str) -> Composable:
    return SQL("FROM {} CASCADE").format(Identifier(role))
