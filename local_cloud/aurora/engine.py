"""What all operations share, and the call they answer."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local_cloud.aurora.clock import ScaledClock
from local_cloud.aurora.errors import AccessDeniedError, key_not_accessible
from local_cloud.aurora.faults import Fault, Faults
from local_cloud.aurora.hooks import Caller, Hooks, KmsKey, ResourceRequest
from local_cloud.aurora.journal import Journal
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.settings import AuroraSettings
from local_cloud.aurora.sql_journal import SqlJournal
from local_cloud.aurora.state.resources import Cluster, Event, Instance, Snapshot
from local_cloud.aurora.state.store import RegionState, Store
from local_cloud.aurora.timeline import Action, Task, Timeline

logger = logging.getLogger(__name__)
KEPT_EVENTS = 1000
_EVENT_SOURCES = {"cluster": "db-cluster", "db": "db-instance", "cluster-snapshot": "db-cluster-snapshot"}


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The parts of a running local Aurora."""

    settings: AuroraSettings
    hooks: Hooks
    clock: ScaledClock
    timeline: Timeline
    farm: PostgresFarm
    journal: Journal
    store: Store
    faults: Faults = field(default_factory=Faults)
    sql_journal: SqlJournal = field(default_factory=SqlJournal)


@dataclass(kw_only=True)
class Call:
    """One API call on its way through the operations."""

    engine: Engine
    caller: Caller
    region: str
    operation: str
    params: dict[str, Any]
    fault: Fault | None = None

    @property
    def state(self) -> RegionState:
        """What the caller's account has in this Region."""
        return self.engine.store.state(self.caller.account_id, self.region)

    @property
    def now(self) -> datetime:
        """The simulated time."""
        return self.engine.clock.now()

    @property
    def settings(self) -> AuroraSettings:
        """The settings of this local Aurora."""
        return self.engine.settings

    def begin(
        self,
        resource: Cluster | Instance | Snapshot,
        seconds: float,
        finish: Action,
        *,
        work: Action | None = None,
        closing: Action | None = None,
        start: datetime | None = None,
        on_failure: Action | None = None,
    ) -> Task:
        """Start what takes `seconds` of simulated time; a fault of this call may freeze it or change its end."""
        begin = start or self.now
        fault, self.fault = self.fault, None  # it hits the first thing that this call starts

        def fail(status: str) -> Callable[..., None]:
            def end(*_: object) -> None:
                resource.status = status
                if on_failure:
                    on_failure()

            return end

        if fault and fault.kind == "end-in":
            finish, closing = fail(fault.status), None
        task = Task(
            subject=resource.arn,
            start=begin,
            due=begin + timedelta(seconds=seconds),
            finish=finish,
            failed=fail("failed"),
            closing=closing,
            frozen_at=begin if fault and fault.kind == "freeze" else None,
        )
        resource.task = task
        return self.engine.timeline.add(task, work)

    def later(self, resource: Cluster | Instance, seconds: float, finish: Action, *, freezable: bool = False) -> None:
        """Let something happen after `seconds` of simulated time, whatever the resource's status.

        freezable: it is what a fault of this call may freeze.
        """
        now = self.now
        freezes = freezable and self.fault is not None and self.fault.kind == "freeze"
        self.engine.timeline.add(
            Task(
                subject=f"{resource.arn}#later",
                start=now,
                due=now + timedelta(seconds=seconds),
                finish=finish,
                failed=lambda error: logger.error("%s: %s", resource.arn, error),
                frozen_at=now if freezes else None,
            )
        )

    def event(self, resource: Cluster | Instance | Snapshot, message: str, category: str) -> None:
        """Record an RDS event."""
        self.state.events.append(
            Event(
                source_type=_EVENT_SOURCES[resource.kind],
                source_identifier=resource.identifier,
                source_arn=resource.arn,
                message=message,
                categories=(category,),
                date=self.now,
            )
        )
        del self.state.events[:-KEPT_EVENTS]

    def key(self, key_id: str) -> KmsKey:
        """Return a usable KMS key that the caller may let RDS use; raise KMSKeyNotAccessibleFault."""
        key = self.engine.hooks.keys.find_key(self.caller.account_id, self.region, key_id)
        if key is None or not (key.enabled and key.symmetric):
            raise key_not_accessible(key_id)
        if not key.aws_managed:
            self._ask_for_key(key, "rds", "kms:DescribeKey", "kms:CreateGrant")
        return key

    def key_of_a_secret(self, key_id: str) -> KmsKey:
        """Return a usable KMS key for a secret that RDS creates in the caller's name."""
        key = self.key(key_id)
        if not key.aws_managed:
            self._ask_for_key(key, "secretsmanager", "kms:GenerateDataKey", "kms:Decrypt")
        return key

    def authorize(self, action: str, resources: Sequence[ResourceRequest]) -> None:
        """Raise AccessDeniedError unless the caller may."""
        self.engine.hooks.authorizer.authorize(self.caller, action, resources)

    def pass_role(self, arn: str, service: str) -> None:
        """Raise AccessDeniedError unless the caller may pass this role to a service."""
        context = {"iam:PassedToService": [service], "aws:RequestedRegion": [self.region]}
        self.authorize("iam:PassRole", [ResourceRequest(arn=arn, context=context)])

    def role_trusts(self, arn: str, service: str) -> bool:
        """Tell whether a role exists that a service may take on."""
        return service in (self.engine.hooks.roles.trusted_services(arn) or ())

    def _ask_for_key(self, key: KmsKey, service: str, *actions: str) -> None:
        request = ResourceRequest(
            arn=key.arn,
            context={
                "kms:ViaService": [f"{service}.{self.region}.amazonaws.com"],
                "kms:GrantIsForAWSResource": ["true"],
                "aws:RequestedRegion": [self.region],
            },
        )
        try:
            for action in actions:
                self.authorize(action, [request])
        except AccessDeniedError:
            raise key_not_accessible(key.arn) from None


def new_resource_id(prefix: str) -> str:
    """Return an immutable resource id such as cluster-ABCDEFGH."""
    return f"{prefix}-{uuid.uuid4().hex[:26].upper()}"


def as_service(engine: Engine, cluster: Cluster) -> Call:
    """Return a call of RDS's own in the account and Region of a cluster."""
    caller = Caller(account_id=cluster.account_id, arn="rds.amazonaws.com")
    return Call(engine=engine, caller=caller, region=cluster.region, operation="", params={})
