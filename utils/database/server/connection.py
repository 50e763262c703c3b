"""Connections to the restored database, and PostgreSQL's errors as the pipeline's own.

SQLSTATE classes: PostgreSQL documentation, appendix A.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2 names its class in lower case
from pydantic import SecretStr

from utils.database.server.tls import Tls, is_untrusted
from utils.errors import (
    AuroraRestoreError,
    DatabaseChangeRefused,
    DatabaseLoginRefused,
    DatabaseNotTrusted,
    DatabaseUnavailable,
)

# Where roles are looked at and changed, and where the lock is: an advisory lock holds in one database only.
FIRST_DATABASE = "postgres"
APPLICATION_NAME = "aurora-restore-setup-db-users"
# Limits that end what hangs; they change nothing of what a session may do.
_SESSION_LIMITS = (
    "-c statement_timeout=120000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000 "
    "-c client_min_messages=error"
)
# What production may have set for every session of a database, of the master, or of the master in a database: whatever
# it is, the set-up's sessions are alike.
_OWN_SETTINGS = (
    "-c role=none -c search_path=pg_catalog -c quote_all_identifiers=off -c row_security=on "
    "-c standard_conforming_strings=on -c default_tablespace= -c temp_tablespaces= "
    "-c default_transaction_read_only=off -c default_transaction_deferrable=off "
    "-c default_transaction_isolation=read\\ committed"
)
# It came with PostgreSQL 17, and an older server refuses a connection that asks for a setting which it does not know.
_NO_TRANSACTION_TIMEOUT = (170_000, "SET transaction_timeout = 0")
# A server that is gone without a word is noticed after a minute, not when the function's time is up.
_SILENCE_LIMITS = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
_MAY_PASS = (
    postgres_errors.LockNotAvailable,
    postgres_errors.DeadlockDetected,
    postgres_errors.SerializationFailure,
    postgres_errors.QueryCanceled,
    postgres_errors.ObjectInUse,
    postgres_errors.TooManyConnections,
)


@dataclass(frozen=True, kw_only=True)
class DatabaseServer:
    """Where the restored cluster's writer listens, and how it shows that it is the one."""

    host: str
    port: int
    tls: Tls = field(default_factory=Tls)


@dataclass(frozen=True, kw_only=True)
class Master:
    """The restored cluster's master user, who knows where the cluster listens."""

    server: DatabaseServer
    name: str
    password: SecretStr

    def in_database(self, database: str) -> AbstractContextManager[Connection]:
        """Connect to a database for one transaction, as `connected` does."""
        return connected(self.server, database, self.name, self.password)

    @contextmanager
    def session(self, database: str) -> Iterator[Connection]:
        """Connect outside of any transaction, for as long as the session is wanted; its end replaces no error.

        psycopg2 begins a transaction in `with connection:`, also in autocommit mode, and PostgreSQL would end it as
        idle.
        """
        with closing(_connect(self.server, database, self.name, self.password)) as connection:
            connection.autocommit = True
            yield connection


@contextmanager
def connected(server: DatabaseServer, database: str, user: str, password: SecretStr) -> Iterator[Connection]:
    """Connect over TLS and run one transaction; it commits at the end, or rolls back on an error."""
    with (
        postgres_call(f"connection to database {database} as {user}"),
        closing(_connect(server, database, user, password)) as connection,
        connection,
    ):
        yield connection


@contextmanager
def logged_in(server: DatabaseServer, database: str, user: str, secret: SecretStr) -> Iterator[Connection]:
    """Connect as anybody does, with the settings of server, database and user; nothing is committed."""
    with (
        postgres_call(f"connection to database {database} as {user}"),
        closing(_connect(server, database, user, secret, own_settings="")) as connection,
    ):
        yield connection


def _connect(
    server: DatabaseServer, database: str, user: str, password: SecretStr, own_settings: str = _OWN_SETTINGS
) -> Connection:
    parameters: dict[str, Any] = _SILENCE_LIMITS | server.tls.parameters()
    try:
        connection: Connection = psycopg2.connect(
            host=server.host,
            port=server.port,
            dbname=database,
            user=user,
            password=password.get_secret_value(),
            connect_timeout=10,
            application_name=APPLICATION_NAME,
            client_encoding="UTF8",
            options=f"{_SESSION_LIMITS} {own_settings}",
            **parameters,
        )
    except psycopg2.OperationalError as error:
        raise _connect_error(database, user, str(error)) from None
    since, statement = _NO_TRANSACTION_TIMEOUT
    if connection.server_version >= since:
        with postgres_call(f"connection to database {database} as {user}"), connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(statement)
            connection.autocommit = False
    return connection


@contextmanager
def postgres_call(what: str) -> Iterator[None]:
    """Turn every psycopg2 exception into our own; only PostgreSQL's message goes along, never the statement."""
    try:
        yield
    except psycopg2.Error as error:
        raise _translated(what, error) from None


def may_pass(error: psycopg2.Error) -> bool:
    """Tell whether the same statement may succeed when it is tried again."""
    return isinstance(error, _MAY_PASS) or error.pgcode is None or error.pgcode.startswith(("08", "57P", "53"))


def _translated(what: str, error: psycopg2.Error) -> AuroraRestoreError:
    message = error.diag.message_primary or type(error).__name__
    found = f"{error.pgcode or 'no answer'} from PostgreSQL to the {what}: {message}"
    if may_pass(error):
        return DatabaseUnavailable(
            found, expected="the database to answer", action="nothing, the step is tried again for a while"
        )
    return DatabaseChangeRefused(
        found,
        expected="the master user to be allowed",
        action="connect as the master user and see who owns what PostgreSQL names; then start again",
    )


def _connect_error(database: str, user: str, message: str) -> AuroraRestoreError:
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
            action="compare the secret with the user; start the run again",
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
    return DatabaseUnavailable(
        found,
        expected="a connection",
        action="nothing, the step is tried again; else check network and security groups",
    )
