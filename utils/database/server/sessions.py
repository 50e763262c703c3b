"""What no option of a connection can say to a session, and sessions that are kept from transaction to transaction."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812

# It came with PostgreSQL 17, and an older server refuses a connection that asks for a setting which it does not know.
_NO_TRANSACTION_TIMEOUT = (170_000, "SET transaction_timeout = 0")


def without_transaction_timeout(connection: Connection) -> None:
    """Let transactions of a session that is in none take their time."""
    since, statement = _NO_TRANSACTION_TIMEOUT
    if connection.server_version >= since:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    connection.autocommit = False


class KeptSessions:
    """At most one in each of `databases`: the idle ones of them."""

    def __init__(self, databases: Collection[str]) -> None:
        self.databases = set(databases)
        self._idle: dict[str, Connection] = {}

    def close(self) -> None:
        """End them all; whoever needs one gets another."""
        while self._idle:
            self._idle.popitem()[1].close()

    @contextmanager
    def transaction(self, database: str, begin: Callable[[], Connection]) -> Iterator[Connection]:
        """Run one transaction in the kept session; in a new one if there is none, it is in use, or has ended.

        It commits at the end, or rolls back on an error, after which the session is not kept.
        """
        connection = self._taken(database) or begin()
        try:
            with connection:
                yield connection
        except BaseException:
            connection.close()
            raise
        if other := self._idle.pop(database, None):
            other.close()
        self._idle[database] = connection

    def _taken(self, database: str) -> Connection | None:
        connection = self._idle.pop(database, None)
        if connection is not None:
            try:
                _begin_anew(connection)
            except psycopg2.Error:
                connection.close()  # somebody, or the network, has ended it
                return None
        return connection


def _begin_anew(connection: Connection) -> None:
    """Leave nothing in a session of what it did; raises psycopg2's errors for one that has ended."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("DISCARD ALL")
    without_transaction_timeout(connection)
