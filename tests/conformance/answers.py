"""What an endpoint answered, written down without anything that tells whose account it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

_DEPTH = 3
_UNTOLD = (
    (re.compile(r"\b\d{12}\b"), "000000000000"),
    (re.compile(r"conformance-[a-z0-9]+"), "conformance-run"),
    (re.compile(r"\b(?:cluster|db)-[A-Z0-9]{20,}\b"), "resource-id"),
    (re.compile(r"\b(vpc|subnet|sg|key|eni)-[0-9a-f]{8,}\b"), r"\1-id"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.I), "uuid"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?"), "time"),
    (re.compile(r"\b[a-z0-9.-]+\.(?:rds|amazonaws)\.[a-z0-9.-]*\b"), "host"),
    (re.compile(r"127\.0\.0\.1:\d+"), "host"),
)


@dataclass(frozen=True)
class Answer:
    """An answer to one call: its error, if it was one, or the members it had."""

    call: str
    error: str
    message: str
    members: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as a record keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Answer:
        """Return what a record kept."""
        return cls(kept["call"], kept["error"], kept["message"], tuple(kept["members"]))


class Listener:
    """Hears what clients are answered."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []

    def listen(self, client: Any) -> None:
        """Hear every answer to a client."""
        client.meta.events.register("after-call", self._hear)

    @contextmanager
    def writing(self) -> Iterator[list[Answer]]:
        """Write down what is heard from here on."""
        self._answers = []
        yield self._answers

    def _hear(self, parsed: dict[str, Any], model: Any, **_: object) -> None:
        error = parsed.get("Error", {})
        answer = Answer(
            call=f"{model.service_model.service_name}:{model.name}",
            error=error.get("Code", ""),
            message=untold(error.get("Message", "")),
            members=() if error else tuple(sorted(_members(parsed))),
        )
        # A question that waits looks again and again, here and on AWS not as often.
        if not self._answers or self._answers[-1] != answer:
            self._answers.append(answer)


def untold(text: str) -> str:
    """Replace the account, identifiers, hosts and times in a message."""
    for pattern, instead in _UNTOLD:
        text = pattern.sub(instead, text)
    return text


def _members(value: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    if isinstance(value, list):
        for item in value[:1]:
            yield from _members(item, f"{path}[]", depth)
    elif isinstance(value, dict) and depth < _DEPTH:
        for key, item in value.items():
            if key != "ResponseMetadata":
                below = f"{path}.{key}" if path else key
                yield below
                yield from _members(item, below, depth + 1)
