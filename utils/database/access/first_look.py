"""The first session in a database: where the master may not do without event triggers, one on login has run by then."""

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Literal
from pydantic import SecretStr

from utils.database.access.event_triggers import WAY_OUT
from utils.database.access.logins import find_logins, shut_out_by
from utils.database.server.connection import postgres_call
from utils.database.server.statements import attempt, execute, rows
from utils.errors import DatabaseChangeRefused

_LOGIN_TRIGGERS_CAME_WITH = 170_000
_ONE_RAN = """
    SELECT 1 FROM pg_catalog.pg_database
    WHERE datname = current_database() AND dathasloginevt AND current_setting('event_triggers') = 'on'
"""


def look_for_what_ran(connection: Connection, password: SecretStr) -> None:
    """Shut everybody out and raise `DatabaseChangeRefused` if a login trigger has run in this session as the master.

    All in this one session, a new one: any other would run the trigger again, which may make logins, change the
    master's password, and put tables and settings of its own in the way of the catalog's.
    """
    if connection.server_version < _LOGIN_TRIGGERS_CAME_WITH:
        return
    database = connection.info.dbname
    with postgres_call(f"first session in database {database}"):
        connection.autocommit = True
        execute(connection, SQL("DISCARD ALL"))
    if not rows(connection, "look for login event triggers", _ONE_RAN):
        return
    connection.autocommit = False
    found = find_logins(connection, [], [])
    shut_out_by(connection, found.strangers, lock_pid=0)
    _keep_password(connection, password)
    raise DatabaseChangeRefused(
        f"an event trigger on login in database {database}, which ran as the master user",
        expected="none, or a master user who may set event_triggers",
        action=WAY_OUT,
    )


def _keep_password(connection: Connection, password: SecretStr) -> None:
    with postgres_call("password of the master"), attempt(connection, postgres_errors.InsufficientPrivilege):
        verifier = encrypt_password(
            password.get_secret_value(), connection.info.user, scope=connection, algorithm="scram-sha-256"
        )
        execute(connection, SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(Literal(verifier)))
    connection.commit()
