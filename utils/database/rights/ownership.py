"""Who owns what was the users' and the master's: a weak role, as far as it lies in the application's schemas.

An owner may do anything with what it owns, and its routines and views run with its rights.
"""

from collections.abc import Sequence

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier

from utils.database.rights.masters_tables import refuse_others_code
from utils.database.rights.objects import ROUTINE_NAME
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.roles.wanted_role import PUT_ASIDE
from utils.database.server.statements import listed, names, rows, run

# A new owner takes a lock on the table, its indexes, its TOAST table and its sequences until the transaction ends, and
# the server has room for max_locks_per_transaction (64) of them for each connection it allows.
_AT_ONCE = 200
# Left with the master: routines that run as whoever does DDL, which whoever owns them could rewrite; what is AWS's or
# of an extension of its own; large objects, which have no definition to alter. A user may have added anything to an
# extension. A sequence of a column follows its table.
_MOVABLE = f"""
    WITH owned AS MATERIALIZED (
        SELECT classid, objid, rolname = current_user AS is_masters FROM pg_shdepend
        JOIN pg_roles ON pg_roles.oid = refobjid
        WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o'
            AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (rolname = ANY(%(users)s) OR rolname = current_user AND NOT EXISTS (
                SELECT FROM pg_depend WHERE pg_depend.classid = pg_shdepend.classid
                    AND pg_depend.objid = pg_shdepend.objid AND pg_depend.deptype = 'e'))
    )
    SELECT kind, CASE WHEN pg_proc.oid IS NULL THEN identity ELSE {ROUTINE_NAME} END AS identity FROM owned
    CROSS JOIN LATERAL pg_identify_object(classid, objid, 0) AS object (kind, schema, name, identity)
    LEFT JOIN pg_namespace ON quote_ident(nspname) = schema
    LEFT JOIN pg_proc ON classid = 'pg_proc'::regclass AND pg_proc.oid = objid
    WHERE CASE kind
            WHEN 'schema' THEN identity <> 'public' AND has_database_privilege(current_database(), 'CREATE')
            WHEN 'large object' THEN NOT is_masters
            ELSE nspname NOT LIKE 'pg\\_%%' AND has_schema_privilege(pg_namespace.oid, 'USAGE')
                AND has_schema_privilege(%(owner)s, pg_namespace.oid, 'CREATE') END
        AND kind = ANY(%(kinds)s)
        AND NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtfoid = pg_proc.oid)
        AND NOT (kind = 'sequence' AND EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
            AND pg_depend.objid = owned.objid AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')))
    ORDER BY kind = 'schema', kind, identity
"""  # noqa: S608 - constants
# As pg_identify_object names them, and as ALTER does.
_KINDS = {
    **dict.fromkeys(("function", "procedure", "aggregate"), "ROUTINE"),
    "statistics object": "STATISTICS",
    **{
        kind: kind.upper()
        for kind in (
            "table", "view", "materialized view", "foreign table", "sequence", "type", "schema", "large object",
            "operator", "operator class", "operator family", "collation", "conversion", "text search configuration",
            "text search dictionary",
        )
    },
}  # fmt: skip
# An owner can take its own rights, and the master, who acts for the owner, has no other way in. To become the owner of
# a routine takes CREATE on its schema.
_CLOSED = """
    SELECT nspname, rolname FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE NOT rolsuper AND pg_has_role(nspowner, 'USAGE') AND nspname <> 'information_schema'
        AND nspname NOT LIKE 'pg\\_%%' AND NOT (has_schema_privilege(pg_namespace.oid, 'USAGE')
            AND has_schema_privilege(pg_namespace.oid, 'CREATE'))
    UNION ALL
    SELECT nspname, %(owner)s FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE NOT rolsuper AND pg_has_role(nspowner, 'USAGE') AND nspname <> 'information_schema'
        AND nspname NOT LIKE 'pg\\_%%' AND NOT (has_schema_privilege(%(owner)s, pg_namespace.oid, 'USAGE')
            AND has_schema_privilege(%(owner)s, pg_namespace.oid, 'CREATE'))
    ORDER BY 1
"""
_FORMER_OWNERS = """
    SELECT DISTINCT rolname FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid
    WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND rolname = ANY(%s)
        AND classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)
        AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY rolname
"""
_PUT_ASIDE = f"SELECT rolname FROM pg_roles WHERE {PUT_ASIDE} ORDER BY rolname"  # noqa: S608 - constants


def open_schemas(connection: Connection) -> None:
    """Let the new owner into all schemas, and give schemas' owners back their own rights, which the master needs."""
    grant = SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}")
    closed = rows(connection, "look at closed schemas", _CLOSED, {"owner": OWNER_ROLE})
    statements = [grant.format(Identifier(schema), Identifier(owner)) for schema, owner in closed]
    run(connection, "owners' way into their schemas", statements)


def take_over_objects(connection: Connection, users: Sequence[str]) -> None:
    """Give the owner role what the users and the master own here, and the master what reaches out of schemas."""
    # What a user of our name owned stays its own, also when the role had to be put aside.
    former = [*users, *names(connection, "look at roles that were put aside", _PUT_ASIDE)]
    _move(connection, former)
    refuse_others_code(connection, former)
    owners = names(connection, "look at what users own", _FORMER_OWNERS, (former,))
    if owners:
        statement = SQL("REASSIGN OWNED BY {} TO {}").format(listed(owners), Identifier(connection.info.user))
        run(connection, f"new owner for what {', '.join(owners)} owned", [statement])


def _move(connection: Connection, former: Sequence[str]) -> None:
    values = {"users": list(former), "owner": OWNER_ROLE, "kinds": list(_KINDS)}
    found = rows(connection, "look at objects of users and of the master", _MOVABLE, values)
    owner = SQL("OWNER TO {}").format(Identifier(OWNER_ROLE))
    for start in range(0, len(found), _AT_ONCE):
        # PostgreSQL has quoted these names itself.
        statements: list[Composable] = [
            SQL(" ").join([SQL(f"ALTER {_KINDS[kind]}"), SQL(name), owner])
            for kind, name in found[start : start + _AT_ONCE]
        ]
        run(connection, "new owner for objects of users and of the master", [SQL("; ").join(statements)])
        connection.commit()
