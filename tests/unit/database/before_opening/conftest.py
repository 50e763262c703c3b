"""The shop, in a real PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from pydantic import SecretStr

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from tests.unit.database.before_opening.world import World
from tests.unit.database.shop_server import MASTER, PASSWORD, farm, running, volume
from utils.database.roles import memberships, our_users
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.server.connection import DatabaseServer, Master

__all__ = ["farm", "running", "volume"]

SEED = Path("local_cloud/seed")


@pytest.fixture(scope="session")
def furnished(running: DatabaseServer) -> World:
    world = World(Master(server=running, name=MASTER, password=SecretStr(PASSWORD)))
    world.run(
        "CREATE ROLE app_owner NOLOGIN; CREATE ROLE shop_app NOLOGIN; CREATE ROLE analyst NOLOGIN;"
        "CREATE ROLE stranger NOLOGIN; REVOKE stranger FROM master; GRANT app_owner TO master;"
    )
    with world.master.in_database("postgres") as connection:
        our_users.set_up_owner(connection, [])
        memberships.join(connection, [OWNER_ROLE])
    for name in ("shop_schema.sql", "shop_data.sql"):
        world.run(f"SET search_path = public;{(SEED / name).read_text()}")
    return world


@pytest.fixture
def world(furnished: World) -> Iterator[World]:
    """The shop, with whatever a test did to its own schema gone afterwards."""
    furnished.run("CREATE SCHEMA scratch; CREATE TABLE scratch.people (id int PRIMARY KEY, name text)")
    furnished.run("INSERT INTO scratch.people VALUES (1, 'Anna Planted'), (2, 'Ben Planted')")
    yield furnished
    furnished.run("DROP SCHEMA scratch CASCADE")
    furnished.scripts.clear()


@pytest.fixture
def without_temporary_files(farm: PostgresFarm, running: DatabaseServer) -> Iterator[None]:
    """The shop's sessions may have no temporary files, by a setting that only a superuser makes."""
    superuser = psycopg2.connect(
        host=running.host, port=running.port, dbname="shop", user=ADMIN, password=farm._admin.password
    )
    with closing(superuser) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ALTER DATABASE shop SET temp_file_limit = 0; ALTER DATABASE shop SET work_mem = '64kB'")
            yield
            cursor.execute("ALTER DATABASE shop RESET ALL")
