"""Event triggers of the snapshot, whose functions run with the rights of whoever does the DDL, or logs in: the master.

PostgreSQL runs none of them for ALTER EVENT TRIGGER itself, nor for what concerns roles and databases.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Identifier

from utils.database.server.connection import NO_EVENT_TRIGGERS, Master, postgres_call
from utils.database.server.statements import attempt, execute, names, rows
from utils.errors import DatabaseChangeRefused
from utils.shortened import first_of

_ENABLED = """
    SELECT evtname, evtevent, pg_proc.oid::regprocedure::text, maker.rolname, maker.rolname = current_user
    FROM pg_event_trigger JOIN pg_roles AS owner ON owner.oid = evtowner
    JOIN pg_proc ON pg_proc.oid = evtfoid JOIN pg_roles AS maker ON maker.oid = proowner
    WHERE evtenabled <> 'D' AND NOT (owner.rolsuper AND maker.rolsuper) ORDER BY evtname
"""
# From PostgreSQL 17 on, the list of databases itself tells where something may run at a login.
_WITH_LOGIN_TRIGGERS = """
    SELECT datname FROM pg_database WHERE (to_jsonb(pg_database) ->> 'dathasloginevt')::boolean ORDER BY datname
"""
_SETTING_IS_OFF = "SELECT 1 FROM pg_settings WHERE name = 'event_triggers' AND setting = 'off'"
WAY_OUT = (
    "switch it off in the source (ALTER EVENT TRIGGER ... DISABLE, as its owner) and start a new run from a new "
    "snapshot, or set event_triggers to 0 in the cluster parameter group; nobody has been let in"
)


@dataclass(frozen=True, kw_only=True)
class EventTrigger:
    """An enabled event trigger that is not AWS's, with the function that it runs and that function's owner."""

    database: str
    name: str
    event: str
    function: str
    maker: str
    is_masters: bool

    def __str__(self) -> str:
        """Name it as a person reads it."""
        return f"{self.database}: event trigger {self.name} on {self.event}, runs {self.function} of {self.maker}"


def without_event_triggers(master: Master) -> Master:
    """Return the master, in whose sessions no event trigger runs if PostgreSQL lets it say so."""
    may = master.may_begin_with(NO_EVENT_TRIGGERS)
    return replace(master, options=NO_EVENT_TRIGGERS) if may else master


def find_event_triggers(connection: Connection) -> list[EventTrigger]:
    """Return what would run in this database when the master does DDL or logs in."""
    return [
        EventTrigger(
            database=connection.info.dbname, name=name, event=event, function=function, maker=maker,
            is_masters=is_masters,
        )
        for name, event, function, maker, is_masters in rows(connection, "look at event triggers", _ENABLED)
    ]  # fmt: skip


def switch_off(connection: Connection, found: Sequence[EventTrigger]) -> None:
    """Disable them; raises `DatabaseChangeRefused` for one that stays on and is somebody else's code.

    This must be the first change in a database, or the change itself would run them.
    """
    stuck = []
    for trigger in found:
        is_off = False
        with postgres_call(f"end of {trigger}"), attempt(connection, postgres_errors.InsufficientPrivilege):
            execute(connection, SQL("ALTER EVENT TRIGGER {} DISABLE").format(Identifier(trigger.name)))
            is_off = True
        if not (is_off or trigger.is_masters):
            stuck.append(trigger)
    connection.commit()
    if stuck:
        raise _refused(stuck)


def run_at_login(connection: Connection) -> list[str]:
    """Name the databases in which a login as this session's would run production's code."""
    if rows(connection, "look at the setting event_triggers", _SETTING_IS_OFF):
        return []
    return names(connection, "look for login event triggers", _WITH_LOGIN_TRIGGERS)


def refuse_login_triggers(connection: Connection, databases: Sequence[str]) -> None:
    """Refuse databases in which a login alone would run production's code; raises `DatabaseChangeRefused`.

    Harmless in sessions without event triggers; without that right nobody can look at which it is before it has run.
    """
    found = [name for name in run_at_login(connection) if name in databases]
    if found:
        raise DatabaseChangeRefused(
            f"event triggers on login in database {first_of(found)}, which would run as the master user",
            expected="none, or a master user who may set event_triggers",
            action=WAY_OUT,
        )


def _refused(stuck: Sequence[EventTrigger]) -> DatabaseChangeRefused:
    return DatabaseChangeRefused(
        f"event triggers that the master may not switch off: {first_of([*map(str, stuck)])}",
        expected="no code of production's that runs with the master's rights",
        action=WAY_OUT,
    )
