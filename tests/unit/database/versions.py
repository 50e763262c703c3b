"""The PostgreSQL versions that can be installed as packages here: 17 from PyPI, 14 to 16 from npm.

With POSTGRES_MAJOR=14 every test of the database runs on that version alone.
"""

import os
from pathlib import Path

import pytest

from local_cloud.aurora.settings import AuroraSettings

_PACKAGES = Path(__file__).parents[3] / ".local/node/node_modules"
_ASKED = tuple(int(major) for major in os.environ.get("POSTGRES_MAJOR", "").split())
ALL = _ASKED or (14, 15, 16, 17)
DEFAULT = _ASKED or (15, 17)
MAJOR = _ASKED[0] if _ASKED else 17


def bin_dirs() -> dict[int, Path]:
    """Return the folder of the programs of each version that is installed."""
    node = {major: _PACKAGES / f"postgres-{major}/native/bin" for major in (14, 15, 16)}
    found = {major: folder for major, folder in node.items() if (folder / "postgres").exists()}
    return {**AuroraSettings(run_dir=Path()).postgres_bin_dirs, **found}


def skip_unless_installed(major: int) -> None:
    if major not in bin_dirs():
        pytest.skip(f"PostgreSQL {major} is not installed: npm has no package of it for this platform")
