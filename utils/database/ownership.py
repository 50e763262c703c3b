"""What the users own from before goes to the master: an owner may do anything with what it owns."""

from collections.abc import Sequence

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Identifier

from utils.database.session import listed, names, rows, run

# A new owner takes a lock on the table, its indexes, its TOAST table and its sequences until the transaction ends, and
# the server has room for max_locks_per_transaction (64) of them for each connection it allows.
_AT_ONCE = 200
# A sequence of a column follows its table. Where the master may not create, only REASSIGN OWNED does it.
_RELATIONS = """
    SELECT quote_ident(nspname) || '.' || quote_ident(relname),
        CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
            WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_roles ON pg_roles.oid = relowner
    WHERE rolname = ANY(%s) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname NOT LIKE 'pg\\_%%'
        AND has_schema_privilege(relnamespace, 'USAGE') AND has_schema_privilege(relnamespace, 'CREATE')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
            AND relkind = 'S' AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i'))
    ORDER BY 1
"""
# An owner can take its own rights, and the master, who acts for the owner, has no other way in. To become the owner of
# a routine takes CREATE on its schema.
_CLOSED = """
    SELECT nspname, rolname FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE NOT rolsuper AND pg_has_role(nspowner, 'USAGE') AND nspname <> 'information_schema'
        AND nspname NOT LIKE 'pg\\_%' AND NOT (has_schema_privilege(pg_namespace.oid, 'USAGE')
            AND has_schema_privilege(pg_namespace.oid, 'CREATE'))
    ORDER BY 1
"""
_OWNERS_HERE = """
    SELECT DISTINCT rolname FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid
    WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND rolname = ANY(%s)
        AND classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)
        AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY rolname
"""


def open_schemas(connection: Connection) -> None:
    """Give schemas' owners their own rights back where the master, who acts for them, would not get in."""
    grant = SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}")
    closed = rows(connection, "look at closed schemas", _CLOSED)
    statements = [grant.format(Identifier(schema), Identifier(owner)) for schema, owner in closed]
    run(connection, "owners' way into their schemas", statements)


def take_over_objects(connection: Connection, users: Sequence[str]) -> None:
    """Make the master the owner of what the users own in this database, and of databases that they own."""
    _take_over_relations(connection, users)
    owners = names(connection, "look at what users own", _OWNERS_HERE, (list(users),))
    if owners:
        statement = SQL("REASSIGN OWNED BY {} TO {}").format(listed(owners), Identifier(connection.info.user))
        run(connection, f"new owner for what {', '.join(owners)} owned", [statement])


def _take_over_relations(connection: Connection, users: Sequence[str]) -> None:
    found = rows(connection, "look at tables of users", _RELATIONS, (list(users),))
    owner = SQL("OWNER TO {}").format(Identifier(connection.info.user))
    for start in range(0, len(found), _AT_ONCE):
        # PostgreSQL has quoted these names itself.
        statements = [
            SQL(" ").join([SQL(f"ALTER {kind}"), SQL(name), owner]) for name, kind in found[start : start + _AT_ONCE]
        ]
        run(connection, "new owner for tables of users", statements)
        connection.commit()
