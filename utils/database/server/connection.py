"""Connections to the restored database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2 names its class in lower case
from pydantic import SecretStr

from utils.database.server.refusals import connect_error, is_refused_option, is_shut, not_in_utf_8, translated
from utils.database.server.sessions import KeptSessions, without_transaction_timeout
from utils.database.server.tls import Tls

# Where roles are looked at and changed, and where the lock is: an advisory lock holds in one database only.
FIRST_DATABASE = "postgres"
# Always there, though AWS may shut it: from it another database is found.
TEMPLATE = "template1"
APPLICATION_NAME = "aurora-restore-setup-db-users"
# Limits that end what hangs; they change nothing of what a session may do.
_SESSION_LIMITS = (
    "-c statement_timeout=120000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000 "
    "-c idle_session_timeout=0 -c exit_on_error=off -c client_min_messages=error"
)
# What production may have set for every session of a database, of the master, or of the master in a database: whatever
# it is, the set-up's sessions are alike.
_OWN_SETTINGS = (
    "-c role=none -c search_path=pg_catalog,pg_temp -c quote_all_identifiers=off -c row_security=on "
    "-c standard_conforming_strings=on -c default_tablespace= -c temp_tablespaces= "
    "-c constraint_exclusion=partition -c local_preload_libraries= "
    "-c default_transaction_read_only=off -c default_transaction_deferrable=off "
    "-c default_transaction_isolation=read\\ committed "
    "-c enable_hashjoin=on -c enable_mergejoin=on -c enable_sort=on -c enable_hashagg=on -c jit=off "
    # What is said to be shut out stays so, whatever becomes of the server the moment after.
    "-c synchronous_commit=on "
    # Where its library is loaded, any relation hint_plan.hints is read for every statement: a view of anybody's, too.
    "-c pg_hint_plan.enable_hint_table=off"
)
# Fewer than the smallest instance has room for; one of those that are kept is the first database's.
_MOST_KEPT = 7
_WITHOUT_A_LIMIT = """
    SELECT datname FROM pg_database, pg_roles
    WHERE datname = ANY(%(databases)s) AND datconnlimit = -1 AND rolname = current_user AND rolconnlimit = -1
    ORDER BY datname LIMIT %(most)s
"""
# From PostgreSQL 17 on, and where the master may set it: RDS lets rds_superuser.
NO_EVENT_TRIGGERS = "-c event_triggers=off"
# A server that is gone without a word is noticed after a minute, not when the function's time is up.
_SILENCE_LIMITS = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}


@dataclass(frozen=True, kw_only=True)
class DatabaseServer:
    """Where the restored cluster's writer listens, and how it shows that it is the one."""

    host: str
    port: int
    tls: Tls = field(default_factory=Tls)


@dataclass(frozen=True, kw_only=True)
class Login:
    """Somebody who logs in to the restored cluster with a password, and knows where it listens.

    first_database: what stands in for `FIRST_DATABASE` in a cluster that has none, or in which it is shut; options:
    settings that sessions begin with, such as `-c name=value`.
    """

    server: DatabaseServer
    name: str
    password: SecretStr
    first_database: str = FIRST_DATABASE
    options: str = ""

    def in_database(self, database: str) -> AbstractContextManager[Connection]:
        """Connect to a database for one transaction, as `connected` does."""
        return connected(self.server, self._standing_in(database), self.name, self.password, self.options)

    def _standing_in(self, database: str) -> str:
        return self.first_database if database == FIRST_DATABASE else database


