"""uv, as it stands in .local/envs, set to the index that pip is set to: `python -m tooling.uv ARGUMENT …`."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / ".local/envs/uv"
# pip's own order: a variable goes before a file, what is set for `install` before what is set for every command.
_PLACES = (":env:", "install", "global")
_SETTING = re.compile(rf"^({'|'.join(_PLACES)})\.index\Wurl='(.*)'$", re.MULTILINE)


def pip_of(folder: Path) -> list[str]:
    """Return the pip that fills a folder: Debian's python3 has none outside an environment."""
    own = folder / "pip/bin/python"
    return [str(own) if own.exists() else sys.executable, "-m", "pip"]


def index_of_pip(configuration: str) -> str | None:
    """Return the index in what `pip config list` prints."""
    settings = dict(_SETTING.findall(configuration))
    return next((settings[place] for place in _PLACES if place in settings), None)


@functools.cache
def settings() -> dict[str, str]:
    """Return uv's settings: it does not know pip's, whose index may be the only one within reach."""
    # Packages are kept beside this uv, and go with it.
    chosen = {"UV_CACHE_DIR": str(HOME / "packages"), "UV_HTTP_TIMEOUT": "180", "UV_PYTHON_DOWNLOADS": "never"}
    listed = subprocess.run([*pip_of(HOME), "config", "list"], capture_output=True, text=True, check=False).stdout
    if index := index_of_pip(listed):
        chosen["UV_DEFAULT_INDEX"] = index
    return chosen | {key: value for key, value in os.environ.items() if key in chosen}


def main(arguments: Sequence[str]) -> int:
    """Run uv; return its exit code, 127 if it is not there."""
    try:
        return subprocess.run([str(HOME / "bin/uv"), *arguments], env=os.environ | settings(), check=False).returncode
    except FileNotFoundError:
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
