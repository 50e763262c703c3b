"""One local cloud for all: deployed once, with a production to restore from."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.pipeline.deployment import deploy
from tests.integration.stage import stories
from tests.integration.stage.afternoon import afternoon
from tests.integration.stage.night import night
from tests.integration.stage.production import Production, make_production
from tests.integration.stage.sources import as_of_a_moment, from_new_snapshots, in_one_region, nights_in_a_row
from tests.integration.stage.stories import Storyteller
from tests.integration.stage.watch import CommandLines
from tests.integration.stage.wishes import wishes
from tests.integration.stage.world import World

# The stories that several files look at.
__all__ = ["afternoon", "as_of_a_moment", "from_new_snapshots", "in_one_region", "night", "nights_in_a_row", "wishes"]

SPEED = 600.0
PRODUCTION = "shop-production"
# An hour lasts six seconds here: ages and budgets of a real night would be over before a test is.
STACK_PARAMETERS = {
    "SourceClusterId": PRODUCTION,
    "PointInTimeSources": "shop-ledger",
    "NewSnapshotSources": "shop-fresh",
    "RpoHours": "1",  # six seconds here: every run is beyond it, and the alarm goes off
    "RequestDefaults": json.dumps(
        {
            "source": {"max_age_hours": None},
            "budgets": {"copy_hours": 120, "delete_hours": 120, "restore_hours": 120},
        }
    ),
}
# These look at what all others left behind, or need that nothing else goes on.
LAST = (
    "test_user_wishes.py",
    "test_time_limit.py",
    "test_full_region.py",
    "test_functions_not_ready.py",
    "test_quarantine.py",
    "test_refusals.py",
    "test_permissions.py",
    "test_notifications.py",
    "test_secrets.py",
    "test_invariants.py",
    "test_least_privilege.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests, and put those last that look at all runs."""
    for item in items:
        if item.path.parent.name == "integration":
            item.add_marker(pytest.mark.local_cloud)
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    last = item.path.parent.name == "integration" and item.path.name in LAST
    return LAST.index(item.path.name) if last else -1


@pytest.fixture(scope="session")
def command_lines() -> Iterator[CommandLines]:
    """Every command line that a process of this machine shows while the cloud runs."""
    with CommandLines() as watch:
        yield watch


@pytest.fixture(scope="session")
def cloud(command_lines: CommandLines) -> Iterator[LocalCloud]:
    """A local cloud, watched, that is gone at the end, however the tests end."""
    assert command_lines.is_watching
    with LocalCloud.start(speed=SPEED) as running:
        # Every story has targets of its own: more than AWS's 40 clusters and 100 manual snapshots in all.
        running.aurora_control("POST", "quotas", {"clusters": 200, "instances": 400, "manual_snapshots": 400})
        yield running


@pytest.fixture(scope="session")
def _furnished(cloud: LocalCloud) -> tuple[World, Production]:
    with ThreadPoolExecutor(1) as pool:
        production = pool.submit(make_production, cloud, PRODUCTION)
        deployment = deploy(cloud, STACK_PARAMETERS)
        return World(cloud, deployment), production.result()


@pytest.fixture(scope="session")
def world(_furnished: tuple[World, Production]) -> World:
    """The local cloud with the pipeline deployed and production running."""
    return _furnished[0]


@pytest.fixture(scope="session")
def production(_furnished: tuple[World, Production]) -> Production:
    """The source: a cluster in us-east-1 and its snapshot of yesterday."""
    return _furnished[1]


@pytest.fixture(scope="session")
def storyteller(world: World, request: pytest.FixtureRequest) -> Iterator[Storyteller]:
    """Who tells the stories, from the beginning of the session on."""
    yield from stories.told(world, request.session.items)


@pytest.fixture(scope="session")
def quiet(storyteller: Storyteller) -> None:
    """All stories are told: what happens from here on is the test's own doing."""
    storyteller.all_told()
