"""What all errors of the pipeline are: a text of what was found, what was expected and what to do."""

import collections.abc

SO_FAR = "; so far: "


class AuroraRestoreError(Exception):
    """Base of all errors of the pipeline; its text says what was found, what was expected and what to do."""

    def __init__(self, found: str, *, expected: str, action: str, field: str | None = None) -> None:
        self.own_words = f"{f'{field}: ' if field else ''}found {found}; expected {expected}; what to do: {action}"
        super().__init__(self.own_words)
        self._says_changes = False
        self.others: list[AuroraRestoreError] = []
        self.field, self.found, self.expected, self.action = field, found, expected, action

    def and_others(self, others: "collections.abc.Sequence[AuroraRestoreError]") -> None:
        """Have the text name other errors as well, each with what to do."""
        # What they name themselves is in the same list.
        self.others += [each for other in others for each in (other, *other.others)]
        if self.others:
            number = f"{len(self.others)} more problem{'s' if len(self.others) > 1 else ''}"
            told = "; ".join(f"({n}) {other.own_words}" for n, other in enumerate(self.others, 2))
            self.args = (f"{self.own_words}; {number}: {told}",)

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
