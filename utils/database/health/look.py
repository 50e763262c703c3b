"""What a copy brings along that somebody should know of, asked of the catalog; no code of production's runs for it."""

from collections.abc import Callable, Sequence

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812

from utils.database.access.script_login import ScriptWork
from utils.database.health.finding import finding
from utils.database.health.question import PEOPLES, Look
from utils.database.health.rows_left_out import LEFT_OUT_OF_SCRIPTS
from utils.database.health.sequences import sequences_behind
from utils.database.server.connection import FIRST_DATABASE, Master, postgres_call
from utils.database.server.refusals import may_pass
from utils.database.server.statements import rows
from utils.operation.model import HealthRecord, Verdict

_OF_THE_CLUSTER = [
    Look(
        what="databases that refuse connections: nothing in them was looked at or arranged",
        verdict=Verdict.FOR_A_PERSON,
        query="""
            SELECT datname FROM pg_database
            WHERE (NOT datallowconn OR datconnlimit IN (-2, 0) OR NOT has_database_privilege(oid, 'CONNECT'))
                AND datname NOT IN ('rdsadmin', 'template0', 'template1') ORDER BY 1
        """,
    ),
    Look(
        what="databases with a limit of connections",
        verdict=Verdict.HARMLESS,
        query="SELECT datname || ' (' || datconnlimit || ')' FROM pg_database WHERE datconnlimit > 0 ORDER BY 1",
    ),
    Look(
        what="sessions that begin in another role than the one that logs in",
        verdict=Verdict.FOR_A_PERSON,
        query="""
            SELECT concat_ws(' in ', rolname, datname) || ' (' || substr(entry, 6) || ')'
            FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS entry
            LEFT JOIN pg_roles ON pg_roles.oid = setrole LEFT JOIN pg_database ON pg_database.oid = setdatabase
            WHERE entry LIKE 'role=%%' AND entry <> 'role=none' ORDER BY 1
        """,
    ),
    Look(
        what="sessions that fire no triggers and check no foreign keys: RESET session_replication_role",
        verdict=Verdict.FOR_A_PERSON,
        query="""
            SELECT coalesce(nullif(concat_ws(' in ', rolname, datname), ''), 'everybody')
                || ' (' || split_part(entry, '=', 2) || ')'
            FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS entry
            LEFT JOIN pg_roles ON pg_roles.oid = setrole LEFT JOIN pg_database ON pg_database.oid = setdatabase
            WHERE entry LIKE 'session_replication_role=%%' AND entry <> 'session_replication_role=origin' ORDER BY 1
        """,
    ),
    Look(
        what="settings of roles and databases, by name",
        verdict=Verdict.HARMLESS,
        query="""
            SELECT concat_ws(' in ', rolname, datname) || ': '
                || string_agg(split_part(entry, '=', 1), ', ' ORDER BY entry)
            FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS entry
            LEFT JOIN pg_roles ON pg_roles.oid = setrole LEFT JOIN pg_database ON pg_database.oid = setdatabase
            WHERE entry NOT LIKE 'role=%%' AND rolname IS DISTINCT FROM 'rdsadmin'
                AND datname IS DISTINCT FROM 'rdsadmin'
            GROUP BY rolname, datname ORDER BY 1
        """,
    ),
    Look(
        what="replication slots, which keep WAL for nobody",
        verdict=Verdict.FOR_A_PERSON,
        query="SELECT slot_name FROM pg_replication_slots WHERE NOT active AND NOT temporary ORDER BY 1",
    ),
    Look(
        what="databases whose collation has another version now: REINDEX, then REFRESH COLLATION VERSION",
        verdict=Verdict.FOR_A_PERSON,
        query="""
            SELECT datname || ' (' || datcollversion || ')' FROM pg_database WHERE datname <> 'rdsadmin'
                AND datcollversion IS NOT NULL
                AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)
            ORDER BY 1
        """,
        since=150_000,
    ),
]
_OF_A_DATABASE = [
    Look(
        what="publications that the master may not drop",
        verdict=Verdict.FOR_A_PERSON,
        query="SELECT pubname FROM pg_publication ORDER BY 1",
    ),
    Look(
        what="subscriptions",
        verdict=Verdict.FOR_A_PERSON,
        query="""
            SELECT subname FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid
            WHERE datname = current_database() ORDER BY 1
        """,
    ),
    Look(
        what="event triggers that fire",
        verdict=Verdict.FOR_A_PERSON,
        query="""
            SELECT evtname || ' (' || evtevent || ')' FROM pg_event_trigger WHERE evtenabled <> 'D'
                AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_event_trigger'::regclass
                    AND objid = pg_event_trigger.oid AND deptype = 'e') ORDER BY 1
        """,
    ),
    Look(
        what="event triggers that are disabled",
        verdict=Verdict.CLOSED,
        query="SELECT evtname || ' (' || evtevent || ')' FROM pg_event_trigger WHERE evtenabled = 'D' ORDER BY 1",
    ),
    Look(
        what="invalid indexes: REINDEX or drop them",
        verdict=Verdict.FOR_A_PERSON,
        query=f"""
            SELECT quote_ident(nspname) || '.' || quote_ident(relname) FROM pg_index
            JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE NOT (indisvalid AND indisready AND indislive) AND {PEOPLES} ORDER BY 1
        """,  # noqa: S608 - constants
    ),
    Look(
        what="collations that have another version now: REINDEX what uses them, then REFRESH VERSION",
        verdict=Verdict.FOR_A_PERSON,
        query="""
            SELECT quote_ident(nspname) || '.' || quote_ident(collname) FROM pg_collation
            JOIN pg_namespace ON pg_namespace.oid = collnamespace
            WHERE collversion IS NOT NULL AND collversion <> pg_collation_actual_version(pg_collation.oid)
                AND EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_collation'::regclass
                    AND refobjid = pg_collation.oid) ORDER BY 1
        """,
    ),
    Look(
        what="constraints that were never validated",
        verdict=Verdict.HARMLESS,
        query=f"""
            SELECT conrelid::regclass::text || '.' || quote_ident(conname) FROM pg_constraint
            JOIN pg_namespace ON pg_namespace.oid = connamespace WHERE NOT convalidated AND {PEOPLES} ORDER BY 1
        """,  # noqa: S608 - constants
    ),
]


