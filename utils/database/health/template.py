"""The template of databases that are made later: what everybody may put into it, each of them inherits."""

from psycopg2 import errors as postgres_errors
from psycopg2.sql import SQL

from utils.database.health.finding import finding
from utils.database.server.connection import TEMPLATE, Master, postgres_call
from utils.database.server.statements import attempt, execute, names, rows
from utils.operation.model import HealthRecord, Verdict

_OPEN = """
    SELECT nspname FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS entry
    WHERE nspname = 'public' AND entry.grantee = 0 AND entry.privilege_type = 'CREATE'
"""
# What belongs to another object, as an index or a table's type does, comes and goes with it; an extension's is AWS's.
_THEIRS = """
    SELECT quote_ident(nspname) || '.' || quote_ident(relname) FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_roles ON pg_roles.oid = relowner
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT rolsuper AND NOT EXISTS (SELECT FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype IN ('a', 'i', 'e'))
    UNION ALL
    SELECT pg_proc.oid::regprocedure::text FROM pg_proc JOIN pg_roles ON pg_roles.oid = proowner
    WHERE NOT rolsuper AND NOT EXISTS (SELECT FROM pg_depend
        WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
    UNION ALL
    SELECT 'large object ' || pg_largeobject_metadata.oid FROM pg_largeobject_metadata
    JOIN pg_roles ON pg_roles.oid = lomowner WHERE NOT rolsuper
    ORDER BY 1
"""


def close_template(master: Master) -> list[HealthRecord]:
    """Take from everybody the right to create in the template, which they had before PostgreSQL 15; name what is in it.

    It is neither arranged nor proven: our users log in to it as anybody does, and databases made later begin with it.
    """
    if not master.can_enter(TEMPLATE):
        return []
    with master.in_database(TEMPLATE) as connection:
        what = "objects in the template of later databases: neither arranged, masked nor proven"
        found = finding(Verdict.FOR_A_PERSON, what, names(connection, "look at the template", _THEIRS), TEMPLATE)
        if not rows(connection, "look at the template", _OPEN):
            return found
        with postgres_call("rights in the template"), attempt(connection, postgres_errors.InsufficientPrivilege):
            execute(connection, SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
        verdict = Verdict.FOR_A_PERSON if rows(connection, "look at the template", _OPEN) else Verdict.MENDED
    what = "template in which everybody could create what later databases inherit"
    return [*found, *finding(verdict, what, [TEMPLATE])]
