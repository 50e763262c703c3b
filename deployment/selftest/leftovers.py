"""What a selftest has left behind: its own things by their tag, the drill's by the pipeline's."""

import re
from collections.abc import Iterator
from typing import Any

from deployment.account import Account
from deployment.selftest.setting import PREFIX, TAG
from deployment.throwaway.clusters import Clusters
from deployment.throwaway.removals import Removals
from deployment.throwaway.waiting import until
from utils.operation.retirement import afterwards_id
from utils.tags import OPERATION_ID

_OF_A_SELFTEST = re.compile(r"selftest-[0-9a-f]{8}")


def own_leftovers(account: Account, run: str | None = None) -> list[tuple[str, str]]:
    """Return kind and name of what selftests (or one run) made in a Region and what still stands there."""
    return [(kind, name) for kind, name, tags in _standing(account) if name.startswith(PREFIX) and _is(tags, TAG, run)]


def of_drill(account: Account, operation_id: str) -> list[str]:
    """Name what an operation made in a Region that still stands there."""
    return [f"{kind} {name}" for kind, name, tags in _standing(account) if _is(tags, OPERATION_ID, operation_id)]


def of_drills(account: Account) -> list[str]:
    """Name what drills of selftests left in a Region, which the pipeline removes, and where it says why it did not."""
    return [
        f"{kind} {name}, of a drill, which the pipeline removes: ./restore.sh show {afterwards_id(tags[OPERATION_ID])}"
        for kind, name, tags in _standing(account)
        if _OF_A_SELFTEST.fullmatch(tags.get(OPERATION_ID, ""))
    ]


def note_all(account: Account, removals: Removals) -> None:
    """Note everything that any selftest left in a Region to be removed."""
    clusters = Clusters(account.client("rds"), until)
    for kind, name in own_leftovers(account):
        if kind == "cluster":
            removals.note(f"cluster {name}", lambda name=name: _remove(clusters, name))  # type: ignore[misc]
        elif kind == "snapshot":
            removals.note(f"snapshot {name}", lambda name=name: clusters.remove_snapshot(name))  # type: ignore[misc]


def _remove(clusters: Clusters, name: str) -> None:
    clusters.remove_cluster(name)
    clusters.gone(name)


def _is(tags: dict[str, str], key: str, value: str | None) -> bool:
    return key in tags and value in (None, tags[key])


def _standing(account: Account) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Return kind, name and tags of every cluster, instance and manual snapshot of a Region."""
    rds = account.client("rds")
    kinds: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
        ("cluster", "describe_db_clusters", "DBClusters", "DBClusterIdentifier", {}),
        ("instance", "describe_db_instances", "DBInstances", "DBInstanceIdentifier", {}),
        (
            "snapshot", "describe_db_cluster_snapshots", "DBClusterSnapshots", "DBClusterSnapshotIdentifier",
            {"SnapshotType": "manual"},
        ),
    )  # fmt: skip
    for kind, call, member, name, request in kinds:
        for page in rds.get_paginator(call).paginate(**request):
            for item in page[member]:
                yield kind, str(item[name]), _tags(item)


def _tags(item: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("TagList", [])}
