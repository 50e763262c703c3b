"""What Aurora puts into a new cluster: its roles, the master user, the first database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from psycopg2 import sql
from psycopg2.extensions import connection, encrypt_password

ADMIN = "rdsadmin"
# Since this version the schema public is of pg_database_owner; before that AWS gives it to the master.
OWNED_BY_DATABASE = 150_000
SETS_EVENT_TRIGGERS = 170_000
_FUNCTION = "CREATE OR REPLACE FUNCTION pg_catalog.{}() RETURNS text LANGUAGE sql STABLE AS $$ SELECT {} $$"
_FUNCTIONS = (
    "SET allow_system_table_mods = on",
    _FUNCTION.format("aurora_version", "current_setting('rdsadmin.engine_version') || '.1'"),
    _FUNCTION.format(
        "version",
        "'PostgreSQL ' || current_setting('rdsadmin.engine_version') || ' on aarch64-unknown-linux-gnu, "
        "compiled by aarch64-unknown-linux-gnu-gcc (GCC) 9.5.0, 64-bit'",
    ),
    "RESET allow_system_table_mods",
)


@dataclass(frozen=True)
class Master:
    """The master user and the database it owns."""

    name: str
    password: str = field(repr=False)
    database: str | None = None


def make_roles(admin: connection, master: Master) -> None:
    """Create Aurora's roles and the master user, who is no superuser; `admin` is in autocommit mode."""
    name = sql.Identifier(master.name)
    statements = [
        sql.SQL("CREATE ROLE rds_superuser NOLOGIN"),
        sql.SQL("CREATE ROLE rds_password NOLOGIN"),
        sql.SQL("CREATE ROLE rds_replication NOLOGIN"),
        sql.SQL("CREATE ROLE rds_iam NOLOGIN"),
        sql.SQL("GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION"),
        sql.SQL("GRANT rds_replication, rds_password TO rds_superuser WITH ADMIN OPTION"),
        sql.SQL(
            "CREATE ROLE {} LOGIN NOSUPERUSER INHERIT CREATEDB CREATEROLE NOREPLICATION VALID UNTIL 'infinity'"
        ).format(name),
        sql.SQL("GRANT rds_superuser TO {} WITH ADMIN OPTION").format(name),
        # membership of rds_iam shuts out passwords (pg_hba.conf), so only the master holds the right to grant it
        sql.SQL("GRANT rds_iam TO {} WITH ADMIN OPTION").format(name),
    ]
    if admin.server_version >= SETS_EVENT_TRIGGERS:
        # Seen on RDS: a session of rds_superuser may switch event triggers off for itself.
        statements.append(sql.SQL("GRANT SET ON PARAMETER event_triggers TO rds_superuser"))
    _run(admin, statements)
    set_password(admin, master.name, master.password)


def give_public_away(admin: connection, master: Master) -> None:
    """Make the master the owner of the database's schema public, as on RDS; since 15 it is its database's owner's."""
    if admin.server_version < OWNED_BY_DATABASE:
        _run(admin, [sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(master.name))])


def make_functions(admin: connection) -> None:
    """Let a database say which Aurora it is, as aurora_version() and version() do on AWS; of later ones' template too.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora_version.html; the patch is made up.
    """
    _run(admin, [sql.SQL(statement) for statement in _FUNCTIONS])


def make_databases(admin: connection, master: Master) -> None:
    """Create AWS's own database and the master's."""
    name = sql.Identifier(master.name)
    statements = [
        sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(name),
        sql.SQL("CREATE DATABASE {}").format(sql.Identifier(ADMIN)),
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(ADMIN)),
    ]
    if master.database and master.database != "postgres":
        statements.append(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(master.database), name))
    _run(admin, statements)


def _run(admin: connection, statements: Sequence[sql.Composable]) -> None:
    with admin.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def set_password(admin: connection, role: str, password: str) -> None:
    """Set a role's password through a SCRAM verifier, so that the clear text reaches no server log."""
    verifier = encrypt_password(password, role, scope=admin, algorithm="scram-sha-256")
    with admin.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))
