"""Tables that stay or become the master's: where the owner role may not create, in schemas of a superuser's.

PostgreSQL runs what an index, a statistics object or a trigger behind a foreign key calls as the table's owner, whoever
touches the table, or when its own autovacuum does.
"""

from collections.abc import Sequence

from psycopg2.extensions import connection as Connection  # noqa: N812

from utils.database.server.statements import names
from utils.errors import DatabaseChangeRefused
from utils.shortened import first_of

# What is PostgreSQL's, AWS's or the master's own may run as the master. A routine is called by name, by an operator, by
# an index's operator class, or by the type of a value: in a check of its domain, in a range, and, where a foreign key
# compares columns of two tables, in a cast; a view, and the policies of what it reads, call theirs as who reads it.
_CALLING = """
    WITH RECURSIVE tables AS (
        SELECT pg_class.oid, quote_ident(nspname) || '.' || quote_ident(relname) AS name
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_roles ON pg_roles.oid = relowner
        WHERE relkind IN ('r', 'p', 'm') AND (rolname = current_user OR rolname = ANY(%(users)s))
    ),
    keys AS (
        SELECT tables.name, pg_constraint.* FROM tables
        JOIN pg_constraint ON contype = 'f' AND tables.oid IN (conrelid, confrelid)
    ),
    calls (name, classid, objid) AS (
        SELECT name, 'pg_class'::regclass::oid, indexrelid FROM tables JOIN pg_index ON indrelid = oid
        UNION SELECT tables.name, 'pg_statistic_ext'::regclass, pg_statistic_ext.oid
            FROM tables JOIN pg_statistic_ext ON stxrelid = tables.oid
        UNION SELECT tables.name, 'pg_trigger'::regclass, pg_trigger.oid
            FROM tables JOIN pg_trigger ON tgrelid = tables.oid WHERE NOT tgisinternal
        UNION SELECT tables.name, 'pg_constraint'::regclass, pg_constraint.oid
            FROM tables JOIN pg_constraint ON conrelid = tables.oid
        UNION SELECT keys.name, 'pg_constraint'::regclass, keys.oid FROM keys
        UNION SELECT tables.name, 'pg_attrdef'::regclass, pg_attrdef.oid
            FROM tables JOIN pg_attrdef ON adrelid = tables.oid
        UNION SELECT tables.name, 'pg_rewrite'::regclass, pg_rewrite.oid
            FROM tables JOIN pg_rewrite ON ev_class = tables.oid
        UNION SELECT tables.name, 'pg_type'::regclass, atttypid
            FROM tables JOIN pg_attribute ON attrelid = tables.oid
        UNION SELECT keys.name, 'pg_type'::regclass, atttypid FROM keys JOIN pg_attribute
            ON attrelid = conrelid AND attnum = ANY(conkey) OR attrelid = confrelid AND attnum = ANY(confkey)
        UNION SELECT calls.name, next.classid, next.objid FROM calls CROSS JOIN LATERAL (
            SELECT refclassid, refobjid FROM pg_depend
            WHERE pg_depend.classid = calls.classid AND pg_depend.objid = calls.objid
                AND (calls.classid IN ('pg_statistic_ext'::regclass, 'pg_trigger'::regclass, 'pg_type'::regclass,
                        'pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_rewrite'::regclass,
                        'pg_operator'::regclass, 'pg_cast'::regclass, 'pg_policy'::regclass)
                    OR (SELECT relkind IN ('i', 'I', 'c') FROM pg_class WHERE pg_class.oid = calls.objid
                        AND calls.classid = 'pg_class'::regclass))
                AND (refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass,
                        'pg_type'::regclass)
                    OR refclassid = 'pg_class'::regclass
                        AND calls.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_type'::regclass))
            UNION ALL SELECT 'pg_proc'::regclass, amproc FROM pg_opclass JOIN pg_amproc ON amprocfamily = opcfamily
            WHERE calls.classid = 'pg_opclass'::regclass AND pg_opclass.oid = calls.objid
            UNION ALL SELECT 'pg_constraint'::regclass, pg_constraint.oid FROM pg_constraint
            WHERE calls.classid = 'pg_type'::regclass AND contypid = calls.objid
            UNION ALL SELECT 'pg_cast'::regclass, pg_cast.oid FROM pg_type JOIN pg_roles ON pg_roles.oid = typowner
            JOIN pg_cast ON pg_type.oid IN (castsource, casttarget)
            WHERE calls.classid = 'pg_type'::regclass AND pg_type.oid = calls.objid AND NOT rolsuper
            UNION ALL SELECT 'pg_rewrite'::regclass, pg_rewrite.oid
            FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
            WHERE calls.classid = 'pg_class'::regclass AND ev_class = calls.objid AND relkind = 'v'
            UNION ALL SELECT 'pg_policy'::regclass, pg_policy.oid FROM pg_policy
            WHERE calls.classid = 'pg_class'::regclass AND polrelid = calls.objid
        ) AS next (classid, objid)
    )
    SELECT DISTINCT name || ' (calls ' || pg_proc.oid::regprocedure::text || ' of ' || rolname || ')'
    FROM calls JOIN pg_proc ON classid = 'pg_proc'::regclass AND objid = pg_proc.oid
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
