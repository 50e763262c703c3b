"""A real PostgreSQL as the local Aurora runs it: TLS, a CA of its own, a master who is no superuser."""

from collections.abc import Iterator

import pytest

from local_cloud.aurora import AuroraSettings
from local_cloud.aurora.postgres.bootstrap import Master as NewMaster
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from utils.database.server.connection import DatabaseServer
from utils.database.server.tls import Tls

MASTER, PASSWORD = "master", "master-password-of-the-tests"


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
