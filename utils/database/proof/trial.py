"""A statement that a user tries: done, refused, or failed for a reason that says nothing of the user's rights."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

import psycopg2
from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable

from utils.database.roles.profiles import DatabaseUser
from utils.database.server.connection import postgres_call
from utils.database.server.refusals import is_raised, may_pass
from utils.database.server.statements import rows, run
from utils.errors import UsersNotProven

_REFUSALS = (postgres_errors.InsufficientPrivilege, postgres_errors.ReadOnlySqlTransaction)
# What may pass for others will not for a statement of the proof: the locks and the time that it takes are its own.
_OF_THE_STATEMENT = (postgres_errors.OutOfMemory, postgres_errors.QueryCanceled, postgres_errors.ProgramLimitExceeded)
_LONGEST_SECONDS, _SECONDS_OF_ALL = 15.0, 180.0
# Somebody else may have ended the session, once.
_MOST_ENDED = 1


class TimeForTrials:
    """The seconds that the trials of a proof have, each and together; of a clock that only runs forward."""

    def __init__(self, seconds: float = _SECONDS_OF_ALL, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock() + seconds

    def milliseconds(self) -> int:
        """Return what the next statement may take; none if the time is up."""
        left = min(_LONGEST_SECONDS, self._ends - self._clock())
        return max(0, round(left * 1000))


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A statement, on what, and whether the user must be allowed to run it.

    right: an SQL condition, whether the user has the right by PostgreSQL's own word.
    """

    what: str
    on: str
    statement: Composable
    right: Composable
    allowed: bool


class Verdict(Enum):
    """How a statement ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    OUT_OF_TIME = "out of time"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How an attempt ended; `why` names PostgreSQL's error, never its message, which may quote a row."""

    attempt: Attempt
    verdict: Verdict
    why: str = ""


@contextmanager
def asking(connection: Connection) -> Iterator[None]:
    """Ask PostgreSQL's own functions and operators, whatever the session's settings are; they are back afterwards."""
    own = (
        "SAVEPOINT asking; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL quote_all_identifiers = off; "
        "SET LOCAL standard_conforming_strings = on; "
        # The user may have no temporary files.
        "SET LOCAL work_mem = '64MB'"
    )
    run(connection, "settings of the proof", [SQL(own)])
    yield
    run(connection, "settings of the proof", [SQL("ROLLBACK TO SAVEPOINT asking")])


def check(
    connection: Connection,
    database: str,
    user: DatabaseUser,
    attempt: Attempt,
    time_for_trials: TimeForTrials,
    ended: Counter[str] | None = None,
) -> Trial:
    """Try a statement in a savepoint; raises `UsersNotProven` if it shows a right too much or too little.

    Something beneath may refuse or fail where the user has the right: a policy, a view's function, a foreign server.
    That is told, and no judgement of the right. When the time is up, PostgreSQL's word on the right is all there is.
    ended: which statements have ended their session, how often; one that did so more than once is not tried again.
    """
    ended = Counter() if ended is None else ended
    milliseconds = time_for_trials.milliseconds()
    trial = Trial(attempt=attempt, verdict=Verdict.OUT_OF_TIME)
    if ended[_key(attempt)] > _MOST_ENDED:
        trial = Trial(attempt=attempt, verdict=Verdict.FAILED, why="ends its session")
    elif milliseconds:
        with postgres_call(f"proof of user {user.name}"), _counted(connection, ended, attempt):
            trial = _tried(connection, attempt, milliseconds)
    if trial.verdict is Verdict.DONE:
        has_right = True
    elif trial.verdict is Verdict.REFUSED and not attempt.allowed:
        has_right = False
    else:
        with asking(connection):
            has_right = rows(connection, f"right of user {user.name}", SQL("SELECT {}").format(attempt.right))[0][0]
    if has_right is not attempt.allowed:
        raise UsersNotProven(
            f"user {user.name} in database {database} that {'can' if has_right else 'cannot'} {attempt.what}",
            expected=f"one of profile {user.profile.value}, which "
            f"{'can' if attempt.allowed else 'cannot'}: {attempt.statement.as_string(connection)}",
            action="see who granted or owns that object, as the master user; then start the run again",
        )
    return trial


@contextmanager
def _counted(connection: Connection, ended: Counter[str], attempt: Attempt) -> Iterator[None]:
    try:
        yield
    except psycopg2.OperationalError:
        if connection.closed:
            ended[_key(attempt)] += 1
        raise


def _key(attempt: Attempt) -> str:
    return f"{attempt.what} {attempt.on}"


def _tried(connection: Connection, attempt: Attempt, milliseconds: int) -> Trial:
    verdict, why = Verdict.DONE, ""
    with connection.cursor() as cursor:
        cursor.execute(f"SAVEPOINT proof; SET LOCAL statement_timeout = {milliseconds}")
        try:
            cursor.execute(attempt.statement)
        except _REFUSALS as error:
            verdict, why = Verdict.REFUSED, _named(error)
        except psycopg2.Error as error:
            # A server that the statement called may be gone; ours is not while it tells of it.
            is_others = (error.pgcode or "").startswith("08")
            is_its_own = is_others or is_raised(error) or isinstance(error, _OF_THE_STATEMENT)
            if may_pass(error) and not is_its_own:
                raise
            verdict, why = Verdict.FAILED, _named(error)
        cursor.execute("ROLLBACK TO SAVEPOINT proof")
    return Trial(attempt=attempt, verdict=verdict, why=why)


def _named(error: psycopg2.Error) -> str:
    return f"{error.pgcode} {type(error).__name__}"
