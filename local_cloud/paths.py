"""Where the local cloud keeps its things."""

from __future__ import annotations

from tooling.environments import LOCAL, REPOSITORY

SEED = REPOSITORY / "local_cloud" / "seed"
RUNS = LOCAL / "run"
# Of the one that ./local.sh up leaves running.
UP = RUNS / "up"

__all__ = ["LOCAL", "RUNS", "SEED", "UP"]
