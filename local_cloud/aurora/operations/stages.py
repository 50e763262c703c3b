"""A change of a cluster that goes through statuses, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from local_cloud.aurora.engine import Call
from local_cloud.aurora.state.resources import Cluster
from local_cloud.aurora.timeline import Action

# RDS answers a modify call before the status changes: whoever looks at once still sees `available`
LAG_SECONDS = 3


@dataclass(frozen=True)
class Stage:
    """One status: how long it takes (simulated seconds), what happens at its end, real work before that."""

    status: str
    seconds: float
    apply: Action
    closing: Action | None = None


def run_stages(call: Call, cluster: Cluster, stages: list[Stage]) -> None:
    """Start the stages shortly after the call; the cluster ends available."""
    cluster.changing = True
    call.begin(cluster, LAG_SECONDS, lambda: _next(call, cluster, stages))


def _next(call: Call, cluster: Cluster, stages: list[Stage]) -> None:
    if cluster.status == "deleting":
        return
    if not stages:
        cluster.status = "available"
        cluster.changing = False
        return
    stage, *rest = stages

    def finish() -> None:
        stage.apply()
        _next(call, cluster, rest)

    cluster.status = stage.status
    call.begin(cluster, stage.seconds, finish, closing=stage.closing)
