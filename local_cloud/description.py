"""What a running local cloud tells about itself: `cloud.json` in its run folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from local_cloud.aws_environment import aws_environment
from local_cloud.credentials import ACCOUNT_ID, root_credentials
from local_cloud.regions import TARGET_REGION

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

    def variables(self, region: str = TARGET_REGION, account_id: str = ACCOUNT_ID) -> dict[str, str]:
        """Return the variables that point aws, sam, boto3 and psql at this cloud (without the rest of os.environ)."""
        return aws_environment(
            Path(self.run_dir), self.endpoint, self.rds_endpoint, Path(self.ca_file), region,
            root_credentials(account_id),
        )  # fmt: skip

    @classmethod
    def read(cls, run_dir: Path) -> Description:
        """Return the description of the local cloud of a run folder; FileNotFoundError while it starts."""
        return cls(**json.loads((run_dir / FILE_NAME).read_text()))
