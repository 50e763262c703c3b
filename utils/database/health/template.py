"""The template of databases that are made later: what everybody may put into it, each of them inherits."""

from psycopg2 import errors as postgres_errors
from psycopg2.sql import SQL

from utils.database.health.finding import finding
from utils.database.server.connection import TEMPLATE, Master, postgres_call
from utils.database.server.statements import attempt, execute, rows
from utils.operation.model import HealthRecord, Verdict

_OPEN = """
    SELECT nspname FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS entry
    WHERE nspname = 'public' AND entry.grantee = 0 AND entry.privilege_type = 'CREATE'
"""


def close_template(master: Master) -> list[HealthRecord]:
    """Take from everybody the right to create in the template, which they had before PostgreSQL 15."""
    if not master.can_enter(TEMPLATE):
        return []
    with master.in_database(TEMPLATE) as connection:
        if not rows(connection, "look at the template", _OPEN):
            return []
        with postgres_call("rights in the template"), attempt(connection, postgres_errors.InsufficientPrivilege):
            execute(connection, SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
        verdict = Verdict.FOR_A_PERSON if rows(connection, "look at the template", _OPEN) else Verdict.MENDED
    return finding(verdict, "template in which everybody could create what later databases inherit", [TEMPLATE])
