"""The steps of a selftest: how long each took and how it ended."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from deployment.account import Refused, explain
from deployment.selftest.drill import DrillFailed
from deployment.throwaway.waiting import NotReached

_WIDTH = 20


class StepFailed(Exception):
    """A step failed; the steps after it make no sense."""


@dataclass
class Step:
    """One row of the table."""

    name: str
    seconds: float = 0.0
    outcome: str = ""
    found: str = ""

    def line(self) -> str:
        """Return the row."""
        return f"{self.name:{_WIDTH}} {self.seconds / 60:8.1f}  {self.outcome:5} {self.found}"


@dataclass
class Table:
    """All steps so far."""

    tell: Callable[[str], object]
    steps: list[Step] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a step failed."""
        return any(step.outcome == "FAIL" for step in self.steps)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step and note how it ends; raises `StepFailed` for one that failed."""
        step = Step(name)
        self.steps.append(step)
        self.tell(f"{name} …")
        began = time.monotonic()
        try:
            yield step
            step.outcome = step.outcome or "PASS"
        except (ClientError, BotoCoreError) as error:
            step.outcome, step.found = "FAIL", explain(error)
        except (NotReached, DrillFailed, Refused) as error:
            step.outcome, step.found = "FAIL", str(error)
        except KeyboardInterrupt:
            step.outcome, step.found = "STOP", "stopped by Ctrl-C"
            raise
        finally:
            step.seconds = time.monotonic() - began
        if step.outcome == "FAIL":
            raise StepFailed

    def lines(self) -> list[str]:
        """Return the table, with its heading."""
        return [f"{'step':{_WIDTH}} {'minutes':>8}  {'':5} result", *(step.line() for step in self.steps)]
