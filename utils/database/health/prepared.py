"""Prepared transactions: a copy has them as production had them, with their locks, and nobody will ever end them."""

from collections.abc import Callable

from psycopg2.sql import SQL, Identifier, Literal

from utils.database.access.event_triggers import run_at_login
from utils.database.health.finding import finding
from utils.database.roles.memberships import join
from utils.database.server.connection import FIRST_DATABASE, Master, postgres_call
from utils.database.server.statements import rows, run
from utils.errors import DatabaseChangeRefused, DatabaseUnavailable
from utils.operation.model import HealthRecord, Verdict

# The name is in the encoding of its own database, and may be none in this one's.
_PREPARED = """
    SELECT textsend(gid), transaction::text, owner, database, owner = current_user,
        (SELECT rolsuper FROM pg_roles WHERE rolname = owner)
    FROM pg_prepared_xacts ORDER BY prepared, transaction::text
"""
_NAME = "SELECT gid FROM pg_prepared_xacts WHERE transaction::text = %s AND database = current_database()"


def end_prepared_transactions(
    master: Master, tell: Callable[[list[HealthRecord]], None], *, refuse: bool = True
) -> None:
    """Roll each back as its owner, in its own database; raises `DatabaseChangeRefused` for one that stays, or not.

    `tell` is told of those that were ended, also when another one stays: a second call finds nothing of them.
    """
    ended: list[str] = []
    try:
        _end(master, ended, refuse=refuse)
    finally:
        if ended:
            tell(finding(Verdict.CLOSED, "prepared transactions, rolled back", ended))


def _end(master: Master, ended: list[str], *, refuse: bool) -> None:
    with master.in_database(FIRST_DATABASE) as connection:
        found = rows(connection, "look at prepared transactions", _PREPARED)
        # Whatever runs there at the master's login is refused before the look that refuses what stays.
        left = run_at_login(connection) if found and not refuse else []
    for raw, transaction, owner, database, is_masters, is_superusers in found:
        gid = bytes(raw).decode(errors="backslashreplace")
        if database in left:
            continue
        if is_superusers:
            if not refuse:
                continue
            raise _stays(gid, owner, database, "a superuser's")
        try:
            if not is_masters:
                with master.in_database(FIRST_DATABASE) as connection:
                    join(connection, [owner])
            # Only outside of a transaction, in the database that it was prepared in, and by its owner itself.
            with postgres_call("end of a prepared transaction"), master.session(database) as connection:
                run(connection, "role of its owner", [SQL("SET ROLE {}").format(Identifier(owner))])
                for (name,) in rows(connection, "name of a prepared transaction", _NAME, (transaction,)):
                    with connection.cursor() as cursor:
                        cursor.execute(SQL("ROLLBACK PREPARED {}").format(Literal(name)))
        except (DatabaseChangeRefused, DatabaseUnavailable) as error:
            if not refuse:
                continue
            if isinstance(error, DatabaseUnavailable):
                raise
            raise _stays(gid, owner, database, str(error)) from None
        ended.append(f"{gid} of {owner} in {database}")


def _stays(gid: str, owner: str, database: str, why: str) -> DatabaseChangeRefused:
    return DatabaseChangeRefused(
        f"prepared transaction {gid!r} of {owner} in database {database}, which the master may not end: {why}",
        expected="no transaction that holds its locks for ever",
        action=f"in the copy, as {owner} in that database: ROLLBACK PREPARED {gid!r}, and resume the operation; or "
        "end it in the source and start a new run from a new snapshot",
    )
