"""The relations of a database that a user's statements are tried on, and those that are left out, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import Composable, Identifier

from utils.database.proof.by_privilege import RELATIONS
from utils.database.server.statements import rows
from utils.shortened import first_of

# With 15,000 tables a statement on each would take longer than the function may.
_TRIED_TABLES, _TRIED_VIEWS = 30, 10
# A statement on a partitioned table locks each of its partitions and their indexes.
_MOST_PARTITIONS = 500
# Whoever reads a foreign table, or what is made of one, calls another server.
_CALLS_OUT = """
    calls_out (oid) AS (
        SELECT oid FROM pg_class WHERE relkind = 'f'
        UNION SELECT above.oid FROM calls_out CROSS JOIN LATERAL (
            SELECT inhparent FROM pg_inherits WHERE inhrelid = calls_out.oid
            UNION ALL SELECT ev_class FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = objid
            WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass AND refobjid = calls_out.oid
        ) AS above (oid)
    )
"""
_PARTITIONS = """
    partitions (root, oid) AS (
        SELECT pg_class.oid, inhrelid FROM pg_inherits JOIN pg_class ON pg_class.oid = inhparent WHERE relkind = 'p'
        UNION ALL SELECT root, inhrelid FROM partitions JOIN pg_inherits ON inhparent = partitions.oid
    ),
    wide (oid, number) AS (SELECT root, count(*) FROM partitions GROUP BY root HAVING count(*) > %(most)s)
"""
_TABLES = f"""
    WITH RECURSIVE {_CALLS_OUT}, {_PARTITIONS}
    SELECT pg_class.oid, nspname, relname, relhasrules, relowner FROM (
        SELECT pg_class.oid, row_number() OVER (PARTITION BY nspname ORDER BY relispartition, relname) AS place
        {RELATIONS} AND relkind IN ('r', 'p') AND pg_class.oid NOT IN (SELECT oid FROM calls_out)
            AND pg_class.oid NOT IN (SELECT oid FROM wide)
    ) AS tables JOIN pg_class USING (oid) JOIN pg_namespace ON pg_namespace.oid = relnamespace
    ORDER BY place, nspname, relname LIMIT %(tables)s
"""  # noqa: S608 - constants
_VIEWS = f"""
    WITH RECURSIVE {_CALLS_OUT}
    SELECT pg_class.oid, nspname, relname, relhasrules, relowner FROM (
        SELECT pg_class.oid, row_number() OVER (PARTITION BY nspname ORDER BY relname) AS place
        {RELATIONS} AND relkind IN ('v', 'm') AND pg_class.oid NOT IN (SELECT oid FROM calls_out)
    ) AS views JOIN pg_class USING (oid) JOIN pg_namespace ON pg_namespace.oid = relnamespace
    ORDER BY place, nspname, relname LIMIT %(views)s
"""  # noqa: S608 - constants
_LEFT_OUT = f"""
    WITH RECURSIVE {_CALLS_OUT}, {_PARTITIONS}
    SELECT quote_ident(nspname) || '.' || quote_ident(relname),
        CASE WHEN relkind = 'v' THEN 'reads a foreign table'
            WHEN pg_class.oid IN (SELECT oid FROM calls_out) THEN 'has a foreign partition'
            ELSE (SELECT number FROM wide WHERE wide.oid = pg_class.oid) || ' partitions' END AS why
    {RELATIONS} AND relkind IN ('r', 'p', 'v')
        AND (pg_class.oid IN (SELECT oid FROM calls_out) OR pg_class.oid IN (SELECT oid FROM wide)) ORDER BY 1
"""  # noqa: S608 - constants
RELATIONS_OF_STRONG = f"""
    SELECT DISTINCT quote_ident(pg_get_userbyid(relowner)) {RELATIONS} AND relowner = ANY(%(strong)s::oid[])
    ORDER BY 1
"""
_COUNT = f"SELECT count(*)::int {RELATIONS} AND relkind IN ('r', 'p')"


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A table or view to try statements on; `is_strong_owners`: nobody is to act for its owner."""

    oid: int
    name: Composable
    title: str
    has_rules: bool = False
    is_strong_owners: bool


@dataclass(frozen=True, kw_only=True)
class Relations:
    """What is tried, of how many tables; left_out: name and reason of what is not."""

    tables: list[Relation]
    views: list[Relation] = field(default_factory=list)
    count: int
    left_out: list[str]

    def note(self) -> list[str]:
        """Say what is left out, in one line if anything is."""
        return [f"not tried: {first_of(self.left_out)}"] if self.left_out else []


def relations(connection: Connection, strong_owners: Sequence[int]) -> Relations:
    """Return some relations of every schema."""
    values = {"tables": _TRIED_TABLES, "views": _TRIED_VIEWS, "most": _MOST_PARTITIONS}
    tables, views = (
        [
            Relation(
                oid=oid,
                name=Identifier(schema, name),
                title=f"{schema}.{name}",
                has_rules=has_rules,
                is_strong_owners=owner in strong_owners,
            )
            for oid, schema, name, has_rules, owner in rows(connection, "look at relations", query, values)
        ]
        for query in (_TABLES, _VIEWS)
    )
    left_out = rows(connection, "look at relations that are left out", _LEFT_OUT, values)
    return Relations(
        tables=tables,
        views=views,
        count=rows(connection, "count of tables", _COUNT, {})[0][0],
        left_out=[f"{name} ({why})" for name, why in left_out],
    )
