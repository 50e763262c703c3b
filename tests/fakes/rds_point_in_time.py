"""The fake RDS restores a cluster itself: as of a moment, or as a clone."""

from datetime import timedelta
from typing import Any

from tests.fakes.rds_items import Item, need
from tests.fakes.rds_region import FakeRegion
from tests.fakes.rds_settings import shown


class FakePointInTime(FakeRegion):
    """What a source cluster in the target Region offers, and the call that takes it up."""

    def has_source(self, identifier: str = "prod", **other: Any) -> Item:
        """Let a cluster be there that was backed up for two days until five minutes ago."""
        now = self._clock.now()
        settings: dict[str, Any] = {
            "KmsKeyId": "arn:aws:kms:us-west-2:123456789012:key/mine",
            "EarliestRestorableTime": now - timedelta(days=2),
            "LatestRestorableTime": now - timedelta(minutes=6),
            "CloneGroupId": f"group-of-{identifier}",
        }
        return self.has_cluster(identifier, **settings | other)

    def restore_db_cluster_to_point_in_time(self, **params: Any) -> Item:
        self._enter("restore_db_cluster_to_point_in_time", params)
        source = self._cluster(params["SourceDBClusterIdentifier"])
        identifier = params["DBClusterIdentifier"]
        need(identifier not in self.clusters, "DBClusterAlreadyExistsFault")
        need(("RestoreToTime" in params) != params.get("UseLatestRestorableTime", False), "InvalidParameterCombination")
        self.clusters[identifier] = self._new_cluster(identifier) | {
            "TagList": params["Tags"],
            "EngineVersion": source["EngineVersion"],
            **shown(params),
        }
        return {"DBCluster": dict(self.clusters[identifier])}

    def _of_clone_group(self, params: Item) -> list[Item]:
        (group,) = params["Filters"][0]["Values"]
        return [item for item in self.clusters.values() if item.get("CloneGroupId") == group]
