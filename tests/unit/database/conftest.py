from collections.abc import Iterator
from uuid import uuid4

import pytest

from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.production import Restored, make_production, restore, start_farm
from tests.unit.database.traps import DEEP
from tests.unit.database.versions import ALL, MAJOR, skip_unless_installed


@pytest.fixture(scope="package")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresFarm]:
    started = start_farm(tmp_path_factory.mktemp("postgres"))
    yield started
    started.close()


@pytest.fixture(scope="package")
def production(farm: PostgresFarm) -> Volume:
    return make_production(farm)


@pytest.fixture
def restored(farm: PostgresFarm, production: Volume) -> Iterator[Restored]:
    """A database server of the test's own, restored from production."""
    yield from restore(farm, production, uuid4().hex)


@pytest.fixture(scope="package")
def done(farm: PostgresFarm, production: Volume) -> Iterator[Restored]:
    """A database server whose users are set up; tests only look at it, or create what nobody else looks at."""
    for server in restore(farm, production, "done"):
        server.set_up()
        yield server


@pytest.fixture(scope="package", params=ALL if DEEP else (MAJOR,))
def snapshot(farm: PostgresFarm, request: pytest.FixtureRequest) -> tuple[Volume, int]:
    skip_unless_installed(request.param)
    return make_production(farm, request.param, f"planted-{request.param}"), request.param


@pytest.fixture
def planted(farm: PostgresFarm, snapshot: tuple[Volume, int], request: pytest.FixtureRequest) -> Iterator[Restored]:
    volume, major = snapshot
    yield from restore(farm, volume, f"planted-{abs(hash(request.node.name))}", major)
