"""One laboratory for the sample of the sweep; whoever changes it puts it back."""

from collections.abc import Iterator

import pytest

from tests.faults.laboratory import Laboratory, laboratory
from tests.faults.pool import Bench, bench
from tests.faults.sample import sampled_situations


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need the laboratory."""
    for item in items:
        if item.path.parent.name == "faults" and "lab" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.local_cloud)


@pytest.fixture(scope="session")
def lab() -> Iterator[Laboratory]:
    """A local cloud with the pipeline deployed, whose functions' calls pass the hop."""
    with laboratory() as running:
        yield running


@pytest.fixture(scope="session")
def recorded(lab: Laboratory) -> Bench:
    """The laboratory with the sample's situations recorded, once each: what is chosen from is always called."""
    return bench(lab, sampled_situations(), recordings=1)
