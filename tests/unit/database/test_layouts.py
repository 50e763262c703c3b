"""Whatever the layout of roles and rights was: the users have their profiles' rights, and nobody else gets in."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from local_cloud.aurora.postgres.bootstrap import Master as ProductionMaster
from local_cloud.aurora.postgres.farm import PostgresFarm
from tests.unit.database.judge import catalog, who_can_log_in, wrong_rights
from tests.unit.database.layouts import DATABASE, OURS, Layout, build, layouts, remove
from tests.unit.database.production import MASTER, PASSWORDS, USERS, Restored
from tests.unit.database.traps import DEEP
from tests.unit.database.versions import ALL, DEFAULT, skip_unless_installed

EXAMPLES = int(os.environ.get("LAYOUTS", "100" if DEEP else "4"))


@pytest.fixture(scope="module", params=ALL if DEEP else DEFAULT)
def server(farm: PostgresFarm, request: pytest.FixtureRequest) -> Iterator[Restored]:
    skip_unless_installed(request.param)
    name = f"layouts-{request.param}"
    started = farm.new_server(farm.new_volume(name), request.param, name, None)
    started.initialise(farm.empty_database(request.param), ProductionMaster(MASTER, PASSWORDS[MASTER], "crm"))
    started.start(MASTER)
    yield Restored(farm, started, farm._log_dir / f"{name}.log")
    farm.remove_server(started)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
    derandomize=not DEEP,
    # A layout that is cut down to its smallest takes minutes: only the deep profile does.
    phases=tuple(Phase) if DEEP else (Phase.explicit, Phase.generate),
)
@given(layout=layouts)
def test_the_users_rights_are_their_profiles_and_a_second_run_changes_nothing(server: Restored, layout: Layout) -> None:
    remove(server)
    build(server, layout)
    first = server.set_up()
    assert wrong_rights(server, [DATABASE], USERS) == []
    assert who_can_log_in(server) == set(OURS)
    before = catalog(server, [DATABASE])
    assert server.set_up().proofs == first.proofs
    assert catalog(server, [DATABASE]) == before
