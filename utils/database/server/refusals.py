"""PostgreSQL's errors as the pipeline's own: what may pass is tried again, what stops for good says at once what to do.

SQLSTATE classes: PostgreSQL documentation, appendix A. libpq gives no code for a connection that failed, only a text.
"""

import re

import psycopg2
from psycopg2 import errors as postgres_errors

from utils.database.server.tls import is_untrusted
from utils.errors import (
    AuroraRestoreError,
    DatabaseChangeRefused,
    DatabaseLoginRefused,
    DatabaseNotTrusted,
    DatabaseUnavailable,
)

_MAY_PASS = (
    postgres_errors.LockNotAvailable,
    postgres_errors.DeadlockDetected,
    postgres_errors.SerializationFailure,
    postgres_errors.QueryCanceled,
    postgres_errors.ObjectInUse,
    postgres_errors.TooManyConnections,
)
# PostgreSQL's internal error for a row of the catalog that another transaction has just changed.
_OVERTAKEN = ("tuple concurrently updated", "tuple concurrently deleted")
LIMIT_OF_SETTINGS = postgres_errors.ConfigurationLimitExceeded
_ENCODING = (postgres_errors.UntranslatableCharacter, postgres_errors.CharacterNotInRepertoire)
_OTHER_ENCODING = (
    "a name there has bytes that its database's encoding and UTF-8 do not share: rename that role, schema, table or "
    "routine in the source, then start a new run from a new snapshot"
)
# The server's table of locks is full: with the same settings it will be again. Memory that is short may come back, and
# connections; a limit that somebody has set (of temporary files: temp_file_limit) stays.
_NO_ROOM_FOR_LOCKS = "max_locks_per_transaction"
# Where PL/pgSQL's RAISE is, in pl_exec.c.
_RAISING = ("exec_stmt_raise",)
# PostgreSQL tells in its CONTEXT which routine was at work; the rest of it may quote a statement.
_ROUTINE = re.compile(r'PL/pgSQL function ((?:"[^"]*"|[^\s(])+\([^)]*\)) line|SQL function ("[^"]+")')
_REFUSED_OPTION = ("unrecognized configuration parameter", "permission denied to set parameter")
# No session of anybody gets into the database, or not of this one.
_SHUT = (
    "too many connections for database",
    "is not currently accepting connections",
    "permission denied for database",
)


def may_pass(error: psycopg2.Error) -> bool:
    """Tell whether the same statement may succeed when it is tried again."""
    if _NO_ROOM_FOR_LOCKS in (error.diag.message_hint or "") or isinstance(error, LIMIT_OF_SETTINGS):
        return False
    if isinstance(error, postgres_errors.InternalError_) and error.diag.message_primary in _OVERTAKEN:
        return True
    return isinstance(error, _MAY_PASS) or error.pgcode is None or error.pgcode.startswith(("08", "57P", "53"))


def is_raised(error: psycopg2.Error) -> bool:
    """Tell whether a routine raised it, whose code and message then are whatever its author chose."""
    return error.diag.source_function in _RAISING


def is_refused_option(message: str) -> bool:
    """Tell whether a connection failed because of a setting that it was to begin with."""
    return any(words in message for words in _REFUSED_OPTION)


def is_shut(message: str) -> bool:
    """Tell from libpq's message whether another database of the same server may let the same login in."""
    return any(text in message for text in _SHUT) or message.rstrip().endswith("does not exist")


def translated(what: str, error: psycopg2.Error) -> AuroraRestoreError:
    """Return our own error; only PostgreSQL's message and a routine's name go along, never the statement."""
    message = error.diag.message_primary or type(error).__name__
    if is_raised(error) and may_pass(error):
        # Neither a refusal that a person must know nor PostgreSQL's own words: it may quote a row.
        message = type(error).__name__
    found = f"{error.pgcode or 'no answer'} from PostgreSQL to the {what}: {message}{_by_routine(error.diag.context)}"
    if may_pass(error):
        return DatabaseUnavailable(
            found, expected="the database to answer", action="nothing, the step is tried again for a while"
        )
    return DatabaseChangeRefused(found, expected="the master user to be allowed", action=_way_out(error))


