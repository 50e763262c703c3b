"""What runs on the restored data before anybody gets in: the request's scripts, then its checks, by their own login.

Each script is one transaction. Nothing here repeats data: a failure names the statement by line and first words.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Identifier, Literal

from utils.aws.s3 import S3Gateway, Script
from utils.database.before_opening.checks import run_check
from utils.database.before_opening.sql_script import NotASqlScript, Statement, split
from utils.database.roles.owner_role import SCRIPT_LOGIN
from utils.database.server.connection import Login, Master, postgres_call
from utils.database.server.refusals import is_raised, may_pass
from utils.database.server.statements import execute
from utils.errors import CheckFailed, DatabaseUnavailable, PostRestoreSqlFailed
from utils.operation.model import CheckRecord, ScriptRecord
from utils.request.model import RestoreRequest
from utils.request.sql import Check, PostRestoreSql

# A Lambda function ends after 900 s and a script takes up to 600 s: later than this nothing is begun any more, if the
# invocation has run a script.
_SLICE_SECONDS = 240.0
_INVOCATION_SECONDS = 870.0
# Where PostgreSQL's message holds names and types only; that of any other class (22, 23, P0, ...) may quote a row.
_CLASSES_WITHOUT_DATA = ("0A", "25", "2B", "2D", "2F", "3D", "3F", "42", "534", "54", "55")

_SESSION = SQL(
    # With row_security off a policy that would hide rows is an error: a script must not leave rows out unseen.
    "SET LOCAL row_security = off; SET LOCAL lock_timeout = '60s'; SET LOCAL idle_in_transaction_session_timeout = 0"
)


class ComeBack(Exception):
    """No error: the rest of the work needs an invocation of its own."""


@dataclass(frozen=True, kw_only=True)
class BeforeOpeningOutcome:
    """What was run; every check held."""

    scripts: list[ScriptRecord]
    checks: list[CheckRecord]


class Invocation:
    """How much time is left in this invocation of the function; seconds of a clock that only runs forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()

    def is_late(self) -> bool:
        """Tell whether a long piece of work should wait for the next invocation."""
        return self._clock() - self._began > _SLICE_SECONDS

    def left(self) -> float:
        """Return the seconds that may still be used."""
        return max(_INVOCATION_SECONDS - (self._clock() - self._began), 1.0)


def run_before_opening(
    master: Master,
    login: Login,
    request: RestoreRequest,
    s3: S3Gateway,
    *,
    done: Sequence[ScriptRecord] = (),
    remember: Callable[[ScriptRecord], None] = lambda _: None,
    remember_checks: Callable[[list[CheckRecord]], None] = lambda _: None,
    invocation: Invocation | None = None,
    of_the_operator: Sequence[Check] = (),
) -> BeforeOpeningOutcome:
    """Run the scripts that are not `done`, each in a transaction, then the checks, while the users are locked out.

    `login` is whom they run as, a script `as_master` as the master. `remember` is called after each commit, so
    that a later invocation goes on behind it; `remember_checks` gets what was answered, whether all of it fits or not.
    Numbers that were found are told of the checks `of_the_operator` only.
    Raises `PostRestoreSqlFailed`, `CheckFailed`, `DatabaseUnavailable`, and `ComeBack` when this invocation has little
    time left.
    """
    invocation = invocation or Invocation()
    scripts = list(done)
    for wanted in _not_done(request.post_restore_sql, done):
        if len(scripts) > len(done) and invocation.is_late():
            raise ComeBack
        record = _run(master if wanted.as_master else login, wanted, s3.script(wanted.s3_uri), invocation)
        scripts.append(record)
        remember(record)
    if len(scripts) > len(done) and invocation.is_late():
        raise ComeBack
    checks: list[CheckRecord] = []
    try:
        for check in request.checks:
            tells = check in of_the_operator
            checks.append(run_check(login, check, invocation.left(), tells_number=tells))
    finally:
        remember_checks(checks)
    failed = [check for check in checks if not check.holds]
    if failed:
        raise CheckFailed(
            "; ".join(f"{check.name} in database {check.database}: {check.found}" for check in failed),
            field="checks",
            expected="; ".join(f"{check.name}: {check.expected}" for check in failed),
            action="correct the scripts (or the checks), then start a new run; the users are still locked out",
        )
    return BeforeOpeningOutcome(scripts=scripts, checks=checks)


def _not_done(wanted: Sequence[PostRestoreSql], done: Sequence[ScriptRecord]) -> list[PostRestoreSql]:
    """Return what has not run, known by what it is: what the stack demands may be put first between two invocations."""
    left, missing = list(done), []
    for script in wanted:
        already = next((record for record in left if _is_of(record, script)), None)
        if already is None:
            missing.append(script)
        else:
            left.remove(already)
    return missing


