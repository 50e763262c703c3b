"""What a run may change where the source is, and only if the stack allows it: snapshots that it takes itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from utils.aws.rds_writer import RdsWriter

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient


class NewSnapshots:
    """Takes and deletes snapshots in the source Region; every method raises the errors of `utils.errors` only."""

    def __init__(self, client: "RDSClient") -> None:
        self._rds = RdsWriter(client)

    def take(self, cluster_id: str, snapshot_id: str, *, tags: Mapping[str, str]) -> None:
        """Start a manual snapshot of the source cluster; one that is there already is no error."""
        self._rds.create_snapshot(cluster_id, snapshot_id, tags=tags)

    def delete(self, snapshot_id: str) -> None:
        """Delete such a snapshot; one that is gone already is no error."""
        self._rds.delete_snapshot(snapshot_id)