@dataclass(frozen=True, kw_only=True)
class Master(Login):
    """The restored cluster's master user."""

    kept: KeptSessions | None = field(default=None, compare=False, repr=False)

    @contextmanager
    def keeping_sessions(self) -> Iterator["Master"]:
        """Have one session for all transactions in the first database, and in those of `keep_in`, not one for each.

        A login costs the server as much as most of what the set-up asks: a process, TLS, and the catalog read anew.
        """
        with closing(KeptSessions({self.first_database})) as kept:
            yield replace(self, kept=kept)

    def keep_in(self, connection: Connection, databases: Sequence[str]) -> None:
        """Keep sessions in more databases, as many as there is room for without any limit."""
        if self.kept is not None:
            values = {"databases": list(databases), "most": _MOST_KEPT}
            with postgres_call("look for room for sessions"), connection.cursor() as cursor:
                cursor.execute(_WITHOUT_A_LIMIT, values)
                self.kept.databases.update(name for (name,) in cursor.fetchall())

    def let_go(self) -> None:
        """End the sessions that are kept: no database that has one can be renamed."""
        if self.kept is not None:
            self.kept.close()

    @contextmanager
    def in_database(self, database: str) -> Iterator[Connection]:
        """Connect to a database for one transaction, as `connected` does, or have the session that is kept there."""
        name = self._standing_in(database)
        if self.kept is None or name not in self.kept.databases:
            with super().in_database(name) as connection:
                yield connection
            return
        with (
            postgres_call(f"connection to database {name} as {self.name}"),
            self.kept.transaction(
                name,
                begin=lambda: _connect(self.server, name, self.name, self.password, self.options),
            ) as connection,
        ):
            yield connection

    def may_begin_with(self, options: str) -> bool:
        """Tell whether PostgreSQL knows these settings and lets the master begin a session with them."""
        for database in (FIRST_DATABASE, TEMPLATE):
            try:
                _opened(self.server, database, self.name, self.password, f"{_OWN_SETTINGS} {options}").close()
            except psycopg2.OperationalError as error:
                if is_refused_option(str(error)):
                    return False
                if not is_shut(str(error)):
                    raise connect_error(database, self.name, str(error)) from None
            else:
                return True
        return False

    @contextmanager
    def session(self, database: str) -> Iterator[Connection]:
        """Connect outside of any transaction, for as long as the session is wanted; its end replaces no error.

        psycopg2 begins a transaction in `with connection:`, also in autocommit mode, and PostgreSQL would end it as
        idle.
        """
        with closing(
            _connect(self.server, self._standing_in(database), self.name, self.password, self.options)
        ) as connection:
            connection.autocommit = True
            yield connection

    def can_enter(self, database: str, look: Callable[[Connection], None] = lambda _: None) -> bool:
        """Tell whether the database lets the master in, and let `look` have that session.

        Raises what has another reason than the database.
        """
        try:
            connection = _opened(self.server, database, self.name, self.password, f"{_OWN_SETTINGS} {self.options}")
        except psycopg2.OperationalError as error:
            if is_shut(str(error)):
                return False
            raise connect_error(database, self.name, str(error)) from None
        with closing(connection):
            look(connection)
        return True


@contextmanager
def connected(
    server: DatabaseServer, database: str, user: str, password: SecretStr, options: str = ""
) -> Iterator[Connection]:
    """Connect over TLS and run one transaction; it commits at the end, or rolls back on an error."""
    with (
        postgres_call(f"connection to database {database} as {user}"),
        closing(_connect(server, database, user, password, options)) as connection,
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
    server: DatabaseServer,
    database: str,
    user: str,
    password: SecretStr,
    options: str = "",
    own_settings: str = _OWN_SETTINGS,
) -> Connection:
    try:
        connection = _opened(server, database, user, password, f"{own_settings} {options}")
    except psycopg2.OperationalError as error:
        raise connect_error(database, user, str(error)) from None
    with postgres_call(f"connection to database {database} as {user}"):
        without_transaction_timeout(connection)
    return connection


def _opened(server: DatabaseServer, database: str, user: str, password: SecretStr, own_settings: str) -> Connection:
    parameters: dict[str, Any] = _SILENCE_LIMITS | server.tls.parameters()
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
    return connection


@contextmanager
def postgres_call(what: str) -> Iterator[None]:
    """Turn every psycopg2 exception into our own; only PostgreSQL's message goes along, never the statement."""
    try:
        yield
    except psycopg2.Error as error:
        raise translated(what, error) from None
    except UnicodeError as error:
        raise not_in_utf_8(what, error) from None
