"""The control surface over HTTP, below /_local_aurora/ on the endpoint (loopback only)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from local_cloud.aurora.engine import Engine
from local_cloud.aurora.faults import Fault
from local_cloud.aurora.front.control import Control
from local_cloud.aurora.wire.response import iso

Body = Mapping[str, Any]
Route = Callable[[Body], Any]


def routes(engine: Engine) -> dict[tuple[str, str], Route]:
    """Return method and path of each control call, and the function of its JSON body."""
    control = Control(engine)

    def set_quotas(body: Body) -> dict[str, int]:
        for name, limit in body.items():
            control.set_quota(name, int(limit))
        return asdict(engine.settings.quotas)

    def move_clock(body: Body) -> dict[str, str]:
        control.skip(float(body["skip"]))
        return clock(body)

    def clock(_: Body) -> dict[str, str]:
        return {"now": iso(engine.clock.now()), "speed": str(engine.clock.speed)}

    return {
        ("GET", "faults"): lambda _: [asdict(fault) for fault in engine.faults.waiting()],
        ("POST", "faults"): lambda body: {"id": control.add_fault(Fault.from_json(body))},
        ("DELETE", "faults"): _silent(lambda body: control.clear_faults(body.get("ids"))),
        ("POST", "release"): lambda body: {"released": control.release(body.get("arn"))},
        ("POST", "status"): _silent(lambda body: control.set_status(body["arn"], body["status"])),
        ("POST", "quotas"): set_quotas,
        ("POST", "class-zones"): _silent(
            lambda body: control.offer_class_in(
                body["account_id"], body["region"], body["instance_class"], body["zones"]
            )
        ),
        ("POST", "automated-snapshot"): lambda body: {"identifier": control.take_automated_snapshot(body["arn"])},
        ("POST", "recovery-point"): lambda body: {"identifier": control.take_recovery_point(body["arn"])},
        ("POST", "autoscaled-reader"): lambda body: {"identifier": control.add_autoscaled_reader(body["arn"])},
        ("POST", "activity-stream"): _silent(
            lambda body: control.start_activity_stream(body["arn"], body["kms_key_arn"], body.get("mode", "async"))
        ),
        ("POST", "integration"): lambda body: {
            "arn": control.integrate(body["arn"], body["target_arn"], body["name"]),
        },
        ("POST", "blue-green-deployment"): lambda body: {
            "identifier": control.deploy_blue_green(body["arn"], body["target_arn"], body["name"]),
        },
        ("POST", "nightly-backups"): _silent(lambda body: control.back_up_nightly(body["arn"])),
        ("POST", "admin-sql"): _silent(lambda body: control.run_as_admin(body["arn"], body["database"], body["sql"])),
        ("GET", "clock"): clock,
        ("POST", "clock"): move_clock,
        ("GET", "journal"): lambda body: [asdict(entry) for entry in control.journal()[int(body.get("since", 0)) :]],
        ("GET", "sql-journal"): lambda body: [asdict(entry) for entry in control.sql_journal(body.get("cluster"))],
    }


def _silent(act: Callable[[Body], None]) -> Route:
    """Return a route that answers with an empty object."""

    def route(body: Body) -> dict[str, str]:
        act(body)
        return {}

    return route