def look(master: Master, databases: Sequence[str], scripts: ScriptWork | None = None) -> list[HealthRecord]:
    """Return what there is to be known of the cluster and of each database; what cannot be asked is named.

    scripts: those that have run; more is asked in the databases that they changed.
    """
    with master.in_database(FIRST_DATABASE) as connection:
        found = [record for each in _OF_THE_CLUSTER for record in _asked(connection, each, None)]
    for database in databases:
        with master.in_database(database) as connection:
            questions = [*_OF_A_DATABASE, *(LEFT_OUT_OF_SCRIPTS if scripts and database in scripts.changed else ())]
            found += [record for each in questions for record in _asked(connection, each, database)]
            what = "sequences that are behind the numbers of their tables: setval"
            found += _tried(connection, what, Verdict.FOR_A_PERSON, lambda: sequences_behind(connection), database)
    return found


def _asked(connection: Connection, each: Look, database: str | None) -> list[HealthRecord]:
    if connection.server_version < each.since:
        return []

    def ask() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(each.query, {})
            return [str(name) for (name,) in cursor.fetchall()]

    return _tried(connection, each.what, each.verdict, ask, database)


def _tried(
    connection: Connection, what: str, verdict: Verdict, ask: Callable[[], list[str]], database: str | None
) -> list[HealthRecord]:
    """Ask, and take no answer for an answer: a look ends no run."""
    rows(connection, "look at the health", "SAVEPOINT health; SELECT 1")
    with postgres_call("look at the health"):
        try:
            found = finding(verdict, what, ask(), database)
        except psycopg2.Error as error:
            if may_pass(error) and not isinstance(error, psycopg2.errors.QueryCanceled):
                raise
            name = f"{error.pgcode} {type(error).__name__}"
            found = finding(Verdict.FOR_A_PERSON, f"not looked at: {what}", [name], database)
        except UnicodeError:
            found = finding(Verdict.FOR_A_PERSON, f"not looked at: {what}", ["a name that is no UTF-8"], database)
    rows(connection, "look at the health", "ROLLBACK TO SAVEPOINT health; SELECT 1")
    return found
