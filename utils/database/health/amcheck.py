"""PostgreSQL's own look into indexes: a B-tree in the wrong order finds rows or not, as it happens."""

import time
from collections.abc import Sequence

import psycopg2
from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Identifier, Literal

from utils.database.health.finding import finding
from utils.database.server.connection import Master, postgres_call
from utils.database.server.refusals import may_pass
from utils.database.server.statements import attempt, execute, names, rows
from utils.operation.model import HealthRecord, Verdict

# Only a superuser can have made a function in C; anybody could have made one of that name.
_SCHEMA = """
    SELECT nspname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    JOIN pg_depend ON classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e'
        AND refclassid = 'pg_extension'::regclass
    JOIN pg_extension ON pg_extension.oid = refobjid AND extname = 'amcheck'
    WHERE proname = 'bt_index_check' AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') LIMIT 1
"""
_INDEXES = """
    SELECT pg_class.oid, quote_ident(nspname) || '.' || quote_ident(relname)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_am ON pg_am.oid = relam
    WHERE amname = 'btree' AND relkind = 'i' AND relpersistence = 'p' AND indisvalid AND indisready
    ORDER BY relpages, 2
"""


def run_amcheck(master: Master, databases: Sequence[str], seconds: float) -> list[HealthRecord]:
    """Look through the indexes of each database, for so many seconds in all; nothing of it stays."""
    ends = time.monotonic() + seconds
    found = []
    for database in databases:
        with master.in_database(database) as connection:
            found += _in_database(connection, database, ends)
            # An extension that was made for the look goes with the transaction.
            connection.rollback()
    return found


def _in_database(connection: Connection, database: str, ends: float) -> list[HealthRecord]:
    with postgres_call("extension amcheck"), attempt(connection, psycopg2.Error):
        execute(connection, SQL("CREATE EXTENSION IF NOT EXISTS amcheck"))
    schema = names(connection, "look for amcheck", _SCHEMA)
    if not schema:
        return finding(Verdict.FOR_A_PERSON, "no amcheck, which the master may not make", [database], database)
    indexes = rows(connection, "look at indexes", _INDEXES)
    damaged, failed, left = [], [], []
    for number, (oid, name) in enumerate(indexes):
        milliseconds = round((ends - time.monotonic()) * 1000)
        why = "" if milliseconds > 0 else None
        if milliseconds > 0:
            why = _looked_at(connection, schema[0], oid, milliseconds)
        if why is None:
            left = [name for _, name in indexes[number:]]
            break
        if why == postgres_errors.IndexCorrupted.__name__:
            damaged.append(name)
        elif why:
            failed.append(f"{name} ({why})")
    in_order = len(indexes) - len(damaged) - len(failed) - len(left)
    return [
        *finding(Verdict.FOR_A_PERSON, "damaged indexes, by amcheck: REINDEX", damaged, database),
        *finding(Verdict.FOR_A_PERSON, "indexes that amcheck could not look through", failed, database),
        *finding(Verdict.FOR_A_PERSON, "indexes that amcheck had no time for", left, database),
        *finding(Verdict.HARMLESS, "indexes in order, by amcheck", [f"{in_order} of {len(indexes)}"], database),
    ]


def _looked_at(connection: Connection, schema: str, index: int, milliseconds: int) -> str | None:
    """Return the kind of error, an empty text if there was none, None if the time was up."""
    why: str | None = ""
    with postgres_call("amcheck"), connection.cursor() as cursor:
        cursor.execute("SAVEPOINT amcheck")
        try:
            cursor.execute(SQL("SET LOCAL statement_timeout = {}").format(Literal(milliseconds)))
            check = SQL("SELECT {}({}::regclass)").format(Identifier(schema, "bt_index_check"), Literal(index))
            cursor.execute(check)
        except postgres_errors.QueryCanceled:
            why = None
        except psycopg2.Error as error:
            if may_pass(error):
                raise
            why = type(error).__name__
        cursor.execute("ROLLBACK TO SAVEPOINT amcheck")
    return why
