"""Looks one after the other, what each found, and one error of all that failed."""

from collections.abc import Callable
from typing import TypeVar

from utils.errors import PermanentError
from utils.operation.planned import Outcome, PreflightCheck
from utils.report.advice import NEEDS_A_NEW_PLAN

_T = TypeVar("_T")
Words = Callable[[_T], str]


class Preflight:
    """The checks of one run, collected; what may pass by itself (a `RetryableError`) is raised at once."""

    def __init__(self) -> None:
        self.checks: list[PreflightCheck] = []
        self._errors: list[PermanentError] = []

    def look(self, name: str, act: Callable[[], _T], *, found: Words[_T] = lambda _: "as expected") -> _T | None:
        """Return what the look gives, None if it failed; `found` says what it gave."""
        try:
            seen = act()
        except PermanentError as error:
            self._errors.append(error)
            self._keep(name, Outcome.FAIL, error.found, error.expected, error.action)
            return None
        self._keep(name, Outcome.PASS, found(seen))
        return seen

    def warn(self, name: str, found: str, *, expected: str, do: str) -> None:
        """Note what hinders no run and a person should know."""
        self._keep(name, Outcome.WARN, found, expected, do)

    def raise_problems(self) -> None:
        """Raise the first error that was found, with all others in its words; nothing if there is none."""
        if self._errors:
            raise self.problem()

    def problem(self) -> PermanentError:
        """Return the first error that was found, with all others in its words; there must be one.

        What needs a new plan goes before what a resumption could mend: that is what a person has to do.
        """
        first, *others = sorted(self._errors, key=lambda error: type(error).__name__ not in NEEDS_A_NEW_PLAN)
        first.and_others(others)
        return first

    def _keep(self, name: str, outcome: Outcome, found: str, expected: str = "", do: str = "") -> None:
        self.checks.append(PreflightCheck(name=name, outcome=outcome, found=found, expected=expected, do=do))