def not_in_utf_8(what: str, error: UnicodeError) -> DatabaseChangeRefused:
    """Return the error for a name that is no text in UTF-8, or that a database's encoding has no letters for."""
    if isinstance(error, UnicodeDecodeError):
        found = f"{bytes(error.object)[:60]!r} in the answer to the {what}"
    else:
        found = f"a name in the {what} that the encoding of the database has no letters for"
    return DatabaseChangeRefused(found, expected="names that are text in UTF-8", action=_OTHER_ENCODING)


def _way_out(error: psycopg2.Error) -> str:
    if isinstance(error, _ENCODING):
        return _OTHER_ENCODING
    if _NO_ROOM_FOR_LOCKS in (error.diag.message_hint or ""):
        return (
            "raise max_locks_per_transaction in the target's cluster parameter group (or take a larger instance class, "
            "which allows more connections), reboot, then resume the operation"
        )
    if isinstance(error, LIMIT_OF_SETTINGS):
        return (
            "raise or RESET that setting, of the role or the database that has it or in the target's cluster parameter "
            "group, then resume the operation"
        )
    if _by_routine(error.diag.context):
        return (
            "that routine of production's ran and refused, for an event trigger, a trigger or a policy: disable what "
            "calls it, as the master user in the copy; or in the source, then start a new run"
        )
    return "connect as the master user, see who owns what PostgreSQL names, and correct it"


def connect_error(database: str, user: str, message: str) -> AuroraRestoreError:
    """Return our own error for a connection that was not made."""
    refused = "authentication failed" in message or "is not permitted to log in" in message
    if is_untrusted(message):
        return DatabaseNotTrusted(
            f"a server that cannot be trusted: {' '.join(message.split())[:300]}",
            expected="TLS with a certificate of Amazon RDS for the cluster's endpoint",
            action="renew utils/database/rds_ca (its README says how) if AWS has a new CA; "
            "restart a cluster that was renamed; no password was sent",
        )
    found = f"no login to database {database} as {user}: {' '.join(message.split())[:300]}"
    if refused:
        return DatabaseLoginRefused(
            found,
            expected="a login with the password of the secret",
            action="compare the secret with the user, and look whether the role's VALID UNTIL has passed, which "
            "PostgreSQL tells in the same words; start the run again",
        )
    if "permission denied for database" in message:
        return DatabaseChangeRefused(
            found,
            expected="the right to connect to it",
            action="grant CONNECT on the database in the source, or in the restored cluster and resume the operation",
        )
    if message.rstrip().endswith("does not exist"):
        return DatabaseChangeRefused(
            found, expected="a database of the restored cluster", action="correct its name in the request"
        )
    if "is not currently accepting connections" in message:
        return DatabaseChangeRefused(
            found,
            expected="a database that accepts connections",
            action=f"ALTER DATABASE {database} ALLOW_CONNECTIONS true in the source, or leave it out of the request",
        )
    if "could not access file" in message or "access to library" in message:
        return DatabaseChangeRefused(
            found,
            expected="sessions that begin without a library that is not there",
            action=f"RESET local_preload_libraries (or session_preload_libraries) of database {database}, or of a "
            "role, in the source, then start a new run from a new snapshot",
        )
    if "FATAL:" in message and "CONTEXT:" in message:
        return _refused_by_login_trigger(database, user, message)
    return DatabaseUnavailable(
        found,
        expected="a connection",
        action="nothing, the step is tried again; else check network and security groups",
    )


def _refused_by_login_trigger(database: str, user: str, message: str) -> DatabaseChangeRefused:
    # Only code that runs at the login gives its refusal a context.
    first, context = message.split("FATAL:", 1)[1].split("CONTEXT:", 1)
    return DatabaseChangeRefused(
        f"no login to database {database} as {user}, refused by a trigger ON login: "
        f"{' '.join(first.split())[:200]}{_by_routine(context)}",
        expected="a login that runs no code of production's, or code that lets the users in",
        action="DROP EVENT TRIGGER (or DISABLE it) in the source and start a new run from a new snapshot, or set "
        "event_triggers to 0 in the target's cluster parameter group and resume the operation",
    )


def _by_routine(context: str | None) -> str:
    found = [first or second for first, second in _ROUTINE.findall(context or "")]
    return f" (by {', called by '.join(found[:3])})" if found else ""
