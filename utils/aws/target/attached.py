"""What hangs on a cluster and goes with it: custom endpoints, proxies, event subscriptions, scaling of readers."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from utils.aws.calls import aws_call
from utils.aws.target.to_api import given
from utils.cluster_settings.values import (
    CustomEndpoint,
    EventSubscription,
    ProxyTarget,
    ReaderScaling,
    ScalingPolicy,
    ScheduledScaling,
)

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient

    # The stubs of Application Auto Scaling are not installed.
    ScalingClient = Any

_SCALING = {"ServiceNamespace": "rds", "ScalableDimension": "rds:cluster:ReadReplicaCount"}
_CONFIGURATION = {
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "StepScaling": "StepScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}
_SUSPENDED = {
    "scale_in": "DynamicScalingInSuspended",
    "scale_out": "DynamicScalingOutSuspended",
    "scheduled": "ScheduledScalingSuspended",
}


class AttachedReader:
    """The describing calls for what hangs on a cluster of one Region."""

    def __init__(self, rds: "RDSClient", scaling: "ScalingClient") -> None:
        self._rds, self._scaling = rds, scaling

    def everything(
        self, cluster_id: str, member_ids: Iterable[str], is_wanted: Callable[[str], bool] = lambda _: True
    ) -> dict[str, Any]:
        """Describe all of it, or what is wanted, by the names of the settings."""
        looks: dict[str, Callable[[], Any]] = {
            "custom_endpoints": lambda: self.custom_endpoints(cluster_id),
            "reader_scaling": lambda: self.reader_scaling(cluster_id),
            "proxies": lambda: self.proxies(cluster_id),
            "event_subscriptions": lambda: self.event_subscriptions({cluster_id, *member_ids}),
        }
        return {setting: look() for setting, look in looks.items() if is_wanted(setting)}

    def custom_endpoints(self, cluster_id: str) -> list[CustomEndpoint]:
        """Describe the endpoints that people made."""
        custom = [{"Name": "db-cluster-endpoint-type", "Values": ["custom"]}]
        with aws_call("rds:DescribeDBClusterEndpoints"):
            pages = self._rds.get_paginator("describe_db_cluster_endpoints").paginate(
                DBClusterIdentifier=cluster_id,
                Filters=custom,  # type: ignore[arg-type] # a list of dictionaries is one of filters
            )
            found = [raw for page in pages for raw in page["DBClusterEndpoints"]]
        return sorted(
            (
                CustomEndpoint(
                    identifier=raw["DBClusterEndpointIdentifier"],
                    kind=raw.get("CustomEndpointType", "ANY"),
                    static_members=sorted(raw.get("StaticMembers", [])),
                    excluded_members=sorted(raw.get("ExcludedMembers", [])),
                )
                for raw in found
                if "DBClusterEndpointIdentifier" in raw and raw.get("Status") != "deleting"
            ),
            key=lambda endpoint: endpoint.identifier,
        )

    def proxies(self, cluster_id: str) -> list[ProxyTarget]:
        """Describe the RDS Proxies that lead to the cluster."""
        return [ProxyTarget(proxy=name) for name in self.proxy_names() if self._leads_to(name, cluster_id)]

    def proxy_names(self) -> list[str]:
        """Name every RDS Proxy of the Region."""
        with aws_call("rds:DescribeDBProxies"):
            pages = self._rds.get_paginator("describe_db_proxies").paginate()
            return sorted(raw["DBProxyName"] for page in pages for raw in page["DBProxies"] if "DBProxyName" in raw)

    def _leads_to(self, proxy: str, cluster_id: str) -> bool:
        with aws_call("rds:DescribeDBProxyTargets"):
            pages = self._rds.get_paginator("describe_db_proxy_targets").paginate(DBProxyName=proxy)
            targets = [raw for page in pages for raw in page["Targets"]]
        return any(raw.get("Type") == "TRACKED_CLUSTER" and raw.get("RdsResourceId") == cluster_id for raw in targets)

    def event_subscriptions(self, ids: set[str]) -> list[EventSubscription]:
        """Describe the subscriptions that name one of these clusters or instances."""
        named = {name: sorted(ids & sources) for name, sources in self.subscribed().items()}
        return [EventSubscription(name=name, source_ids=named[name]) for name in sorted(named) if named[name]]

    def subscribed(self) -> dict[str, set[str]]:
        """Name every event subscription of the Region, with the sources that it names."""
        with aws_call("rds:DescribeEventSubscriptions"):
            pages = self._rds.get_paginator("describe_event_subscriptions").paginate()
            found = [raw for page in pages for raw in page["EventSubscriptionsList"]]
        return {raw.get("CustSubscriptionId", ""): set(raw.get("SourceIdsList", [])) for raw in found}

    def reader_scaling(self, cluster_id: str) -> ReaderScaling | None:
        """Describe what Application Auto Scaling may do with the readers."""
        resource = f"cluster:{cluster_id}"
        with aws_call("application-autoscaling:DescribeScalableTargets"):
            targets = self._scaling.describe_scalable_targets(ResourceIds=[resource], **_SCALING)["ScalableTargets"]
        if not targets:
            return None
        (target,) = targets
        with aws_call("application-autoscaling:DescribeScalingPolicies"):
            policies = self._scaling.describe_scaling_policies(ResourceId=resource, **_SCALING)["ScalingPolicies"]
        with aws_call("application-autoscaling:DescribeScheduledActions"):
            actions = self._scaling.describe_scheduled_actions(ResourceId=resource, **_SCALING)["ScheduledActions"]
        suspended = target.get("SuspendedState", {})
        return ReaderScaling(
            min_readers=target["MinCapacity"],
            max_readers=target["MaxCapacity"],
            suspended=[name for name, member in _SUSPENDED.items() if suspended.get(member)],
            policies=sorted(map(_policy, policies), key=lambda policy: policy.name),
            scheduled=sorted(map(_scheduled, actions), key=lambda action: action.name),
        )


class AttachedWriter:
    """The changing calls for what hangs on a cluster; each is safe to repeat."""

    def __init__(self, rds: "RDSClient", scaling: "ScalingClient") -> None:
        self._rds, self._scaling = rds, scaling

    def create_endpoint(self, cluster_id: str, endpoint: CustomEndpoint) -> None:
        """Create a custom endpoint."""
        members = given(
            StaticMembers=endpoint.static_members or None, ExcludedMembers=endpoint.excluded_members or None
        )
        with aws_call("rds:CreateDBClusterEndpoint"):
            self._rds.create_db_cluster_endpoint(
                DBClusterIdentifier=cluster_id,
                DBClusterEndpointIdentifier=endpoint.identifier,
                EndpointType=endpoint.kind,
                **members,
            )

    def register_proxy(self, cluster_id: str, target: ProxyTarget) -> None:
        """Let a proxy lead to the cluster."""
        with aws_call("rds:RegisterDBProxyTargets"):
            self._rds.register_db_proxy_targets(
                DBProxyName=target.proxy, TargetGroupName=target.target_group, DBClusterIdentifiers=[cluster_id]
            )

    def subscribe(self, subscription: str, source_id: str) -> None:
        """Have an event subscription name a cluster or an instance."""
        with aws_call("rds:AddSourceIdentifierToSubscription"):
            self._rds.add_source_identifier_to_subscription(SubscriptionName=subscription, SourceIdentifier=source_id)

    def scale_readers(self, cluster_id: str, scaling: ReaderScaling) -> None:
        """Register the cluster with Application Auto Scaling, with its policies and scheduled actions."""
        resource: dict[str, Any] = {"ResourceId": f"cluster:{cluster_id}", **_SCALING}
        with aws_call("application-autoscaling:RegisterScalableTarget"):
            self._scaling.register_scalable_target(
                MinCapacity=scaling.min_readers,
                MaxCapacity=scaling.max_readers,
                SuspendedState={member: name in scaling.suspended for name, member in _SUSPENDED.items()},
                **resource,
            )
        for policy in scaling.policies:
            with aws_call("application-autoscaling:PutScalingPolicy"):
                self._scaling.put_scaling_policy(
                    PolicyName=policy.name,
                    PolicyType=policy.kind,
                    **{_CONFIGURATION[policy.kind]: json.loads(policy.configuration)},
                    **resource,
                )
        for action in scaling.scheduled:
            limits = given(MinCapacity=action.min_readers, MaxCapacity=action.max_readers)
            with aws_call("application-autoscaling:PutScheduledAction"):
                self._scaling.put_scheduled_action(
                    ScheduledActionName=action.name,
                    Schedule=action.schedule,
                    ScalableTargetAction=limits,
                    **given(Timezone=action.time_zone, StartTime=action.start_time, EndTime=action.end_time),
                    **resource,
                )


def _policy(raw: Mapping[str, Any]) -> ScalingPolicy:
    configuration = raw.get(_CONFIGURATION.get(raw["PolicyType"], ""), {})
    return ScalingPolicy(
        name=raw["PolicyName"], kind=raw["PolicyType"], configuration=json.dumps(configuration, sort_keys=True)
    )


def _scheduled(raw: Mapping[str, Any]) -> ScheduledScaling:
    limits = raw.get("ScalableTargetAction", {})
    return ScheduledScaling(
        name=raw["ScheduledActionName"],
        schedule=raw["Schedule"],
        time_zone=raw.get("Timezone"),
        start_time=_time(raw.get("StartTime")),
        end_time=_time(raw.get("EndTime")),
        min_readers=limits.get("MinCapacity"),
        max_readers=limits.get("MaxCapacity"),
    )


def _time(raw: datetime | None) -> str | None:
    return raw.astimezone(UTC).isoformat() if raw else None
