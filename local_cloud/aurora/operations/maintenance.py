"""Maintenance windows: what was left pending is applied when the next one begins."""

from __future__ import annotations

from collections.abc import Callable

from local_cloud.aurora.engine import Call
from local_cloud.aurora.operations.windows import next_maintenance
from local_cloud.aurora.state.resources import Cluster, Instance

LOOK_AGAIN_SECONDS = 60


def wait_for_window(call: Call, resource: Cluster | Instance, apply: Callable[[], None]) -> None:
    """Apply what is pending in the next maintenance window, unless somebody has it applied before."""
    window = resource.maintenance_window
    seconds = (next_maintenance(window, call.now) - call.now).total_seconds()
    call.later(resource, seconds, lambda: _in_window(call, resource, window, apply))


def _in_window(call: Call, resource: Cluster | Instance, window: str, apply: Callable[[], None]) -> None:
    if call.engine.store.find(resource.arn) is not resource or not resource.pending:
        return
    if resource.maintenance_window != window:
        wait_for_window(call, resource, apply)
    elif resource.status == "available" and not resource.changing:
        apply()
    else:
        call.later(resource, LOOK_AGAIN_SECONDS, lambda: _in_window(call, resource, window, apply))
