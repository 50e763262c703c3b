"""A real PostgreSQL as the local Aurora runs it: TLS, a CA of its own, a master who is no superuser; the shop in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from local_cloud.aurora import AuroraSettings
from local_cloud.aurora.postgres.bootstrap import Master as NewMaster
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.before_opening.world import MASTER, PASSWORD, World
from utils.database.server.connection import DatabaseServer
from utils.database.server.tls import Tls
from utils.database.setup import Master

SEED = Path("local_cloud/seed")


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresFarm]:
    run_dir = tmp_path_factory.mktemp("postgres")
    farm = PostgresFarm(AuroraSettings(run_dir=run_dir))
    yield farm
    farm.close()


@pytest.fixture(scope="session")
def volume(farm: PostgresFarm) -> Volume:
    return farm.new_volume("shop")


@pytest.fixture(scope="session")
def running(farm: PostgresFarm, volume: Volume) -> DatabaseServer:
    server = farm.new_server(volume, 17, "shop", None)
    server.initialise(farm.empty_database(17), NewMaster(MASTER, PASSWORD, "shop"))
    server.start(MASTER)
    return DatabaseServer(host="127.0.0.1", port=server.port, tls=Tls(ca_file=farm.ca_path))


@pytest.fixture(scope="session")
def furnished(running: DatabaseServer) -> World:
    world = World(running, Master(name=MASTER, password=SecretStr(PASSWORD)))
    world.run(
        "CREATE ROLE app_owner NOLOGIN; CREATE ROLE shop_app NOLOGIN; CREATE ROLE analyst NOLOGIN;"
        "CREATE ROLE stranger NOLOGIN; REVOKE stranger FROM master; GRANT app_owner TO master;"
    )
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
