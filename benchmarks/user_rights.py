"""How long the rights of the database users take on a database with many tables, and how many statements.

Measures, in one run and on equal copies of one database: the set-up as step 8 does it (rights in bulk, the logins'
proof included), its second run, the naive way of one GRANT for each table and user, and what the catalog's writes alone
take: the same owners and rights, schema by schema, with nothing looked at and nothing proven. --profile tells what the
seconds of the set-up consist of, by the server's own log. Needs the development
environment (./test.sh makes it): .local/envs/dev/bin/python -m benchmarks.user_rights --help
"""

import argparse
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from psycopg2.sql import SQL, Identifier

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.bootstrap import Master as ProductionMaster
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.production import MASTER, PASSWORDS, USERS, Restored, restore, start_farm
from tests.unit.database.versions import MAJOR
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.roles.profiles import EVERY, PRIVILEGES, DatabaseUser

_STATEMENT = re.compile(r"LOG:  (?:duration: [0-9.]+ ms  )?statement: \s*(GRANT|REVOKE|ALTER DEFAULT)?")
_TIMED = re.compile(r"LOG:  duration: ([0-9.]+) ms  statement: (.*)")
_KINDS = [
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("new owners", r"\s*ALTER (?!ROLE|DEFAULT)"),
        ("grants and revocations", r"\s*(GRANT|REVOKE|ALTER DEFAULT)"),
        ("roles", r"\s*(CREATE|ALTER|DROP) ROLE|\s*(REASSIGN|DROP) OWNED"),
        ("transactions and settings", r"\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW|DISCARD)"),
        ("tries of the proof", r"\s*(EXPLAIN|SELECT FROM|CREATE|INSERT|UPDATE|DELETE|DROP|TRUNCATE|COMMENT)"),
        ("looks at the catalog", r""),
    )
]
_SCHEMA = """
    DO $$ BEGIN
        CREATE SCHEMA schema_{schema};
        FOR t IN 1 .. {tables} LOOP
            EXECUTE format('CREATE TABLE schema_{schema}.table_%s (id int)', t);
        END LOOP;
    END $$
"""


