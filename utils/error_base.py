"""What all errors of the pipeline are: a text of what was found, what was expected and what to do."""

import collections.abc

SO_FAR = "; so far: "


class AuroraRestoreError(Exception):
    """Base of all errors of the pipeline; its text says what was found, what was expected and what to do."""

    def __init__(self, found: str, *, expected: str, action: str, field: str | None = None) -> None:
        super().__init__(f"{f'{field}: ' if field else ''}found {found}; expected {expected}; what to do: {action}")
        self._says_changes = False
        self.field, self.found, self.expected, self.action = field, found, expected, action

    def and_others(self, others: "collections.abc.Sequence[AuroraRestoreError]") -> None:
        """Have the text name other errors as well, each with what to do."""
        if others:
            number = f"{len(others)} more problem{'s' if len(others) > 1 else ''}"
            self.args = (f"{self}; {number}: " + "; ".join(f"({n}) {other}" for n, other in enumerate(others, 2)),)

    def so_far(self, changes: str) -> None:
        """Have the text say what was changed until now as well; only the first call does."""
        if not self._says_changes:
            self._says_changes = True
            self.args = (f"{self}{SO_FAR}{changes}",)


def raise_all(problems: "collections.abc.Sequence[AuroraRestoreError]") -> None:
    """Raise the first of these errors with all others in its words; nothing if there is none."""
    if problems:
        first, *others = problems
        first.and_others(others)
        raise first


class RetryableError(AuroraRestoreError):
    """May pass when the same step runs again."""


class PermanentError(AuroraRestoreError):
    """Will not pass by itself; a person or a changed request is needed."""
