"""SECURITY DEFINER routines of strong owners: they do what they do for whoever calls them, so a weak role gets them.

Trigger functions ask nobody for EXECUTE, and one that names a table without its schema can be led to any table: to take
EXECUTE alone would not be enough.
"""

from collections.abc import Callable, Sequence

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier

from utils.database.rights.objects import ROUTINE_NAME, on_objects
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.roles.wanted_role import PUT_ASIDE
from utils.database.server.connection import postgres_call
from utils.database.server.statements import attempt, execute, rows, run

# The master's functions of event triggers stay the master's: whoever owned them could rewrite what runs as the master.
# But they run as whoever does the DDL: what they call may be anybody's. That a routine belongs to an extension says
# nothing of its owner: who owns an extension may add to it whatever it owns.
_DEFINERS = f"""
    SELECT pg_proc.oid::regprocedure::text, rolname, rolname = current_user OR pg_roles.oid = ANY(%(strong)s::oid[]),
        EXISTS (SELECT FROM pg_event_trigger WHERE evtfoid = pg_proc.oid), {ROUTINE_NAME}
    FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace JOIN pg_roles ON pg_roles.oid = proowner
    WHERE prosecdef AND NOT rolsuper AND nspname NOT LIKE 'pg\\_%%' AND nspname <> 'information_schema'
        AND (rolname = current_user OR pg_roles.oid = ANY(%(strong)s::oid[]) OR rolname = ANY(%(users)s) OR {PUT_ASIDE})
    ORDER BY 1
"""  # noqa: S608 - constants
# PostgreSQL asks nobody for EXECUTE when it orders or estimates values of a range type: anybody sets them off.
_OF_RANGES = f"""
    SELECT pg_proc.oid::regprocedure::text, rolname, {ROUTINE_NAME}
    FROM pg_proc JOIN pg_roles ON pg_roles.oid = proowner
    WHERE prosecdef AND NOT rolsuper AND pg_has_role(proowner, 'USAGE')
        AND EXISTS (SELECT FROM pg_range WHERE pg_proc.oid IN (rngcanonical, rngsubdiff)) ORDER BY 1
"""  # noqa: S608 - constants


def weaken_definers(
    connection: Connection, users: Sequence[str], strong: Sequence[int], tell: Callable[[list[str]], None]
) -> list[str]:
    """Give the owner role every such routine of the master, the users and strong owners; return those but the users'.

    One that cannot get a new owner, where the owner role may not create, runs with its caller's rights from now on.
    `tell` gets the list before anything is changed.
    """
    values = {"users": list(users), "strong": list(strong)}
    found = rows(connection, "look at SECURITY DEFINER routines", _DEFINERS, values)
    database = connection.info.dbname
    lines = [
        f"{database}: routine {name}, SECURITY DEFINER of {owner}" for name, owner, is_strong, *_ in found if is_strong
    ]
    if lines:
        tell(lines)
    owner_role = SQL(" OWNER TO ") + Identifier(OWNER_ROLE)
    for _, owner, _, is_event_triggers, name in found:
        # PostgreSQL has quoted the name itself.
        routine = SQL("ALTER ROUTINE ") + SQL(name)
        # An aggregate of the former owner's asks it for EXECUTE.
        still = on_objects("GRANT EXECUTE", "ROUTINE", [name], SQL("TO {}").format(Identifier(owner)))
        weakened = [] if is_event_triggers else [routine + owner_role + SQL("; ") + still]
        _first_that_works(connection, [*weakened, routine + SQL(" SECURITY INVOKER")])
    return lines


def weaken_functions_of_ranges(connection: Connection, tell: Callable[[list[str]], None]) -> list[str]:
    """Let what range types call run with its caller's rights; return what ran with its owner's."""
    found = rows(connection, "look at functions of range types", _OF_RANGES)
    database = connection.info.dbname
    lines = [f"{database}: routine {name}, SECURITY DEFINER of {owner}, of a range type" for name, owner, _ in found]
    if lines:
        tell(lines)
    # PostgreSQL has quoted the name itself.
    statements = [SQL("ALTER ROUTINE ") + SQL(name) + SQL(" SECURITY INVOKER") for *_, name in found]
    run(connection, "end of a routine's rights", statements)
    return lines


def _first_that_works(connection: Connection, statements: Sequence[Composable]) -> None:
    for statement in statements:
        refused = True
        with postgres_call("end of a routine's rights"), attempt(connection, postgres_errors.InsufficientPrivilege):
            execute(connection, statement)
            refused = False
        if not refused:
            return
