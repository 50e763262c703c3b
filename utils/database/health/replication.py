"""Publications and replication slots: nobody subscribes to a copy, and both get in the way of work on it."""

from collections.abc import Callable, Sequence

from psycopg2 import errors as postgres_errors
from psycopg2.sql import SQL, Composable, Identifier, Literal

from utils.database.health.finding import finding
from utils.database.server.connection import FIRST_DATABASE, Master, postgres_call
from utils.database.server.statements import attempt, execute, names
from utils.operation.model import HealthRecord, Verdict

_PUBLICATIONS = "SELECT pubname FROM pg_publication ORDER BY 1"
_SLOTS = """
    SELECT slot_name FROM pg_replication_slots
    WHERE slot_type = 'logical' AND NOT active AND NOT temporary ORDER BY 1
"""


def end_replication(master: Master, databases: Sequence[str], tell: Callable[[list[HealthRecord]], None]) -> None:
    """Drop publications, for which a table without a key takes no UPDATE, and slots; what stays is told later.

    `tell` is told of those of each database: a second call finds nothing of them.
    """
    for database in databases:
        # One session after the other: the database may take no second one.
        with master.in_database(database) as connection:
            published = names(connection, "look at publications", _PUBLICATIONS)
        drop = SQL("DROP PUBLICATION {}")
        dropped = [name for name in published if _is_done(master, database, drop.format(Identifier(name)))]
        tell(finding(Verdict.CLOSED, "publications, dropped", dropped, database))
    with master.in_database(FIRST_DATABASE) as connection:
        slots = names(connection, "look at replication slots", _SLOTS)
    drop = SQL("SELECT pg_drop_replication_slot({})")
    dropped = [slot for slot in slots if _is_done(master, FIRST_DATABASE, drop.format(Literal(slot)))]
    tell(finding(Verdict.CLOSED, "replication slots, dropped", dropped))


def _is_done(master: Master, database: str, statement: Composable) -> bool:
    refused = True
    with (
        master.in_database(database) as connection,
        postgres_call("end of replication"),
        attempt(connection, postgres_errors.InsufficientPrivilege, postgres_errors.ObjectInUse),
    ):
        execute(connection, statement)
        refused = False
    return not refused
