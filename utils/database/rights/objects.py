"""The objects of one database that have an access list, as the master sees them.

Objects of a superuser are AWS's (extensions mostly), and the master has nothing to grant or to take there.
"""

from psycopg2.sql import SQL, Composable

# Rights on a table by which a user has its own code run with the rights of the table's owner: a trigger when a foreign
# key cascades, a cast when one is checked, a function when an index or a materialized view is made anew.
RUNNING = ("MAINTAIN", "REFERENCES", "TRIGGER")
# SQL: the functions that the aggregate of this row of pg_aggregate runs.
AGGREGATE_PARTS = """(aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggminvtransfn,
    aggmfinalfn)"""
# Whoever may call an aggregate runs its functions: PostgreSQL asks only its owner for EXECUTE on these.
# SQL: the routine of this row of pg_proc, as a statement names it. A function and a procedure may differ in an OUT
# argument alone, and only types with modes are looked for among the others (PostgreSQL 14, GRANT and ALTER ROUTINE).
ROUTINE_NAME = """(SELECT quote_ident(of_routine.nspname) || '.' || quote_ident(proname) || '(' || coalesce(
    (SELECT string_agg('IN ' || format_type(type, NULL), ', ' ORDER BY position)
        FROM unnest(proargtypes) WITH ORDINALITY AS arguments (type, position)), '') || ')'
    FROM pg_namespace AS of_routine WHERE of_routine.oid = pronamespace)"""
# One row for each object that the master can grant: its kind as GRANT spells it, its name, its access list.
_OBJECTS = f"""
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, pg_class.oid AS id,
        quote_ident(nspname) || '.' || quote_ident(relname) AS name, relowner AS owner,
        coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS acl,
        false AS runs_as_owner
    FROM pg_class JOIN schemas ON schemas.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'ROUTINE', pg_proc.oid, {ROUTINE_NAME}, proowner,
        coalesce(proacl, acldefault('f', proowner)), prosecdef OR prokind = 'a' AND EXISTS (
            SELECT FROM pg_aggregate JOIN pg_proc AS part ON part.oid IN {AGGREGATE_PARTS}
            WHERE aggfnoid = pg_proc.oid AND part.prosecdef)
    FROM pg_proc JOIN schemas ON schemas.oid = pronamespace
    UNION ALL
    SELECT 'TYPE', pg_type.oid, quote_ident(nspname) || '.' || quote_ident(typname), typowner,
        coalesce(typacl, acldefault('T', typowner)), false
    FROM pg_type JOIN schemas ON schemas.oid = typnamespace LEFT JOIN pg_class ON pg_class.oid = typrelid
    WHERE typcategory <> 'A' AND typtype IN ('b', 'd', 'e', 'r', 'c') AND coalesce(relkind, 'c') = 'c'
    UNION ALL
    SELECT 'SCHEMA', oid, quote_ident(nspname), nspowner, coalesce(nspacl, acldefault('n', nspowner)), false
    FROM schemas
    UNION ALL
    SELECT 'DATABASE', oid, quote_ident(datname), datdba, coalesce(datacl, acldefault('d', datdba)), false
    FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 'LARGE OBJECT', oid, oid::text, lomowner, coalesce(lomacl, acldefault('L', lomowner)), false
    FROM pg_largeobject_metadata
    UNION ALL
    SELECT 'FOREIGN SERVER', oid, quote_ident(srvname), srvowner, coalesce(srvacl, acldefault('S', srvowner)), false
    FROM pg_foreign_server
"""  # noqa: S608 - constants
FOUND = f"""
    WITH schemas AS (
        SELECT * FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%'
            AND has_schema_privilege(oid, 'USAGE')
    ),
    objects AS MATERIALIZED (
        SELECT objects.* FROM ({_OBJECTS}) AS objects JOIN pg_roles ON pg_roles.oid = owner
        WHERE NOT rolsuper AND pg_has_role(owner, 'USAGE')
    ),
    entries AS MATERIALIZED (
        SELECT kind, id, entry.grantee, entry.privilege_type AS privilege,
            entry.is_grantable OR entry.grantor <> owner AS is_odd, entry.grantor <> owner AS is_indirect
        FROM objects, aclexplode(acl) AS entry WHERE entry.grantee <> owner
        UNION ALL
        SELECT 'TABLE', attrelid, entry.grantee, entry.privilege_type, true, false
        FROM pg_attribute, aclexplode(attacl) AS entry WHERE attacl IS NOT NULL
    )
"""  # noqa: S608 - constants


def on_objects(what: str, kind: str, objects: list[str], whom: Composable) -> Composable:
    """Return `what` (such as REVOKE ALL) on objects of a kind, to or from whom."""
    # PostgreSQL has quoted these names itself.
    return SQL(" ").join([SQL(f"{what} ON {kind}"), SQL(", ".join(objects)), whom])
