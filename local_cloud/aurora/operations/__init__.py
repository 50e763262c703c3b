"""The operations, by family; importing this package registers them."""

from local_cloud.aurora.operations import (
    catalogue,
    cluster_create,
    cluster_delete,
    cluster_modify,
    cluster_power,
    clusters,
    copies,
    groups,
    instance_create,
    instances,
    restore,
    sharing,
    snapshots,
    tags,
)

__all__ = [
    "catalogue",
    "cluster_create",
    "cluster_delete",
    "cluster_modify",
    "cluster_power",
    "clusters",
    "copies",
    "groups",
    "instance_create",
    "instances",
    "restore",
    "sharing",
    "snapshots",
    "tags",
]
