"""Asking the facts, one after the other, and what came of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from deployment.throwaway.waiting import NotReached
from tests.conformance.answers import Answer
from tests.conformance.bench import Bench
from tests.conformance.fact import Fact
from tests.conformance.stated import NotAsStated


@dataclass(frozen=True)
class Asked:
    """What an endpoint made of a fact; `otherwise` tells what is not as stated, and is empty where all is."""

    fact: Fact
    otherwise: str
    answers: tuple[Answer, ...]


def ask(bench: Bench, facts: Iterable[Fact]) -> Iterator[Asked]:
    """Ask each fact; an answer that is not as stated is a result, and so is a call that the endpoint does not know."""
    for fact in facts:
        yield ask_one(bench, fact)


def ask_one(bench: Bench, fact: Fact) -> Asked:
    """Ask one fact."""
    otherwise = ""
    with bench.listening() as answers:
        try:
            fact.ask(bench)
        except (NotAsStated, NotReached) as error:
            otherwise = str(error)
        except (ClientError, BotoCoreError, KeyError, IndexError) as error:
            otherwise = f"{type(error).__name__}: {error}"
    return Asked(fact, otherwise, tuple(answers))
