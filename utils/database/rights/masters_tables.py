"""Tables that stay or become the master's: where the owner role may not create, in schemas of a superuser's.

PostgreSQL runs what an index, a statistics object or a trigger behind a foreign key calls as the table's owner, whoever
touches the table, or when its own autovacuum does.
"""

from collections.abc import Sequence

from psycopg2.extensions import connection as Connection  # noqa: N812

from utils.database.server.statements import names
from utils.errors import DatabaseChangeRefused
from utils.shortened import first_of

# What is PostgreSQL's, AWS's or the master's own may run as the master; by an operator or a type it may be called, too.
_CALLING = """
    WITH tables AS (
        SELECT pg_class.oid, quote_ident(nspname) || '.' || quote_ident(relname) AS name
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_roles ON pg_roles.oid = relowner
        WHERE relkind IN ('r', 'p', 'm') AND (rolname = current_user OR rolname = ANY(%(users)s))
    ),
    parts (id, name, classid, objid) AS (
        SELECT oid, name, 'pg_class'::regclass::oid, indexrelid FROM tables JOIN pg_index ON indrelid = oid
        UNION ALL SELECT tables.oid, name, 'pg_statistic_ext'::regclass, pg_statistic_ext.oid
            FROM tables JOIN pg_statistic_ext ON stxrelid = tables.oid
        UNION ALL SELECT tables.oid, name, 'pg_trigger'::regclass, pg_trigger.oid
            FROM tables JOIN pg_trigger ON tgrelid = tables.oid WHERE NOT tgisinternal
        UNION ALL SELECT tables.oid, name, 'pg_constraint'::regclass, pg_constraint.oid
            FROM tables JOIN pg_constraint ON conrelid = tables.oid
        UNION ALL SELECT tables.oid, name, 'pg_attrdef'::regclass, pg_attrdef.oid
            FROM tables JOIN pg_attrdef ON adrelid = tables.oid
        UNION ALL SELECT tables.oid, name, 'pg_rewrite'::regclass, pg_rewrite.oid
            FROM tables JOIN pg_rewrite ON ev_class = tables.oid
    )
    SELECT DISTINCT parts.name || ' (calls ' || pg_proc.oid::regprocedure::text || ' of ' || rolname || ')'
    FROM parts JOIN pg_depend ON pg_depend.classid = parts.classid AND pg_depend.objid = parts.objid
    JOIN pg_proc ON refclassid = 'pg_proc'::regclass AND refobjid = pg_proc.oid
        OR refclassid = 'pg_operator'::regclass AND pg_proc.oid = (SELECT oprcode FROM pg_operator WHERE oid = refobjid)
    JOIN pg_roles ON pg_roles.oid = proowner
    WHERE NOT rolsuper AND rolname <> current_user ORDER BY 1
"""


def refuse_others_code(connection: Connection, users: Sequence[str]) -> None:
    """Raise `DatabaseChangeRefused` for a table of the master's, or of `users`, that calls somebody else's routine."""
    found = names(connection, "look at tables of the master", _CALLING, {"users": list(users)})
    if found:
        raise DatabaseChangeRefused(
            f"tables in database {connection.info.dbname} that can be nobody's but the master's, and would run "
            f"routines of others as the master: {first_of(found)}",
            expected="no code of production's that runs with the master's rights",
            action="in the source, drop the index, statistics or trigger that calls it, or move the table into a "
            "schema whose owner is no superuser; then start again from a new snapshot; nobody has been let in",
        )
