"""What this project believes about AWS: a statement, where it is from, and the question that an endpoint answers."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conformance import facts as modules

if TYPE_CHECKING:
    from tests.conformance.bench import Bench

Question = Callable[["Bench"], None]


@dataclass(frozen=True)
class Fact:
    """A fact; `ask` fails where the endpoint answers otherwise.

    minutes: what it takes on AWS, without the waits for what several facts share.
    only_aws: why a local cloud cannot answer; empty where it can.
    """

    name: str
    service: str
    statement: str
    source: str
    ask: Question
    minutes: float
    only_aws: str


_facts: dict[str, Fact] = {}


def fact(service: str, source: str, *, minutes: float = 0.0, only_aws: str = "") -> Callable[[Question], Question]:
    """Make a fact of a question: its name is the function's, its statement the docstring."""

    def file(ask: Question) -> Question:
        name = ask.__name__.replace("_", "-")
        if name in _facts:
            raise ValueError(f"two facts are called {name}")
        statement = (ask.__doc__ or "").strip()
        if not (statement and source):
            raise ValueError(f"{name} has no statement or no source")
        _facts[name] = Fact(name, service, statement, source, ask, minutes, only_aws)
        return ask

    return file


def all_facts() -> list[Fact]:
    """Return every fact, service by service, in the order in which they are asked."""
    for module in pkgutil.iter_modules(modules.__path__):
        importlib.import_module(f"{modules.__name__}.{module.name}")
    return list(_facts.values())
