"""One set-up of the users at a time in a cluster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from utils.database.server.connection import FIRST_DATABASE, Master, postgres_call
from utils.database.server.statements import rows
from utils.errors import DatabaseUnavailable

_KEY = 4_702_394_921_427_289  # any number that nobody else uses
# Anybody may take any advisory lock, or wait in line for it; only the master has a set-up's.
_END_STRANGERS = """
    WITH strangers AS MATERIALIZED (
        SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND objsubid = 1 AND usename IS DISTINCT FROM current_user
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND classid = (%(key)s::bigint >> 32)::oid AND objid = (%(key)s::bigint & 4294967295)::oid
    )
    SELECT pg_terminate_backend(pid, 5000) FROM strangers
"""
_TAKE = "SELECT pg_try_advisory_lock(%(key)s), pg_backend_pid()"


class SetupLock:
    """The lock of a set-up, held by a session of its own."""

    def __init__(self, master: Master, pid: int) -> None:
        self.pid = pid
        self._master = master

    def check(self) -> None:
        """Make sure that the session still lives; raises `DatabaseUnavailable`."""
        with self._master.in_database(FIRST_DATABASE) as connection:
            held = rows(
                connection,
                "look at the lock of the set-up",
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = %s AND granted",
                (self.pid,),
            )
        if not held:
            raise DatabaseUnavailable(
                "no lock of this set-up any more: its session has ended",
                expected="a session that lives as long as the set-up",
                action="nothing, the step is tried again",
            )


@contextmanager
def setup_lock(master: Master, end_what_has_no_session: Callable[[], None] = lambda: None) -> Iterator[SetupLock]:
    """Hold the lock, or raise `DatabaseUnavailable` at once when another set-up has it.

    end_what_has_no_session: a prepared transaction holds a lock as well, and there is no session to end.
    """
    with master.session(FIRST_DATABASE) as connection:
        # No limit ends the session while the work goes on in others.
        with postgres_call("lock of the set-up"), connection.cursor() as cursor:
            cursor.execute("SET idle_session_timeout = 0")
            cursor.execute(_TAKE, {"key": _KEY})
            got, pid = cursor.fetchone() or (False, 0)
            if not got:
                cursor.execute(_END_STRANGERS, {"key": _KEY})
                end_what_has_no_session()
                cursor.execute(_TAKE, {"key": _KEY})
                got, pid = cursor.fetchone() or (False, 0)
        if not got:
            raise DatabaseUnavailable(
                "another set-up of the users at work in this cluster",
                expected="one at a time",
                action="nothing, the step is tried again for a while",
            )
        yield SetupLock(master, pid)
