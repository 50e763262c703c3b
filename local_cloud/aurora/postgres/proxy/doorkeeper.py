"""What a door asks about each client: is its token good, is something to go wrong, and who was here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

LOGIN = "LOGIN"
_BEGIN = "BEGIN"


@dataclass(frozen=True, kw_only=True)
class RoundTrip:
    """One demand of a client that the server answers with ReadyForQuery.

    statement: the first words of its SQL, or LOGIN for the login. number: 0 is the login, 1 the first after it.
    path: the kinds of statements of its transaction up to and with it, each once; outside of one, since the login.
    """

    connection: int
    number: int
    user: str
    database: str
    application_name: str
    statement: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Mishap:
    """What is to go wrong with a round trip: kind is drop, drop-after, delay, error, kill or twice.

    act: what the last two do once the server has executed the statement; may take a while.
    """

    kind: str
    sqlstate: str = ""
    message: str = ""
    seconds: float = 0.0
    act: Callable[[], None] = lambda: None


def path_to(statement: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the path to the statement that follows a path."""
    before = () if statement.startswith(_BEGIN) else dict.fromkeys(path)
    return (*before, statement)


class Doorkeeper(Protocol):
    """Knows the cluster behind a door."""

    def reaches(self, client_port: int) -> bool:
        """Tell whether the network lets a client of this machine through to the door; may take a while."""

    def admits(self, user: str, port: int, token: str) -> bool:
        """Tell whether an IAM token lets a member of rds_iam in; may take a while."""

    def meet(self, round_trip: RoundTrip) -> Mishap | None:
        """Note a round trip before it reaches the server; return what is to go wrong with it."""


class NobodyByToken:
    """Admits nobody by a token, lets everything else pass."""

    def reaches(self, client_port: int) -> bool:  # noqa: ARG002
        """Let everybody through."""
        return True

    def admits(self, user: str, port: int, token: str) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def meet(self, round_trip: RoundTrip) -> Mishap | None:  # noqa: ARG002
        """Let it pass."""
        return None
