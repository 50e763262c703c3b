"""Scalable targets of one account in one Region, with their policies and scheduled actions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local_cloud.ministack.scaling.wire import Json, ScalingError

NAMESPACE = "rds"
DIMENSION = "rds:cluster:ReadReplicaCount"
MOST_READERS = 15
SERVICE_ROLE = (
    "aws-service-role/rds.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_RDSCluster"
)


@dataclass
class Target:
    """A scalable target as it is described, with what hangs on it by name."""

    shown: Json
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    scheduled: dict[str, Json] = field(default_factory=dict)


@dataclass
class Targets:
    """All scalable targets of an account in a Region, by resource id."""

    account_id: str
    region: str
    by_resource: dict[str, Target] = field(default_factory=dict)

    def register(self, params: Json) -> Json:
        """Make a target, or give one new capacities; members that are left out stay as they are."""
        resource = params["ResourceId"]
        found = self.by_resource.get(resource)
        known = found.shown if found else {}
        low, high = (params.get(name, known.get(name)) for name in ("MinCapacity", "MaxCapacity"))
        if low is None or high is None:
            raise ScalingError(
                "ValidationException", "MinCapacity and MaxCapacity are required for a new scalable target."
            )
        if not 0 <= low <= high <= MOST_READERS:
            raise ScalingError(
                "ValidationException",
                f"Capacities {low} to {high}: the maximum cannot be less than the minimum, nor above {MOST_READERS}.",
            )
        suspended = params.get("SuspendedState") or known.get("SuspendedState") or {}
        if found is None:
            found = self.by_resource[resource] = Target(self._new_target(resource))
            found.tags = dict(params.get("Tags", {}))
        elif "Tags" in params:
            raise ScalingError("ValidationException", "Tags are only for a new scalable target; use TagResource.")
        found.shown |= {
            "MinCapacity": low,
            "MaxCapacity": high,
            "SuspendedState": {
                name: suspended.get(name, False)
                for name in ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
            },
        }
        return {"ScalableTargetARN": found.shown["ScalableTargetARN"]}

    def deregister(self, params: Json) -> Json:
        """Forget a target with all that hangs on it."""
        self.target(params)
        del self.by_resource[params["ResourceId"]]
        return {}

    def describe(self, params: Json) -> Json:
        """Return the targets, all or those of the given resources."""
        wanted = params.get("ResourceIds")
        return {
            "ScalableTargets": [
                target.shown for name, target in self.by_resource.items() if not wanted or name in wanted
            ]
        }

    def target(self, params: Json) -> Target:
        """Return the target that a request is about; raise ObjectNotFoundException."""
        found = self.by_resource.get(params["ResourceId"])
        if found is None:
            raise ScalingError(
                "ObjectNotFoundException",
                f"No scalable target registered for service namespace: {NAMESPACE}, resource ID: "
                f"{params['ResourceId']}, scalable dimension: {DIMENSION}",
            )
        return found

    def tagged(self, arn: str) -> Target:
        """Return the target of an ARN; raise ResourceNotFoundException."""
        for target in self.by_resource.values():
            if target.shown["ScalableTargetARN"] == arn:
                return target
        raise ScalingError("ResourceNotFoundException", f"Unable to find the resource with the ARN {arn}")

    def _new_target(self, resource: str) -> Json:
        number = uuid.uuid4().hex
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": resource,
            "ScalableDimension": DIMENSION,
            "RoleARN": f"arn:aws:iam::{self.account_id}:role/{SERVICE_ROLE}",
            "CreationTime": datetime.now(UTC),
            "ScalableTargetARN": (
                f"arn:aws:application-autoscaling:{self.region}:{self.account_id}:scalable-target/{number}"
            ),
        }
