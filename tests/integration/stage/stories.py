"""Stories run in the background from the beginning of the session; a test that asks for one waits for its end."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from tests.integration.stage.world import World

T = TypeVar("T")
AT_ONCE = 4  # RDS copies five snapshots at once into a Region
TOLD_WITHIN_SECONDS = 600
_STORIES: dict[str, Callable[[World], Any]] = {}


class Storyteller:
    """Tells the stories that the collected tests ask for, a few at a time, in the order of the tests."""

    def __init__(self, world: World, wanted: list[str]) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="story")
        self._told: dict[str, Future[Any]] = {name: self._pool.submit(_STORIES[name], world) for name in wanted}

    def end_of(self, name: str) -> Any:
        """Wait for the end of a story and return what it tells."""
        return self._told[name].result(TOLD_WITHIN_SECONDS)

    def all_told(self) -> None:
        """Wait until no story goes on."""
        for story in self._told.values():
            story.exception(TOLD_WITHIN_SECONDS)

    def close(self) -> None:
        """Start no further story, wait for those that go on."""
        self._pool.shutdown(cancel_futures=True)


def story(tell: Callable[[World], T]) -> Callable[..., T]:
    """Make a session fixture of a story, started in the background."""
    name = tell.__name__
    assert name not in _STORIES, f"two stories are called {name}"
    _STORIES[name] = tell

    @pytest.fixture(scope="session", name=name)
    def told(storyteller: Storyteller) -> T:
        ending: T = storyteller.end_of(name)
        return ending

    return told


def asked_for(items: list[pytest.Item]) -> list[str]:
    """Return the stories that tests ask for, in the order of the tests."""
    names = (name for item in items for name in getattr(item, "fixturenames", ()))
    return [name for name in dict.fromkeys(names) if name in _STORIES]


def told(world: World, items: list[pytest.Item]) -> Iterator[Storyteller]:
    """Tell what is asked for until the session ends."""
    teller = Storyteller(world, asked_for(items))
    try:
        yield teller
    finally:
        teller.close()
