"""What a running local cloud tells about itself: `cloud.json` in its run folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "cloud.json"


@dataclass(frozen=True, kw_only=True)
class Description:
    """Where a local cloud listens and how fast its time runs; `ca_file` verifies its PostgreSQL servers.

    hop_endpoint: where the functions' calls pass the hop, empty without one.
    """

    run_dir: str
    speed: float
    endpoint: str
    rds_endpoint: str
    ca_file: str
    hop_endpoint: str = ""

    def write(self, run_dir: Path) -> None:
        """Make the description visible at once and whole."""
        fresh = run_dir / f".{FILE_NAME}"
        fresh.write_text(json.dumps(asdict(self), indent=2) + "\n")
        fresh.replace(run_dir / FILE_NAME)

    @classmethod
    def read(cls, run_dir: Path) -> Description:
        """Return the description of the local cloud of a run folder; FileNotFoundError while it starts."""
        return cls(**json.loads((run_dir / FILE_NAME).read_text()))
