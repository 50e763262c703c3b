"""AWS's models, which an SDK in a layer parses anew for each client: what one environment parsed, others find."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

_LOADERS = "botocore.loaders"


class Models:
    """The files that were parsed, by path; environments tell the zygote theirs through a pipe."""

    def __init__(self) -> None:
        self.told, self._tell = os.pipe()
        os.set_blocking(self._tell, False)
        self._parsed: dict[str, Any] = {}
        self._rest = b""
        self._asked_for: list[str] = []
        self._loader: Any = None
        self._zygote = os.getpid()

    def share(self) -> None:
        """Have the SDK look here first, once it is loaded; nothing but its speed is another then."""
        if self._loader is not None or _LOADERS not in sys.modules:
            return
        self._loader = vars(sys.modules[_LOADERS])["JSONFileLoader"]
        parse = self._loader.load_file

        def load_file(loader: Any, file_path: str) -> Any:
            if file_path not in self._parsed:
                model = parse(loader, file_path)
                if model is None:
                    return None
                self._parsed[file_path] = model
                self._tell_of(file_path)
            return self._parsed[file_path]

        self._loader.load_file = load_file
        self._parse()

    def parse_what_was_told(self) -> None:
        """In the zygote: parse what environments have told of."""
        *paths, self._rest = (self._rest + os.read(self.told, 65536)).split(b"\n")
        self._asked_for += map(os.fsdecode, paths)
        self._parse()

    def _parse(self) -> None:
        # No layer may have an SDK, or none so far: a function that brings one itself tells of its files as well.
        while self._loader and self._asked_for and os.getpid() == self._zygote:
            self._loader().load_file(self._asked_for.pop(0))

    def keep_as(self, file: int) -> None:
        """In an environment: let no more than this file be open for telling."""
        os.dup2(self._tell, file, inheritable=False)
        self._tell = file

    def _tell_of(self, path: str) -> None:
        if os.getpid() != self._zygote:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):  # the next one tells it, or nobody asks
                os.write(self._tell, os.fsencode(path) + b"\n")
