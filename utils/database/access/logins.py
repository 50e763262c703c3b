"""Who can log in: found, shut out, opened, closed again."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Composed, Identifier, Literal

from utils.database.roles.aws_roles import MADE_UP, MAY_ALTER, OF_AWS, SYSTEM_ROLE
from utils.database.roles.memberships import version
from utils.database.roles.profiles import Auth, DatabaseUser
from utils.database.server.connection import FIRST_DATABASE, Master, postgres_call
from utils.database.server.statements import attempt, execute, names, rows, run
from utils.errors import DatabaseChangeRefused, DatabaseUnavailable
from utils.shortened import first_of

# In a message, which has room for some.
_MOST_NAMES = 20

_LOGINS = (
    f"SELECT rolname, {SYSTEM_ROLE}, {MAY_ALTER}, {MADE_UP} "  # noqa: S608 - constants
    "FROM pg_roles WHERE rolcanlogin AND rolname <> current_user ORDER BY rolname"
)
# A role that lost its login, or was dropped, with this set-up or before it, may have sessions all the same.
_THEIRS = """
    SELECT pid FROM pg_stat_activity
    WHERE usename = ANY(%(names)s)
        OR backend_type IN ('client backend', 'walsender') AND usesysid <> 0
            AND NOT EXISTS (SELECT FROM pg_roles WHERE pg_roles.oid = usesysid AND rolcanlogin)
        OR usename = current_user AND pid NOT IN (pg_backend_pid(), %(lock)s) AND backend_type = 'client backend'
"""
_REFUSALS = (postgres_errors.InsufficientPrivilege, postgres_errors.ReservedName)
# MATERIALIZED: nothing may end a session before it is known whose it is.
_END_SESSIONS = f"""
    WITH theirs AS MATERIALIZED ({_THEIRS}) SELECT pg_terminate_backend(pid, %(wait)s) FROM theirs
"""  # noqa: S608 - constants
# A session of theirs that changes the role all the time is in the way for as long as it lives: it is ended, and another
# one may begin before the role is closed, but not often.
_TRIES = 5
# One who makes logins is gone after the first.
_LOOKS = 4
_IS_THERE = "SELECT 1 FROM pg_roles WHERE rolname = %s"
_SHORT_WAIT = SQL("SET LOCAL lock_timeout = '1s'")


@dataclass(frozen=True, kw_only=True)
class Logins:
    """The roles that can log in beside the master, by what becomes of them; names only."""

    ours: list[str]
    strangers: list[str]
    kept: list[str]
    unknown: list[str]
    stuck: list[str]
    left_to_aws: list[str]
    of_scripts: list[str]

    @property
    def to_shut_out(self) -> list[str]:
        """Name all that are neither kept nor AWS's, nor stuck."""
        return [*self.ours, *self.strangers, *self.of_scripts]


def find_logins(
    connection: Connection,
    users: Sequence[DatabaseUser],
    keep: Collection[str],
    *,
    of_scripts: Collection[str] = (),
) -> Logins:
    """Sort every login; stuck are those that the master cannot shut out.

    of_scripts: names that an earlier call of the same operation may have left; whoever else has such a name is a
    stranger like any other.
    """
    found = rows(connection, "look at logins", _LOGINS, OF_AWS)
    our_names = {user.name for user in users}
    aws = {name for name, of_aws, may_alter, is_made_up in found if of_aws and not (may_alter and is_made_up)}
    stuck = [name for name, _, may_alter, _ in found if not may_alter and name not in aws and name not in {*keep}]
    names_found = [name for name, *_ in found if name not in stuck]
    left = [name for name in names_found if name in of_scripts]
    strangers = [name for name in names_found if name not in {*aws, *our_names, *keep, *left}]
    everybody = names(connection, "look at roles", "SELECT rolname FROM pg_roles")
    return Logins(
        ours=[name for name in names_found if name in our_names],
        strangers=strangers,
        kept=[name for name in names_found if name in keep and name not in {*our_names, *left}],
        unknown=sorted(set(keep) - set(everybody)),
        stuck=stuck,
        left_to_aws=sorted(aws),
        of_scripts=left,
    )


def _refuse_stuck(found: Logins) -> None:
    """Raise `DatabaseChangeRefused` for logins that the master cannot shut out."""
    if found.stuck:
        raise DatabaseChangeRefused(
            f"logins that the master may not shut out: {first_of(found.stuck, _MOST_NAMES)}",
            expected="NOLOGIN for every login but the master, AWS's, keep_logins and the users",
            action="take the login from them in the source (or give the master ADMIN OPTION on them), "
            "or name them in keep_logins; a name that begins with rds may be a new login of AWS: keep_logins lets it "
            "pass until utils/database/roles/aws_roles.py has it; the others are shut out",
        )


def take_passwords_of_aws_names(connection: Connection, left_to_aws: Sequence[str]) -> None:
    """Let nobody log in with a password under a name of AWS's, as far as the master may say so.

    Up to PostgreSQL 15 nothing tells who made a role; AWS's own processes do not log in to a copy with production's.
    """
    if version(connection) >= 160000:
        return
    for name in left_to_aws:
        with postgres_call(f"end of the password of {name}"), attempt(connection, *_REFUSALS):
            execute(connection, SQL("ALTER ROLE {} PASSWORD NULL").format(Identifier(name)))


