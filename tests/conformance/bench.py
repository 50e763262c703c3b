"""What a question is asked with: clients, names and tags of this run, waiting, and the removal of all that was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from deployment.throwaway.removals import Removals
from deployment.throwaway.waiting import until
from tests.conformance.answers import Answer, Listener
from tests.conformance.aurora import Aurora
from tests.conformance.made import Made
from tests.conformance.stated import NotAsStated

PREFIX = "conformance"
TAG = "aurora-restore-conformance"


class Bench:
    """One run's questions to one Region of one account.

    minute: real seconds that a minute of waiting lasts at most; a local cloud's Aurora is faster than AWS's.
    """

    def __init__(self, session: boto3.Session, run: str, tell: Callable[[str], None], *, minute: float = 60.0) -> None:
        self.region = str(session.region_name)
        self.prefix = f"{PREFIX}-{run}"
        self.tags = [{"Key": TAG, "Value": run}]
        self.lower_tags = {TAG: run}
        self._session, self._minute = session, minute
        self._listener = Listener()
        self._clients: dict[str, Any] = {}
        self._removals = Removals(tell)
        self._count = 0

    def client(self, service: str) -> Any:
        """Return the client of a service; what it is answered is written down."""
        if service not in self._clients:
            client: Any = self._session.client(  # type: ignore[call-overload]  # a name as data
                service, config=Config(retries={"mode": "standard", "total_max_attempts": 4})
            )
            self._listener.listen(client)
            self._clients[service] = client
        return self._clients[service]

    @cached_property
    def account(self) -> str:
        """The account whose credentials these are."""
        return str(self.client("sts").get_caller_identity()["Account"])

    @cached_property
    def aurora(self) -> Aurora:
        """The clusters and snapshots of this run."""
        return Aurora(self)

    @cached_property
    def made(self) -> Made:
        """What else this run makes."""
        return Made(self)

    @contextmanager
    def listening(self) -> Iterator[list[Answer]]:
        """Write down the answers to one question."""
        with self._listener.writing() as answers:
            yield answers

    def name(self, thing: str) -> str:
        """Return a name that nothing else has, and by which a leftover is known as this run's."""
        self._count += 1
        return f"{self.prefix}-{thing}-{self._count}"

    def refused(self, code: str, call: Callable[[], object], *, saying: str = "") -> str:
        """Expect a call to be refused with an error code; return the message."""
        try:
            call()
        except ClientError as error:
            found, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if found != code:
                raise NotAsStated(f"refused with {found}, not with {code}: {message}") from error
            if saying.lower() not in message.lower():
                raise NotAsStated(f"the message of {code} does not say {saying!r}: {message}") from error
            return str(message)
        raise NotAsStated(f"was not refused; {code} was expected")

    def until(self, look: Callable[[], Any], what: str, *, minutes: float = 1.0) -> Any:
        """Look until there is an answer that is not empty."""
        return until(look, what, minutes=minutes, minute=self._minute)

    def remove_at_the_end(self, what: str, remove: Callable[[], object]) -> None:
        """Note how something that was made is removed; the last made is removed first."""
        self._removals.note(what, remove)

    def remove_all(self) -> list[str]:
        """Remove what was made; return what could not be, each with why. Again, it tries what is left."""
        return self._removals.all()
