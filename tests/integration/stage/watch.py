"""Watches the command lines of this machine's processes while the runs go on."""

import contextlib
import os
import threading
from types import TracebackType
from typing import Self

_LONGEST_COMMAND_LINE = 2**20
_BETWEEN_LOOKS_SECONDS = 0.05
# A new process, which may still become another program, is looked at each time, an old one once a second.
_LOOKS_AT_A_NEW_ONE, _LOOKS_IN_A_SECOND = 20, 20


class CommandLines:
    """Looks at /proc again and again; keeps every command line it saw."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="command-lines", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    @property
    def is_watching(self) -> bool:
        """Whether it looks."""
        return self._thread.is_alive()

    def seen(self) -> list[str]:
        """Return what was seen so far."""
        return [line.replace(b"\0", b" ").decode(errors="replace") for line in list(self._seen)]

    def _watch(self) -> None:
        looks: dict[str, int] = {}
        while not self._end.wait(_BETWEEN_LOOKS_SECONDS):
            # To read hundreds of command lines each time would be a tenth of a processor.
            with os.scandir("/proc") as there:
                names = [entry.name for entry in there if entry.name.isdigit()]
            looks = {name: looks.get(name, 0) + 1 for name in names}
            for name, number in looks.items():
                if number <= _LOOKS_AT_A_NEW_ONE or number % _LOOKS_IN_A_SECOND == 0:
                    with contextlib.suppress(OSError):  # it ended between the two looks
                        self._look_at(f"/proc/{name}/cmdline")

    def _look_at(self, path: str) -> None:
        file = os.open(path, os.O_RDONLY)
        try:
            self._seen.add(os.read(file, _LONGEST_COMMAND_LINE))
        finally:
            os.close(file)
