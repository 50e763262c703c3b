"""What hangs on clusters in the fake Region: endpoints, proxies, subscriptions, scalable targets."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.fakes.rds_items import Item, need


class FakeAttached:
    """The calls of RDS for what hangs on a cluster; a part of the fake client."""

    _enter: Callable[[str, Item], None]

    def __init__(self) -> None:
        self.endpoints: dict[str, Item] = {}
        self.proxies: dict[str, list[str]] = {}
        self.subscriptions: dict[str, list[str]] = {}

    def describe_db_cluster_endpoints(self, **params: Any) -> Item:
        self._enter("describe_db_cluster_endpoints", params)
        cluster = params["DBClusterIdentifier"]
        return {"DBClusterEndpoints": [one for one in self.endpoints.values() if one["DBClusterIdentifier"] == cluster]}

    def describe_db_proxies(self, **params: Any) -> Item:
        self._enter("describe_db_proxies", params)
        return {"DBProxies": [{"DBProxyName": name} for name in self.proxies]}

    def describe_db_proxy_targets(self, **params: Any) -> Item:
        self._enter("describe_db_proxy_targets", params)
        clusters = self.proxies[params["DBProxyName"]]
        return {"Targets": [{"Type": "TRACKED_CLUSTER", "RdsResourceId": name} for name in clusters]}

    def describe_event_subscriptions(self, **params: Any) -> Item:
        self._enter("describe_event_subscriptions", params)
        found = self.subscriptions.items()
        return {"EventSubscriptionsList": [{"CustSubscriptionId": name, "SourceIdsList": ids} for name, ids in found]}

    def create_db_cluster_endpoint(self, **params: Any) -> Item:
        self._enter("create_db_cluster_endpoint", params)
        name = params["DBClusterEndpointIdentifier"]
        need(name not in self.endpoints, "DBClusterEndpointAlreadyExistsFault")
        self.endpoints[name] = params | {"CustomEndpointType": params["EndpointType"], "Status": "available"}
        return self.endpoints[name]

    def register_db_proxy_targets(self, **params: Any) -> Item:
        self._enter("register_db_proxy_targets", params)
        self.proxies[params["DBProxyName"]] += params["DBClusterIdentifiers"]
        return {"DBProxyTargets": []}

    def add_source_identifier_to_subscription(self, **params: Any) -> Item:
        self._enter("add_source_identifier_to_subscription", params)
        self.subscriptions[params["SubscriptionName"]].append(params["SourceIdentifier"])
        return {}

    def forget_cluster(self, name: str, members: list[str]) -> None:
        """Let go with a cluster what AWS lets go with it."""
        self.endpoints = {key: one for key, one in self.endpoints.items() if one["DBClusterIdentifier"] != name}
        for clusters in self.proxies.values():
            clusters[:] = [one for one in clusters if one != name]
        for ids in self.subscriptions.values():
            ids[:] = [one for one in ids if one not in {name, *members}]


class FakeScaling:
    """Application Auto Scaling with its scalable targets by resource."""

    def __init__(self) -> None:
        self.targets: dict[str, Item] = {}
        self.policies: dict[str, list[Item]] = {}
        self.actions: dict[str, list[Item]] = {}

    def describe_scalable_targets(self, *, ResourceIds: list[str], **_: Any) -> Item:  # noqa: N803 - boto3's name
        return {"ScalableTargets": [self.targets[name] for name in ResourceIds if name in self.targets]}

    def describe_scaling_policies(self, *, ResourceId: str, **_: Any) -> Item:  # noqa: N803 - boto3's name
        return {"ScalingPolicies": self.policies.get(ResourceId, [])}

    def describe_scheduled_actions(self, *, ResourceId: str, **_: Any) -> Item:  # noqa: N803 - boto3's name
        return {"ScheduledActions": self.actions.get(ResourceId, [])}

    def register_scalable_target(self, **params: Any) -> Item:
        self.targets[params["ResourceId"]] = params
        return {}

    def put_scaling_policy(self, **params: Any) -> Item:
        _put(self.policies, params, "PolicyName")
        return {}

    def put_scheduled_action(self, **params: Any) -> Item:
        # AWS shows times as such, whatever they were told as.
        times = {name: datetime.fromisoformat(params[name]) for name in ("StartTime", "EndTime") if name in params}
        _put(self.actions, params | times, "ScheduledActionName")
        return {}


def _put(kind: dict[str, list[Item]], params: Item, key: str) -> None:
    others = [one for one in kind.get(params["ResourceId"], []) if one[key] != params[key]]
    kind[params["ResourceId"]] = [*others, params]
