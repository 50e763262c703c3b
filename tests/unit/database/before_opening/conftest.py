"""The shop, in a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

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
