"""A real application's schema in the set-up of the users: how long it takes, what is proven, what a second run changes.

PATH is a file of SQL such as `pg_dump --schema-only` or Rails' db/structure.sql; an ordinary login, which owns its
database, loads it statement by statement. What it cannot load (an extension that is not installed here) is
named. Needs the development environment (./test.sh makes it).
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import psycopg2

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.judge import catalog, wrong_rights
from tests.unit.database.production import MASTER, USERS, Restored, make_production, restore, start_farm
from tests.unit.database.versions import MAJOR
from utils.database.before_opening.sql_script import split

DATABASE, OWNER = "application", "shop_owner"
SIZES = """
    SELECT 'tables', count(*) FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text !~ '^pg_|^info'
    UNION ALL SELECT 'partitioned tables', count(*) FROM pg_class WHERE relkind = 'p'
    UNION ALL SELECT 'views', count(*) FROM pg_views WHERE schemaname !~ '^pg_|^info'
    UNION ALL SELECT 'triggers', count(*) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'routines', count(*) FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^pg_|^info'
    UNION ALL SELECT 'indexes', count(*) FROM pg_indexes WHERE schemaname !~ '^pg_|^info'
"""
_Answer = TypeVar("_Answer")


def main() -> None:
    """Load the schema, set the users up twice, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="PATH", help="file of SQL with the schema")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        farm = start_farm(Path(folder))
        try:
            production = make_production(farm)
            with _restored(farm, production) as server:
                _load(server, chosen.path.read_text())
                _measure(server)
        finally:
            farm.close()


@contextmanager
def _restored(farm: PostgresFarm, production: Volume) -> Iterator[Restored]:
    with contextmanager(restore)(farm, production, "loaded") as server:
        yield server


def _load(server: Restored, schema: str) -> None:
    server.run(MASTER, "postgres", f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    failed: Counter[str] = Counter()
    with closing(server.connect(OWNER, DATABASE)) as connection, connection.cursor() as cursor:
        for statement in split(schema):
            try:
                cursor.execute(statement.text)
            except psycopg2.Error as error:
                failed[f"{error.pgcode} {error.diag.message_primary}"] += 1
    for name, count in server.run(ADMIN, DATABASE, SIZES):
        print(f"{name}: {count}")
    print(f"not loaded, PostgreSQL {MAJOR}: {sum(failed.values())} statements")
    for why, count in failed.most_common(10):
        print(f"  {count} x {why}")


def _measure(server: Restored) -> None:
    outcome = _timed("first set-up", server.set_up)
    for user, proofs in outcome.proofs.items():
        print(f"  {user}: {next(line for line in proofs if line.startswith(DATABASE))}")
    print(f"  health: {'; '.join(map(str, outcome.health)) or 'nothing to tell'}")
    print(f"  wrong rights: {wrong_rights(server, [DATABASE], USERS) or 'none'}")
    before = catalog(server, outcome.databases)
    _timed("second set-up", server.set_up)
    after = catalog(server, outcome.databases)
    print(f"  changed in the catalog: {[key for key in before if before[key] != after[key]] or 'nothing'}")


def _timed(what: str, work: Callable[[], _Answer]) -> _Answer:
    began = time.monotonic()
    answer = work()
    print(f"{what}: {time.monotonic() - began:.1f} s")
    return answer


if __name__ == "__main__":
    main()
