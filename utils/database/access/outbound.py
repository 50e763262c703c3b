"""The ways out of the copy that came with the snapshot: what production's database calls, the copy must not call."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier, Literal

from utils.database.server.connection import postgres_call
from utils.database.server.statements import attempt, execute, rows
from utils.errors import DatabaseChangeRefused
from utils.shortened import first_of

# DROP SUBSCRIPTION may connect to the publisher to drop slots there: production's. So it first forgets where that is.
_NOWHERE = "host=127.0.0.1 port=1 dbname=none user=none password=none connect_timeout=2"
_SUBSCRIPTIONS = """
    SELECT subname FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid
    WHERE datname = current_database() ORDER BY subname
"""
_USER_MAPPINGS = "SELECT srvname, usename, umuser = 0 FROM pg_user_mappings ORDER BY srvname, usename"
_WRAPPERS = """
    SELECT fdwname FROM pg_foreign_data_wrapper, aclexplode(fdwacl) AS entry
    WHERE entry.grantee = 0 AND fdwhandler <> 0 ORDER BY fdwname
"""
_CALLING_EXTENSIONS = ["dblink", "aws_lambda", "aws_ml", "aws_s3", "http"]
_EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname = ANY(%s) ORDER BY extname"
# Anybody who may create schemas can make a relation of this name, with code behind it: only what belongs to the
# extension, and is a plain table of a superuser's, is pg_cron's.
_CRON = """
    SELECT quote_ident(nspname) || '.' || quote_ident(relname)
    FROM pg_extension JOIN pg_depend ON refclassid = 'pg_extension'::regclass AND refobjid = pg_extension.oid
        AND pg_depend.deptype = 'e' AND classid = 'pg_class'::regclass
    JOIN pg_class ON pg_class.oid = objid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_roles ON pg_roles.oid = relowner
    WHERE extname = 'pg_cron' AND nspname = 'cron' AND relname = 'job' AND relkind = 'r' AND rolsuper
        AND NOT relhasrules AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND NOT tgisinternal
            AND tgfoid NOT IN (SELECT pg_proc.oid FROM pg_proc JOIN pg_roles ON pg_roles.oid = proowner WHERE rolsuper))
"""
_CRON_JOBS = "SELECT jobid FROM cron.job WHERE active ORDER BY jobid"

# pglogical's subscriptions are rows of its own, which its workers connect for. Its table counts, and its function, not
# somebody's of that name; whether the master may read and run them is asked first.
_PGLOGICAL = """
    SELECT has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
    FROM pg_extension JOIN pg_depend ON refclassid = 'pg_extension'::regclass AND refobjid = pg_extension.oid
        AND pg_depend.deptype = 'e' AND classid = 'pg_class'::regclass
    JOIN pg_class ON pg_class.oid = objid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_roles ON pg_roles.oid = relowner
    WHERE extname = 'pglogical' AND nspname = 'pglogical' AND relname = 'subscription' AND relkind = 'r'
        AND NOT relhasrules AND rolsuper AND NOT EXISTS (
            SELECT FROM pg_proc JOIN pg_roles AS maker ON maker.oid = proowner
            WHERE pronamespace = relnamespace AND proname = 'alter_subscription_disable' AND NOT maker.rolsuper)
