import pytest

from tests.fakes.aws import FakeAws


@pytest.fixture
def aws() -> FakeAws:
    """An account with production in it, a day like any other: no target yet, nothing planned."""
    fake = FakeAws()
    fake.has_production()
    return fake
