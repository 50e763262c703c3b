"""Tables that stay or become the master's: where the owner role may not create, in schemas of a superuser's.

PostgreSQL runs what an index, a statistics object or a trigger behind a foreign key calls as the table's owner, whoever
touches the table, or when its own autovacuum does.

A routine of the master's own is no better there: what its body calls, by a name that others can take or change, runs as
the master, too.
"""

from collections.abc import Sequence

from psycopg2.extensions import connection as Connection  # noqa: N812

from utils.database.server.statements import names
from utils.errors import DatabaseChangeRefused
from utils.shortened import first_of

# What is PostgreSQL's or AWS's may run as the master. A routine is called by name, by an operator, by an operator class
# of an index, by a partition key, or by the type of a value: in a check of its domain, in a range, and, where a foreign
# key compares columns of two tables, in a cast; a view, and the policies of what it reads, call theirs as who reads it.
# as_owner: what PostgreSQL runs as the owner by itself, for an index or statistics, or because of a foreign key: one of
# a partitioned table reaches its partitions as the table's owner, whoever owns them.
_CALLING = """
    WITH RECURSIVE tables (oid, relkind, is_own) AS (
        SELECT pg_class.oid, relkind, true FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
        WHERE relkind IN ('r', 'p', 'm') AND (rolname = current_user OR rolname = ANY(%(users)s))
        UNION SELECT pg_class.oid, pg_class.relkind, false FROM tables JOIN pg_inherits ON inhparent = tables.oid
            JOIN pg_class ON pg_class.oid = inhrelid WHERE tables.relkind = 'p' AND pg_class.relkind IN ('r', 'p')
    ),
    keys AS (
        SELECT tables.oid AS id, is_own, pg_constraint.* FROM tables
        JOIN pg_constraint ON contype = 'f' AND tables.oid IN (conrelid, confrelid)
    ),
    calling AS (
        SELECT tables.*, EXISTS (SELECT FROM keys WHERE id = tables.oid) AS has_key, relkind = 'm' OR EXISTS (
            SELECT FROM keys WHERE conrelid = tables.oid AND (confdeltype IN ('c', 'n', 'd')
                OR confupdtype IN ('c', 'n', 'd'))) AS is_written
        FROM tables
    ),
    calls (id, is_own, as_owner, classid, objid) AS (
        SELECT oid, is_own, is_own OR has_key, 'pg_class'::regclass::oid, indexrelid
            FROM calling JOIN pg_index ON indrelid = oid
        UNION SELECT calling.oid, is_own, is_own OR has_key, 'pg_statistic_ext'::regclass, pg_statistic_ext.oid
            FROM calling JOIN pg_statistic_ext ON stxrelid = calling.oid
        UNION SELECT id, is_own, true, 'pg_constraint'::regclass, keys.oid FROM keys
        UNION SELECT id, is_own, true, 'pg_type'::regclass, atttypid FROM keys JOIN pg_attribute
            ON attrelid = conrelid AND attnum = ANY(conkey) OR attrelid = confrelid AND attnum = ANY(confkey)
        UNION SELECT calling.oid, is_own, is_written, of_table.classid, of_table.objid
            FROM calling CROSS JOIN LATERAL (
                SELECT 'pg_trigger'::regclass, pg_trigger.oid FROM pg_trigger
                WHERE tgrelid = calling.oid AND NOT tgisinternal
                UNION ALL SELECT 'pg_constraint'::regclass, pg_constraint.oid FROM pg_constraint
                WHERE conrelid = calling.oid
                UNION ALL SELECT 'pg_attrdef'::regclass, pg_attrdef.oid FROM pg_attrdef WHERE adrelid = calling.oid
                UNION ALL SELECT 'pg_rewrite'::regclass, pg_rewrite.oid FROM pg_rewrite WHERE ev_class = calling.oid
                UNION ALL SELECT 'pg_type'::regclass, atttypid FROM pg_attribute WHERE attrelid = calling.oid
                UNION ALL SELECT refclassid, refobjid FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND objid = calling.oid
                    AND refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass)
            ) AS of_table (classid, objid)
        UNION SELECT id, is_own, as_owner, next.classid, next.objid FROM calls CROSS JOIN LATERAL (
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
    SELECT DISTINCT quote_ident(nspname) || '.' || quote_ident(relname)
        || ' (calls ' || pg_proc.oid::regprocedure::text || ' of ' || rolname || ')'
    FROM calls JOIN pg_proc ON classid = 'pg_proc'::regclass AND objid = pg_proc.oid
    JOIN pg_roles ON pg_roles.oid = proowner
    JOIN pg_class ON pg_class.oid = id JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE NOT rolsuper AND (as_owner OR is_own AND rolname <> current_user) ORDER BY 1
"""


def refuse_others_code(connection: Connection, users: Sequence[str]) -> None:
    """Raise `DatabaseChangeRefused` for a table of the master's, or of `users`, that would run production's code."""
    found = names(connection, "look at tables of the master", _CALLING, {"users": list(users)})
    if found:
        raise DatabaseChangeRefused(
            f"tables in database {connection.info.dbname} that can be nobody's but the master's, or are partitions of "
            f"such, and would run production's routines as the master: {first_of(found)}",
            expected="no code of production's that runs with the master's rights",
            action="in the source, drop the index, statistics, trigger or foreign key that lets it run, or move the "
            "table into a schema whose owner is no superuser; then start a new run from a new snapshot; nobody has "
            "been let in",
        )
