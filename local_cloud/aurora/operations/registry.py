"""The operations that the local Aurora has, and what of their input it implements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import NotSupportedError

Handler = Callable[[Call], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation.

    identifier: the member that names what it is about (faults select by it).
    supports: members that have their effect. only: members accepted with these values alone, which mean "nothing
    special"; every other member or value is answered with NotSupportedByLocalAurora.
    """

    name: str
    handler: Handler
    identifier: str
    supports: frozenset[str]
    only: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    def refuse_unsupported(self, params: Mapping[str, Any]) -> None:
        """Raise NotSupportedByLocalAurora for a member that would have to change behaviour."""
        for name, value in params.items():
            if name in self.supports:
                continue
            if name not in self.only:
                raise NotSupportedError(f"The parameter {name} of {self.name}")
            if value not in self.only[name]:
                raise NotSupportedError(f"{name}={value} of {self.name}")


OPERATIONS: dict[str, Operation] = {}


def operation(
    name: str, *, identifier: str = "", supports: str = "", only: Mapping[str, tuple[object, ...]] | None = None
) -> Callable[[Handler], Handler]:
    """Register a handler; `supports` lists members, separated by spaces."""

    def register(handler: Handler) -> Handler:
        members = frozenset(supports.split()) | ({identifier} if identifier else frozenset())
        OPERATIONS[name] = Operation(
            name=name, handler=handler, identifier=identifier, supports=members, only=only or {}
        )
        return handler

    return register
