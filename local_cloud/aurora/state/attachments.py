"""What hangs on a cluster: custom endpoints, event subscriptions, proxies, integrations, blue/green deployments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_cloud.aurora.state.resources import Resource


@dataclass(kw_only=True)
class CustomEndpoint(Resource):
    """A custom endpoint of a cluster; members by identifier, given either as static or as excluded ones."""

    kind: str = "cluster-endpoint"
    resource_id: str
    cluster_resource_id: str
    custom_type: str
    static_members: list[str] = field(default_factory=list)
    excluded_members: list[str] = field(default_factory=list)
    status: str = "creating"


@dataclass(kw_only=True)
class EventSubscription(Resource):
    """An event subscription; without a source type it is for everything."""

    kind: str = "es"
    topic_arn: str
    create_time: datetime
    source_type: str | None = None
    source_ids: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    enabled: bool = True
    status: str = "creating"


@dataclass(kw_only=True)
class Proxy(Resource):
    """A proxy with its default target group, which is given to at most one cluster, by resource id."""

    kind: str = "db-proxy"
    settings: dict[str, Any]
    vpc_id: str
    target_group_arn: str
    create_time: datetime
    status: str = "creating"
    cluster_resource_id: str = ""
    registered_at: datetime | None = None


@dataclass(kw_only=True)
class Integration(Resource):
    """A zero-ETL integration, which a control call puts there."""

    kind: str = "integration"
    source_arn: str
    target_arn: str
    create_time: datetime
    status: str = "active"


@dataclass(kw_only=True)
class BlueGreenDeployment(Resource):
    """A blue/green deployment, which a control call puts there; its identifier is AWS's."""

    kind: str = "deployment"
    name: str
    source_arn: str
    target_arn: str
    create_time: datetime
    status: str = "AVAILABLE"
