"""The control surface: faults, frozen progress, statuses, clock and journal, for tests and curious users.

Over HTTP it is below /_local_aurora/ on the endpoint (loopback only): GET faults, POST faults, DELETE faults,
POST release, POST status, POST quotas, POST automated-snapshot, POST nightly-backups, GET clock, POST clock,
GET journal, GET sql-journal, POST admin-sql.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any

import psycopg2

from local_cloud.aurora import backups
from local_cloud.aurora.engine import Engine
from local_cloud.aurora.errors import invalid_value
from local_cloud.aurora.faults import FUNCTION_KINDS, Fault
from local_cloud.aurora.journal import Entry
from local_cloud.aurora.settings import Quotas
from local_cloud.aurora.sql_journal import SqlEntry
from local_cloud.aurora.state.resources import Cluster, Instance, Snapshot
from local_cloud.aurora.wire.response import iso


class Control:
    """What an observer can see and do beside the RDS API."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_fault(self, fault: Fault) -> int:
        """Let a fault wait for its call and return its id."""
        if fault.kind in FUNCTION_KINDS and self._engine.hooks.functions is None:
            raise invalid_value(
                f"kind: found {fault.kind}, expected a local cloud with a hop, which knows the functions"
            )
        return self._engine.faults.add(fault)

    def clear_faults(self) -> None:
        """Forget the faults that still wait."""
        self._engine.faults.clear()

    def release(self, arn: str | None = None) -> int:
        """Let what is frozen (one resource, or all) go on; return how many there were."""
        return self._engine.timeline.release(arn)

    def set_status(self, arn: str, status: str) -> None:
        """Give a cluster, instance or snapshot a status, as if that had happened to it."""
        with self._engine.timeline.lock:
            resource = self._engine.store.find(arn)
            if not isinstance(resource, Cluster | Instance | Snapshot):
                raise invalid_value(f"arn: found {arn}, expected the ARN of a cluster, instance or snapshot")
            resource.status = status

    def take_automated_snapshot(self, cluster_arn: str) -> str:
        """Take the automated snapshot of a cluster now and return its identifier."""
        with self._engine.timeline.lock:
            return backups.take_automated_snapshot(self._engine, self._cluster(cluster_arn))

    def back_up_nightly(self, cluster_arn: str) -> None:
        """Take the automated snapshot of a cluster in every backup window from now on."""
        with self._engine.timeline.lock:
            backups.back_up_nightly(self._engine, self._cluster(cluster_arn))

    def run_as_admin(self, cluster_arn: str, database: str, sql: str) -> None:
        """Run SQL in a cluster as rdsadmin: what AWS's own agents do there, or what only a superuser can plant."""
        with self._engine.timeline.lock:
            cluster = self._engine.store.find(cluster_arn)
        if not isinstance(cluster, Cluster) or not cluster.server.running:
            raise invalid_value(f"arn: found {cluster_arn}, expected the ARN of a cluster with an available instance")
        try:
            cluster.server.run_as_admin(database, sql)
        except psycopg2.Error as error:
            raise invalid_value(f"sql: found {error.pgcode or 'no answer'} from PostgreSQL: {error}") from None

    def _cluster(self, arn: str) -> Cluster:
        cluster = self._engine.store.find(arn)
        if not isinstance(cluster, Cluster):
            raise invalid_value(f"arn: found {arn}, expected the ARN of a cluster")
        return cluster

    def skip(self, seconds: float) -> None:
        """Move the simulated clock forward."""
        self._engine.clock.skip(seconds)
        self._engine.timeline.wake()

    def set_quota(self, name: str, limit: int) -> None:
        """Change a limit, as AWS does on request."""
        known = {item.name for item in fields(Quotas)}
        if name not in known or limit < 0:
            raise invalid_value(f"found {name}={limit}, expected one of {', '.join(sorted(known))} and a number from 0")
        setattr(self._engine.settings.quotas, name, limit)

    def journal(self, operation: str | None = None) -> list[Entry]:
        """Return the API calls so far."""
        return self._engine.journal.entries(operation)

    def sql_journal(self, cluster: str | None = None) -> list[SqlEntry]:
        """Return the database round trips so far."""
        return self._engine.sql_journal.entries(cluster)

    def routes(self) -> dict[tuple[str, str], Callable[[Mapping[str, Any]], Any]]:
        """Return the HTTP form: (method, path) to a function of the JSON body."""

        def add_fault(body: Mapping[str, Any]) -> dict[str, int]:
            return {"id": self.add_fault(Fault.from_json(body))}

        def clear_faults(_: Mapping[str, Any]) -> dict[str, str]:
            self.clear_faults()
            return {}

        def set_status(body: Mapping[str, Any]) -> dict[str, str]:
            self.set_status(body["arn"], body["status"])
            return {}

        def run_as_admin(body: Mapping[str, Any]) -> dict[str, str]:
            self.run_as_admin(body["arn"], body["database"], body["sql"])
            return {}

        def back_up_nightly(body: Mapping[str, Any]) -> dict[str, str]:
            self.back_up_nightly(body["arn"])
            return {}

        def set_quotas(body: Mapping[str, Any]) -> dict[str, int]:
            for name, limit in body.items():
                self.set_quota(name, int(limit))
            return asdict(self._engine.settings.quotas)

        def move_clock(body: Mapping[str, Any]) -> dict[str, str]:
            self.skip(float(body["skip"]))
            return clock(body)

        def clock(_: Mapping[str, Any]) -> dict[str, str]:
            return {"now": iso(self._engine.clock.now()), "speed": str(self._engine.clock.speed)}

        return {
            ("GET", "faults"): lambda _: [asdict(fault) for fault in self._engine.faults.waiting()],
            ("POST", "faults"): add_fault,
            ("DELETE", "faults"): clear_faults,
            ("POST", "release"): lambda body: {"released": self.release(body.get("arn"))},
            ("POST", "status"): set_status,
            ("POST", "quotas"): set_quotas,
            ("POST", "automated-snapshot"): lambda body: {"identifier": self.take_automated_snapshot(body["arn"])},
            ("POST", "nightly-backups"): back_up_nightly,
            ("POST", "admin-sql"): run_as_admin,
            ("GET", "clock"): clock,
            ("POST", "clock"): move_clock,
            ("GET", "journal"): lambda body: [asdict(entry) for entry in self.journal()[int(body.get("since", 0)) :]],
            ("GET", "sql-journal"): lambda body: [asdict(entry) for entry in self.sql_journal(body.get("cluster"))],
        }
