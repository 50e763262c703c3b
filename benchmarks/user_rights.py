"""How long the rights of the database users take on a database with many tables, and how many statements.

Measures, in one run and on equal copies of one database: the set-up as step 8 does it (rights in bulk, the logins'
proof included), its second run, and the naive way of one GRANT for each table and user. Needs the development
environment (./test.sh makes it): .local/envs/dev/bin/python -m benchmarks.user_rights --help
"""

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from psycopg2.sql import SQL, Identifier

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.bootstrap import Master as ProductionMaster
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.production import MAJOR, MASTER, PASSWORDS, USERS, Restored, restore, start_farm
from utils.database.roles.profiles import EVERY, PRIVILEGES

_STATEMENT = re.compile(r"LOG:  statement: \s*(GRANT|REVOKE|ALTER DEFAULT)?")
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
    chosen = parser.parse_args()
    databases = [f"bench_{number}" for number in range(1, chosen.databases + 1)]
    total = chosen.databases * chosen.schemas * chosen.tables
    with tempfile.TemporaryDirectory() as folder:
        farm = start_farm(Path(folder))
        try:
            production = _make(farm, databases, chosen.schemas, chosen.tables)
            print(f"{total} tables in {chosen.databases} databases, PostgreSQL {MAJOR}, {len(USERS)} users\n")
            print("| way | seconds | statements | of them for rights |\n|---|---:|---:|---:|")
            with _restored(farm, production, "ours") as server:
                _measure("set-up, with the proof of every login", server, server.set_up)
                _measure("the same again: nothing left to change", server, server.set_up)
            with _restored(farm, production, "naive") as server:
                server.run(MASTER, "postgres", "; ".join(f"CREATE ROLE {user.name}" for user in USERS))
                _measure("one GRANT for each table and user, no proof", server, lambda: _naively(server, databases))
        finally:
            farm.close()


def _make(farm: PostgresFarm, databases: list[str], schemas: int, tables: int) -> Volume:
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
    production.run(ADMIN, "postgres", "ALTER SYSTEM SET log_statement = 'all'")
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
                    rights = PRIVILEGES[user.profile].tables
                    granted = "ALL" if rights == EVERY else ", ".join(rights)
                    statement = SQL(f"GRANT {granted} ON TABLE {{}} TO {{}}")
                    cursor.execute(statement.format(Identifier(schema, table), Identifier(user.name)))
            connection.commit()


def _measure(way: str, server: Restored, work: Callable[[], object]) -> None:
    before = _statements(server)
    began = time.monotonic()
    work()
    seconds = time.monotonic() - began
    every, granting = (after - earlier for after, earlier in zip(_statements(server), before, strict=True))
    print(f"| {way} | {seconds:.1f} | {every} | {granting} |")


def _statements(server: Restored) -> tuple[int, int]:
    """Count what the server has logged: all statements, and those that change rights."""
    found = _STATEMENT.findall(server.log.read_text())
    return len(found), sum(bool(granting) for granting in found)


if __name__ == "__main__":
    main()