def _is_of(record: ScriptRecord, wanted: PostRestoreSql) -> bool:
    who = wanted.user or (record.user if wanted.as_master else SCRIPT_LOGIN)
    ran_so = (record.s3_uri, record.database, record.user, record.as_master)
    return ran_so == (wanted.s3_uri, wanted.database, who, wanted.as_master)


def _run(login: Login, wanted: PostRestoreSql, script: Script, invocation: Invocation) -> ScriptRecord:
    ended: list[str] = []
    try:
        return _run_once(login, wanted, script, invocation, ended)
    except DatabaseUnavailable:
        # Somebody else may have ended the session, or the network; without the time for it the step is tried again.
        if not ended or invocation.left() < wanted.timeout_seconds:
            raise
    try:
        return _run_once(login, wanted, script, invocation, ended)
    except DatabaseUnavailable:
        if ended != 2 * ended[:1]:
            raise
    raise _failed(script, f"the end of its session, twice, for {ended[-1]}", "statements that end no session")


def _run_once(
    login: Login, wanted: PostRestoreSql, script: Script, invocation: Invocation, ended: list[str]
) -> ScriptRecord:
    began = time.monotonic()
    ends = began + min(wanted.timeout_seconds, invocation.left())
    try:
        statements = split(script.text)
    except NotASqlScript as error:
        raise _failed(script, str(error), "plain SQL for one transaction, without psql's commands") from None
    with login.in_database(wanted.database) as connection:
        with postgres_call("settings of the session"), connection.cursor() as cursor:
            cursor.execute(_SESSION)
        if wanted.user is not None:
            with _naming(connection, script, f"SET ROLE {wanted.user}", ended), connection.cursor() as cursor:
                cursor.execute(SQL("SET LOCAL ROLE {}").format(Identifier(wanted.user)))
        for statement in statements:
            with _naming(connection, script, str(statement), ended):
                _execute(connection, statement, ends - time.monotonic())
        at_the_end = "the end of the transaction, where deferred constraints are checked"
        with _naming(connection, script, at_the_end, ended):
            _limit(connection, ends - time.monotonic())
            connection.commit()
    return ScriptRecord(
        s3_uri=script.s3_uri,
        version_id=script.version_id,
        sha256=script.sha256,
        database=wanted.database,
        user=wanted.user or (login.name if wanted.as_master else SCRIPT_LOGIN),
        as_master=wanted.as_master,
        statements=len(statements),
        seconds=round(time.monotonic() - began, 3),
    )


def _execute(connection: Connection, statement: Statement, seconds: float) -> None:
    with connection.cursor() as cursor:
        _limit(connection, seconds)
        cursor.execute(statement.text)


def _limit(connection: Connection, seconds: float) -> None:
    """Set the time of the next statement: the script may have set it, and the time of those before counts."""
    if seconds <= 0:
        raise postgres_errors.QueryCanceled
    execute(connection, SQL("SET LOCAL statement_timeout = {}").format(Literal(max(1, round(seconds * 1000)))))


@contextmanager
def _naming(connection: Connection, script: Script, what: str, ended: list[str]) -> Iterator[None]:
    """Say which statement failed, and why as far as that says nothing of the data; what may pass, passes on.

    ended: what was at work when a session was ended.
    """
    try:
        yield
    except postgres_errors.QueryCanceled:
        raise _failed(script, f"no end in time of {what}", "an end within timeout_seconds") from None
    except psycopg2.Error as error:
        if connection.closed:
            ended.append(what)
        if may_pass(error):
            raise
        raise _failed(script, f"{_why(error)} for {what}", "every statement to succeed") from None


def _why(error: psycopg2.Error) -> str:
    code, diag = error.pgcode or "", error.diag
    names = [
        f"{kind} {name}" for kind, name in (("table", diag.table_name), ("constraint", diag.constraint_name)) if name
    ]
    has_no_data = code.startswith(_CLASSES_WITHOUT_DATA) and not is_raised(error)
    message = diag.message_primary if has_no_data else " of ".join(names)
    return f"{code} {type(error).__name__} from PostgreSQL{f' ({message})' if message else ''}"


def _failed(script: Script, found: str, expected: str) -> PostRestoreSqlFailed:
    return PostRestoreSqlFailed(
        found,
        field=f"post_restore_sql, {script.s3_uri}",
        expected=expected,
        action="correct the script, which was rolled back, then start a new run (with as_master for a script that does "
        "what only the master user may); the users are still locked out",
    )
