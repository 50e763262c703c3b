"""A change of a cluster or an instance that goes through statuses, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from local_cloud.aurora.engine import Call
from local_cloud.aurora.state.resources import Cluster, Instance
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


def run_stages(call: Call, resource: Cluster | Instance, stages: list[Stage]) -> None:
    """Start the stages shortly after the call; the resource ends available."""
    resource.changing = True
    call.begin(resource, LAG_SECONDS, lambda: _next(call, resource, stages))


def _next(call: Call, resource: Cluster | Instance, stages: list[Stage]) -> None:
    if resource.status == "deleting":
        return
    if not stages:
        resource.status = "available"
        resource.changing = False
        return
    stage, *rest = stages

    def finish() -> None:
        stage.apply()
        _next(call, resource, rest)

    resource.status = stage.status
    call.begin(resource, stage.seconds, finish, closing=stage.closing)