def main() -> None:
    """Make the databases, measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", type=int, default=3, help="databases (default 3)")
    parser.add_argument("--schemas", type=int, default=50, help="schemas in each database (default 50)")
    parser.add_argument("--tables", type=int, default=100, help="tables in each schema (default 100)")
    parser.add_argument("--profile", action="store_true", help="tell what the seconds of the set-up consist of")
    chosen = parser.parse_args()
    databases = [f"bench_{number}" for number in range(1, chosen.databases + 1)]
    total = chosen.databases * chosen.schemas * chosen.tables
    with tempfile.TemporaryDirectory() as folder:
        farm = start_farm(Path(folder))
        try:
            production = _make(farm, databases, chosen.schemas, chosen.tables, timed=chosen.profile)
            print(f"{total} tables in {chosen.databases} databases, PostgreSQL {MAJOR}, {len(USERS)} users\n")
            print("| way | seconds | statements | of them for rights |\n|---|---:|---:|---:|")
            profiles = []
            with _restored(farm, production, "ours") as server:
                for way in ("set-up, with the proof of every login", "the same again: nothing left to change"):
                    seconds, log = _measure(way, server, server.set_up)
                    profiles += [line for line in _profile(way, seconds, log) if chosen.profile]
            with _restored(farm, production, "naive") as server:
                server.run(MASTER, "postgres", "; ".join(f"CREATE ROLE {user.name}" for user in USERS))
                _measure("one GRANT for each table and user, no proof", server, lambda: _naively(server, databases))
            with _restored(farm, production, "written") as server:
                server.run(MASTER, "postgres", "; ".join(f"CREATE ROLE {name}" for name in _grantees()))
                server.run(MASTER, "postgres", f"GRANT {OWNER_ROLE} TO {MASTER}")
                _measure("the catalog's writes alone", server, lambda: _written(server, databases))
            print("\n".join(profiles))
        finally:
            farm.close()


def _make(farm: PostgresFarm, databases: list[str], schemas: int, tables: int, *, timed: bool) -> Volume:
    volume = farm.new_volume("production")
    server = farm.new_server(volume, MAJOR, "production", None)
    server.initialise(farm.empty_database(MAJOR), ProductionMaster(MASTER, PASSWORDS[MASTER]))
    server.start(MASTER)
    production = Restored(farm, server, Path())
    for database in databases:
        production.run(MASTER, "postgres", f"CREATE DATABASE {database}")
        # A transaction for each schema: one can hold only so many locks.
        for schema in range(1, schemas + 1):
            production.run(MASTER, database, _SCHEMA.format(schema=schema, tables=tables))
    # A statement that log_statement has logged has its duration in a line without its text.
    logged = ["log_statement = 'none'", "log_min_duration_statement = 0"] if timed else ["log_statement = 'all'"]
    for setting in logged:
        production.run(ADMIN, "postgres", f"ALTER SYSTEM SET {setting}")
    server.stop()
    return volume


@contextmanager
def _restored(farm: PostgresFarm, production: Volume, name: str) -> Iterator[Restored]:
    with contextmanager(restore)(farm, production, name) as server:
        yield server


def _naively(server: Restored, databases: list[str]) -> None:
    for database in databases:
        with closing(server.connect(MASTER, database)) as connection, connection.cursor() as cursor:
            connection.autocommit = False
            cursor.execute("SELECT schemaname, tablename FROM pg_tables WHERE tableowner = current_user")
            for schema, table in cursor.fetchall():
                for user in USERS:
                    statement = SQL(f"GRANT {_rights_on_tables(user)} ON TABLE {{}} TO {{}}")
                    cursor.execute(statement.format(Identifier(schema, table), Identifier(user.name)))
            connection.commit()


def _rights_on_tables(user: DatabaseUser) -> str:
    rights = PRIVILEGES[user.profile].tables
    return "ALL" if rights == EVERY else ", ".join(rights)


def _grantees() -> list[str]:
    return [*(user.name for user in USERS), OWNER_ROLE]


def _written(server: Restored, databases: list[str]) -> None:
    """Write what the set-up leaves, with as few statements and looks as there can be."""
    schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'schema_%'"
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = %s::regnamespace"
    for database in databases:
        with closing(server.connect(MASTER, database)) as connection, connection.cursor() as cursor:
            cursor.execute(schemas)
            for (schema,) in cursor.fetchall():
                cursor.execute(tables, (schema,))
                owners = [f"ALTER TABLE {schema}.{table} OWNER TO {OWNER_ROLE}" for (table,) in cursor.fetchall()]
                rights = [
                    f"GRANT {_rights_on_tables(user)} ON ALL TABLES IN SCHEMA {schema} TO {user.name}" for user in USERS
                ]
                enter = f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {', '.join(_grantees())}"
                cursor.execute("; ".join([enter, *owners, *rights]))


def _measure(way: str, server: Restored, work: Callable[[], object]) -> tuple[float, str]:
    """Print a row of the table, and return the seconds and what the server has logged meanwhile."""
    begin = len(server.log.read_text())
    began = time.monotonic()
    work()
    seconds = time.monotonic() - began
    log = server.log.read_text()[begin:]
    found = _STATEMENT.findall(log)
    print(f"| {way} | {seconds:.1f} | {len(found)} | {sum(bool(granting) for granting in found)} |")
    return seconds, log


def _profile(way: str, seconds: float, log: str) -> Iterator[str]:
    """Say what the seconds consist of: the server's for each kind of statement, and those in between."""
    spent: dict[str, list[float]] = defaultdict(list)
    for milliseconds, statement in _TIMED.findall(log):
        spent[next(kind for kind, pattern in _KINDS if pattern.match(statement))].append(float(milliseconds) / 1000)
    yield f"\n{way}: {seconds:.1f} s\n\n| kind | statements | seconds |\n|---|---:|---:|"
    for kind, each in sorted(spent.items(), key=lambda item: -sum(item[1])):
        yield f"| {kind} | {len(each)} | {sum(each):.1f} |"
    yield f"| connections, round trips, Python | | {seconds - sum(map(sum, spent.values())):.1f} |"


if __name__ == "__main__":
    main()
