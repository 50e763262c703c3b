"""The limit of temporary files, where a statement has reached it: who has that setting, and how it goes."""

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier

from utils.errors import DatabaseChangeRefused

TEMPORARY_FILES = "temp_file_limit"
_WHOSE = "SELECT setting, source FROM pg_catalog.pg_settings WHERE name = %s"
# Where PostgreSQL says that a setting is from: the view pg_settings, its column `source`.
_OF = {
    "user": SQL("ROLE {role}"),
    "database": SQL("DATABASE {database}"),
    "database user": SQL("ROLE {role} IN DATABASE {database}"),
    "global": SQL("ROLE ALL"),
}


def limit_reached(connection: Connection, what: str) -> DatabaseChangeRefused:
    """Return the error for a statement that needed more temporary files; its transaction is rolled back."""
    connection.rollback()
    with connection.cursor() as cursor:
        # The view of all settings needs more than the least memory itself.
        cursor.execute("SET work_mem = '4MB'")
        cursor.execute(_WHOSE, (TEMPORARY_FILES,))
        kilobytes, source = cursor.fetchone() or ("unknown", "")
    whose = _OF.get(source)
    owner = _owner(connection, whose).as_string(connection) if whose else "the server's configuration"
    reset = f"ALTER {owner} RESET {TEMPORARY_FILES}" if whose else f"raise {TEMPORARY_FILES}"
    return DatabaseChangeRefused(
        f"{TEMPORARY_FILES} = {kilobytes} (kB) of {owner}, which the {what} would exceed",
        expected="room for the temporary files of a look at the whole catalog",
        action=f"{reset} in the source and start a new run from a new snapshot, or "
        f"{'in the restored cluster' if whose else 'in its cluster parameter group'} and resume the operation",
    )


def _owner(connection: Connection, whose: SQL) -> Composable:
    return whose.format(role=Identifier(connection.info.user), database=Identifier(connection.info.dbname))
