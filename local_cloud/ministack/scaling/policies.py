"""Scaling policies and scheduled actions of a scalable target."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from local_cloud.ministack.scaling.targets import DIMENSION, NAMESPACE, Targets
from local_cloud.ministack.scaling.wire import Json, ScalingError

CONFIGURATIONS = {
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "StepScaling": "StepScalingPolicyConfiguration",
}
METRICS = ("RDSReaderAverageCPUUtilization", "RDSReaderAverageDatabaseConnections")


def put_policy(targets: Targets, params: Json) -> Json:
    """Make a policy or replace the one of that name."""
    target, name = targets.target(params), params["PolicyName"]
    kind = params.get("PolicyType", "StepScaling")
    member = CONFIGURATIONS.get(kind)
    if member is None or not params.get(member):
        raise ScalingError("ValidationException", f"PolicyType {kind} for {NAMESPACE} needs its configuration.")
    others = [policy for other, policy in target.policies.items() if other != name]
    _refuse_metric(params[member], others, member)
    known = target.policies.get(name, {})
    policy = {
        "PolicyARN": known.get("PolicyARN") or _arn(targets, "scalingPolicy", params, f"policyName/{name}"),
        "PolicyName": name,
        **_about(params),
        "PolicyType": kind,
        member: params[member],
        "Alarms": known.get("Alarms") or (_alarms(targets, params) if kind == "TargetTrackingScaling" else []),
        "CreationTime": known.get("CreationTime") or datetime.now(UTC),
    }
    target.policies[name] = policy
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def describe_policies(targets: Targets, params: Json) -> Json:
    """Return the policies, all or those of a resource or of these names."""
    return {"ScalingPolicies": _found(targets, params, "policies", params.get("PolicyNames"))}


def delete_policy(targets: Targets, params: Json) -> Json:
    """Forget a policy; raise ObjectNotFoundException."""
    if targets.target(params).policies.pop(params["PolicyName"], None) is None:
        raise _no("scaling policy", params, params["PolicyName"])
    return {}


def put_scheduled_action(targets: Targets, params: Json) -> Json:
    """Make a scheduled action, or change the one of that name; nothing here runs it."""
    target, name = targets.target(params), params["ScheduledActionName"]
    known = target.scheduled.get(name, {})
    given = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")
    action = known | {member: params[member] for member in given if member in params}
    if "Schedule" not in action:
        raise ScalingError("ValidationException", "Schedule is required for a new scheduled action.")
    target.scheduled[name] = action | {
        "ScheduledActionName": name,
        "ScheduledActionARN": known.get("ScheduledActionARN")
        or _arn(targets, "scheduledAction", params, f"scheduledActionName/{name}"),
        **_about(params),
        "CreationTime": known.get("CreationTime") or datetime.now(UTC),
    }
    return {}


def describe_scheduled_actions(targets: Targets, params: Json) -> Json:
    """Return the scheduled actions, all or those of a resource or of these names."""
    return {"ScheduledActions": _found(targets, params, "scheduled", params.get("ScheduledActionNames"))}


def delete_scheduled_action(targets: Targets, params: Json) -> Json:
    """Forget a scheduled action; raise ObjectNotFoundException."""
    if targets.target(params).scheduled.pop(params["ScheduledActionName"], None) is None:
        raise _no("scheduled action", params, params["ScheduledActionName"])
    return {}


def _found(targets: Targets, params: Json, kind: str, names: list[str] | None) -> list[Json]:
    resource = params.get("ResourceId")
    return [
        item
        for name_of, target in targets.by_resource.items()
        if resource in (None, name_of)
        for name, item in getattr(target, kind).items()
        if not names or name in names
    ]


def _refuse_metric(configuration: Json, others: list[Json], member: str) -> None:
    """Refuse a metric that readers of Aurora do not have, or that another policy follows already."""
    metric = configuration.get("PredefinedMetricSpecification")
    if not metric:
        return
    if metric["PredefinedMetricType"] not in METRICS:
        raise ScalingError(
            "ValidationException", f"Unsupported predefined metric type: {metric['PredefinedMetricType']}"
        )
    if any(other.get(member, {}).get("PredefinedMetricSpecification") == metric for other in others):
        raise ScalingError(
            "ValidationException",
            "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
        )


def _about(params: Json) -> Json:
    return {"ServiceNamespace": NAMESPACE, "ResourceId": params["ResourceId"], "ScalableDimension": DIMENSION}


def _arn(targets: Targets, kind: str, params: Json, name: str) -> str:
    home = f"arn:aws:autoscaling:{targets.region}:{targets.account_id}"
    return f"{home}:{kind}:{uuid.uuid4()}:resource/{NAMESPACE}/{params['ResourceId']}:{name}"


def _alarms(targets: Targets, params: Json) -> list[Json]:
    """Return the two alarms of target tracking by name; CloudWatch here does not have them."""
    names = [f"TargetTracking-{params['ResourceId']}-Alarm{which}-{uuid.uuid4()}" for which in ("High", "Low")]
    home = f"arn:aws:cloudwatch:{targets.region}:{targets.account_id}:alarm"
    return [{"AlarmName": name, "AlarmARN": f"{home}:{name}"} for name in names]


def _no(what: str, params: Json, name: str) -> ScalingError:
    return ScalingError(
        "ObjectNotFoundException",
        f"No {what} found for service namespace: {NAMESPACE}, resource ID: {params['ResourceId']}, scalable dimension: "
        f"{DIMENSION}, name: {name}",
    )