def shut_out(master: Master, shut: Sequence[str], lock_pid: int) -> None:
    """Take login and password from the roles; end their sessions, the master's of before, and those of no login."""
    with master.in_database(FIRST_DATABASE) as connection:
        shut_out_by(connection, shut, lock_pid)


def shut_out_found(master: Master, look: Callable[[], Logins], lock_pid: int) -> list[Logins]:
    """Shut out all that is neither kept nor AWS's; then raises `DatabaseChangeRefused` for what is stuck.

    Who makes roles may make one, or open one again, until it is shut out itself: it is looked again until a look finds
    nobody any more, or another one each time, which the end of the set-up refuses. Returns what the looks found.
    """
    found: list[Logins] = []
    refused: DatabaseChangeRefused | None = None
    for _ in range(_LOOKS):
        found.append(look())
        if not found[-1].to_shut_out and len(found) > 1:
            break
        refused = None
        try:
            shut_out(master, found[-1].to_shut_out, lock_pid)
        except DatabaseChangeRefused as error:
            refused = error  # the others go all the same
    if refused:
        raise refused
    _refuse_stuck(found[-1])
    return found


def shut_out_by(connection: Connection, shut: Sequence[str], lock_pid: int) -> None:
    """Do what `shut_out` does, in a session of the master's; a role that does not go keeps no other one open."""
    # A session of theirs may hold a lock on a role.
    _end_sessions(connection, shut, lock_pid)
    failed = [error for name in shut if (error := _why_not_closed(connection, name, shut, lock_pid))]
    # Only once that is committed can no new session come between.
    left = _end_sessions(connection, shut, lock_pid)
    if failed:
        raise failed[0]
    if left:
        raise DatabaseUnavailable(
            f"{len(left)} session(s) of logins that were shut out, which do not end",
            expected="every session of theirs to end within 5 s",
            action="nothing, the step is tried again for a while; if they stay, reboot the writer instance, which ends "
            "them, then resume the operation",
        )


def _why_not_closed(
    connection: Connection, name: str, shut: Sequence[str], lock_pid: int
) -> DatabaseChangeRefused | DatabaseUnavailable | None:
    """Take login and password from a role, and commit; return what prevents it."""
    why: DatabaseChangeRefused | DatabaseUnavailable | None = None
    for _ in range(_TRIES):
        try:
            run(connection, f"shutting out of {name}", [_SHORT_WAIT, _close(name)])
            connection.commit()
        except (DatabaseChangeRefused, DatabaseUnavailable) as error:
            with postgres_call(f"shutting out of {name}"):
                connection.rollback()
            if isinstance(error, DatabaseChangeRefused):
                # Somebody may have dropped it, or given it another name, under which the next look finds it.
                return error if rows(connection, "look at roles", _IS_THERE, (name,)) else None
            why = error
            # All at once: who waits for the end of the first gives the others the time to begin anew.
            _end_sessions(connection, shut, lock_pid, milliseconds=0)
        else:
            return None
    return why


def _end_sessions(connection: Connection, shut: Sequence[str], lock_pid: int, milliseconds: int = 5000) -> list[int]:
    values = {"names": list(shut), "lock": lock_pid, "wait": milliseconds}
    rows(connection, "end of sessions", _END_SESSIONS, values)
    connection.commit()
    return [pid for (pid,) in rows(connection, "look at sessions", _THEIRS, values)]


def open_logins(master: Master, users: Sequence[DatabaseUser]) -> None:
    """Let the users in, all at once; only a SCRAM verifier, made here, reaches the server."""
    with master.in_database(FIRST_DATABASE) as connection:
        run(connection, "opening of the users", [_open(connection, user) for user in users])


def close_logins(master: Master, users: Sequence[DatabaseUser], keep: Collection[str], lock_pid: int) -> None:
    """Take back what `open_logins` gave, and every login that came up since."""
    with master.in_database(FIRST_DATABASE) as connection:
        found = find_logins(connection, users, keep)
    shut_out(master, found.to_shut_out, lock_pid)


def refuse_strangers(master: Master, users: Sequence[DatabaseUser], keep: Collection[str]) -> None:
    """Raise `DatabaseChangeRefused` if anybody can log in who should not."""
    with master.in_database(FIRST_DATABASE) as connection:
        found = find_logins(connection, users, keep)
    _refuse_stuck(found)
    if found.strangers:
        raise DatabaseChangeRefused(
            f"logins that came up during the set-up: {first_of(found.strangers, _MOST_NAMES)}",
            expected="the master, AWS's logins, keep_logins and the users",
            action="find out who made them, then start a new run from a new snapshot; they are shut out again",
        )


def _open(connection: Connection, user: DatabaseUser) -> Composed:
    name = Identifier(user.name)
    if user.auth is Auth.IAM or user.password is None:
        return SQL("ALTER ROLE {} LOGIN PASSWORD NULL").format(name)
    with postgres_call(f"password of user {user.name}"):
        # libpq prepares the password as RFC 4013 asks, as it does at the login.
        verifier = encrypt_password(
            user.password.get_secret_value(), user.name, scope=connection, algorithm="scram-sha-256"
        )
    return SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, Literal(verifier))


def _close(name: str) -> Composed:
    return SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(Identifier(name))
