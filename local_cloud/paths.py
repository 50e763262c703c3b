"""Where the local cloud keeps its things."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
REQUIREMENTS = REPOSITORY / "requirements"
SEED = REPOSITORY / "local_cloud" / "seed"
LOCAL = REPOSITORY / ".local"
ENVIRONMENTS = LOCAL / "envs"
RUNS = LOCAL / "run"


def environment_bin(name: str) -> Path:
    """Return the folder of an environment's commands."""
    return ENVIRONMENTS / name / "bin"