"""
_PGLOGICAL_SUBSCRIPTIONS = "SELECT sub_name FROM pglogical.subscription WHERE sub_enabled ORDER BY sub_name"


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """Something in a database that calls out; `closing` are the statements that end it."""

    database: str
    name: str
    closing: tuple[Composable, ...]

    def __str__(self) -> str:
        """Name it as a person reads it, without any option."""
        return f"{self.database}: {self.name}"


def find_ways_out(connection: Connection) -> list[WayOut]:
    """Return the ways out of one database."""
    found = [
        *_subscriptions(connection),
        *_user_mappings(connection),
        *_wrappers(connection),
        *_extensions(connection),
        *_cron_jobs(connection),
        *_pglogical_subscriptions(connection),
    ]
    return [WayOut(database=connection.info.dbname, name=name, closing=tuple(closing)) for name, closing in found]


def close_ways_out(connection: Connection, ways: Sequence[WayOut]) -> list[WayOut]:
    """End them in one transaction, and return those that the master may not end."""
    left = []
    for way in ways:
        closed = False
        refusals = (
            postgres_errors.InsufficientPrivilege,
            postgres_errors.DependentObjectsStillExist,
            psycopg2.errors.FeatureNotSupported,
        )
        with postgres_call(f"end of {way}"), attempt(connection, *refusals):
            for statement in way.closing:
                execute(connection, statement)
            closed = True
        if not closed:
            left.append(way)
    # Where the master has some right, PostgreSQL takes none of others' and only warns.
    still = {way.name for way in find_ways_out(connection)}
    return [way for way in ways if way in left or way.name in still]


def refuse_what_is_left(left: Sequence[WayOut]) -> None:
    """Raise `DatabaseChangeRefused` if a way out could not be closed."""
    if left:
        raise DatabaseChangeRefused(
            f"ways out that the master may not close: {first_of([*map(str, left)], 20)}",
            expected="every way out of the copy closed before anybody gets in",
            action="close them as their owner, or start a new run with close_outbound false to leave them all open; "
            "nobody has been let in",
        )


_Found = list[tuple[str, list[Composable]]]


def _subscriptions(connection: Connection) -> _Found:
    found: _Found = []
    for (name,) in rows(connection, "look at subscriptions", _SUBSCRIPTIONS):
        altered = SQL("ALTER SUBSCRIPTION {} ").format(Identifier(name))
        closing = [
            altered + SQL("DISABLE"),
            altered + SQL("CONNECTION {}").format(Literal(_NOWHERE)),
            altered + SQL("SET (slot_name = NONE)"),
            SQL("DROP SUBSCRIPTION {}").format(Identifier(name)),
        ]
        found.append((f"subscription {name}", list(closing)))
    return found


def _user_mappings(connection: Connection) -> _Found:
    found: _Found = []
    for server, user, is_public in rows(connection, "look at user mappings", _USER_MAPPINGS):
        whom = SQL("PUBLIC") if is_public else Identifier(user)
        statement = SQL("DROP USER MAPPING FOR {} SERVER {}").format(whom, Identifier(server))
        found.append((f"user mapping of {'everybody' if is_public else user} for foreign server {server}", [statement]))
    return found


def _wrappers(connection: Connection) -> _Found:
    found: _Found = []
    for (name,) in rows(connection, "look at foreign data wrappers", _WRAPPERS):
        statement = SQL("REVOKE USAGE ON FOREIGN DATA WRAPPER {} FROM PUBLIC").format(Identifier(name))
        found.append((f"everybody's right to make foreign servers with {name}", [statement]))
    return found


def _extensions(connection: Connection) -> _Found:
    found = rows(connection, "look at extensions", _EXTENSIONS, (_CALLING_EXTENSIONS,))
    return [(f"extension {name}", [SQL("DROP EXTENSION {}").format(Identifier(name))]) for (name,) in found]


def _cron_jobs(connection: Connection) -> _Found:
    if not rows(connection, "look for pg_cron", _CRON):
        return []
    # pg_cron hides jobs of others by a policy: to see a part of them only would be worse than an error.
    with postgres_call("settings of the session"):
        execute(connection, SQL("SET LOCAL row_security = off"))
    jobs = rows(connection, "look at pg_cron's jobs", _CRON_JOBS)
    statement = SQL("UPDATE cron.job SET active = false WHERE jobid = {}")
    return [(f"pg_cron job {job}", [statement.format(Literal(job))]) for (job,) in jobs]


def _pglogical_subscriptions(connection: Connection) -> _Found:
    found = rows(connection, "look for pglogical", _PGLOGICAL)
    if not found:
        return []
    if found != [(True,)]:
        return [("subscriptions of pglogical, which the master may not look at", [])]
    subscriptions = rows(connection, "look at pglogical's subscriptions", _PGLOGICAL_SUBSCRIPTIONS)
    # Its own drop would connect to production, to drop the slot there; at once it may not stop in a transaction.
    statement = SQL("SELECT pglogical.alter_subscription_disable({}::name, false)")
    return [(f"pglogical subscription {name}", [statement.format(Literal(name))]) for (name,) in subscriptions]
