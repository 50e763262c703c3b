"""Sequences whose next number is taken: an insert would fail on a key that is there already."""

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Identifier, Literal

# Only where an index gives the highest number at once, and of numbers only: nothing of production's is called. Planning
# a query already runs what is constant in expressions of indexes and statistics, and in checks of tables that inherit.
_OWNED = """
    SELECT sequences.nspname, sequence.relname, tables.nspname, owner.relname, attname
    FROM pg_sequence JOIN pg_class AS sequence ON sequence.oid = seqrelid
    JOIN pg_namespace AS sequences ON sequences.oid = sequence.relnamespace
    JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = seqrelid AND refclassid = 'pg_class'::regclass
        AND deptype IN ('a', 'i')
    JOIN pg_class AS owner ON owner.oid = refobjid JOIN pg_namespace AS tables ON tables.oid = owner.relnamespace
    JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE owner.relkind = 'r' AND seqincrement > 0 AND NOT seqcycle
        AND atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
        AND has_table_privilege(owner.oid, 'SELECT') AND has_sequence_privilege(seqrelid, 'SELECT')
        AND has_schema_privilege(tables.oid, 'USAGE') AND has_schema_privilege(sequences.oid, 'USAGE')
        AND NOT owner.relrowsecurity AND NOT owner.relhassubclass
        AND NOT EXISTS (SELECT FROM pg_index AS any_index WHERE any_index.indrelid = owner.oid
            AND (any_index.indexprs IS NOT NULL OR any_index.indpred IS NOT NULL))
        AND NOT EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = owner.oid AND stxexprs IS NOT NULL)
        AND EXISTS (SELECT FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
            WHERE indrelid = refobjid AND indkey[0] = attnum AND indisvalid AND indpred IS NULL
                AND relam = (SELECT oid FROM pg_am WHERE amname = 'btree'))
    ORDER BY 1, 2 LIMIT %(most)s
"""
_MOST, _AT_ONCE = 2_000, 100


def sequences_behind(connection: Connection) -> list[str]:
    """Return the sequences of columns whose highest number is above what the sequence gave last."""
    behind: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(_OWNED, {"most": _MOST})
        found = cursor.fetchall()
        for start in range(0, len(found), _AT_ONCE):
            cursor.execute(
                SQL(" UNION ALL ").join(
                    SQL("SELECT {} FROM {} WHERE last_value < (SELECT max({}) FROM {})").format(
                        Literal(f"{schema}.{sequence}"),
                        Identifier(schema, sequence),
                        Identifier(column),
                        Identifier(table_schema, table),
                    )
                    for schema, sequence, table_schema, table, column in found[start : start + _AT_ONCE]
                )
            )
            behind += [str(name) for (name,) in cursor.fetchall()]
    return behind
