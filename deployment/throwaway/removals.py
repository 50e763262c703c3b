"""Removing what was made, in the end and whatever happened before."""

from collections.abc import Callable


class Removals:
    """How each thing that was made is removed; the last made is removed first."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._noted: list[tuple[str, Callable[[], object]]] = []

    def note(self, what: str, remove: Callable[[], object]) -> None:
        """Note how something that was made is removed."""
        self._noted.append((what, remove))

    @property
    def noted(self) -> list[str]:
        """What is still to be removed."""
        return [what for what, _ in self._noted]

    def all(self) -> list[str]:
        """Remove what was made; return what could not be, each with why. Again, it tries what is left."""
        failed: list[tuple[str, Callable[[], object]]] = []
        told: list[str] = []
        while self._noted:
            what, remove = self._noted.pop()
            self._tell(f"Removing {what}")
            try:
                remove()
            except Exception as error:  # noqa: BLE001 - whatever one meets, the others are still to be removed
                failed.append((what, remove))
                told.append(f"{what}: {error or type(error).__name__}")
            except BaseException:
                self._noted.append((what, remove))
                raise
        self._noted = failed[::-1]
        return told
