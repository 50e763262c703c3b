"""What a changing call finds: the resources it names and the snapshots that have to do with them, for an observer."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.state.resources import Cluster, Instance, Resource, Snapshot
from local_cloud.aurora.state.store import RegionState

_READING = ("Describe", "List")
Scene = dict[str, Any]


def scene(call: Call) -> Scene:
    """Return the scene of a call, empty for one that only reads; the caller holds the timeline's lock."""
    if call.operation.startswith(_READING):
        return {}
    named = [resource for value in call.params.values() for resource in _named(call, value)]
    clusters = {item.identifier: item for item in named if isinstance(item, Cluster)}
    for item in named:
        if isinstance(item, Instance) and item.cluster_identifier in call.state.clusters:
            clusters[item.cluster_identifier] = call.state.clusters[item.cluster_identifier]
    return {
        "named": [_facts(resource) for resource in named],
        "clusters": [_facts(cluster) for cluster in clusters.values()],
        "snapshots": [_facts(item) for cluster in clusters.values() for item in _snapshots(call.state, cluster)],
    }


def _named(call: Call, value: object) -> list[Resource]:
    if not isinstance(value, str):
        return []
    if value.startswith("arn:"):
        found = call.engine.store.find(value)
        return [found] if found else []
    state, name = call.state, value.lower()
    kinds = (state.clusters, state.instances, state.snapshots)
    return [resources[name] for resources in kinds if name in resources]


def _snapshots(state: RegionState, cluster: Cluster) -> list[Snapshot]:
    """Return the snapshots that were taken of a cluster, or bear its name in a tag."""
    return [
        snapshot
        for snapshot in state.snapshots.values()
        if snapshot.cluster_resource_id == cluster.resource_id or cluster.identifier in snapshot.tags.values()
    ]


def _facts(resource: Resource) -> dict[str, Any]:
    facts = {"arn": resource.arn, "tags": dict(resource.tags)}
    if isinstance(resource, Cluster | Instance | Snapshot):
        facts["status"] = resource.status
    if isinstance(resource, Cluster):
        facts["resource_id"] = resource.resource_id
    if isinstance(resource, Snapshot):
        facts["resource_id"] = resource.cluster_resource_id
    return facts
