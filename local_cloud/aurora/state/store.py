"""What exists, per account and Region."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from local_cloud.aurora import errors
from local_cloud.aurora.hooks import Networks
from local_cloud.aurora.state.attachments import (
    BlueGreenDeployment,
    CustomEndpoint,
    EventSubscription,
    Integration,
    Proxy,
)
from local_cloud.aurora.state.resources import (
    Cluster,
    Event,
    Instance,
    ParameterGroup,
    Resource,
    Snapshot,
    SubnetGroup,
)
from local_cloud.aurora.state.versions import FAMILIES


@dataclass
class RegionState:
    """The resources of one account in one Region, by identifier in lower case."""

    account_id: str
    region: str
    networks: Networks
    clusters: dict[str, Cluster] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    subnet_groups: dict[str, SubnetGroup] = field(default_factory=dict)
    cluster_parameter_groups: dict[str, ParameterGroup] = field(default_factory=dict)
    parameter_groups: dict[str, ParameterGroup] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    custom_endpoints: dict[str, CustomEndpoint] = field(default_factory=dict)
    event_subscriptions: dict[str, EventSubscription] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    integrations: dict[str, Integration] = field(default_factory=dict)
    blue_green_deployments: dict[str, BlueGreenDeployment] = field(default_factory=dict)
    class_zones: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Add what every Region has: the default groups."""
        if subnets := self.networks.default_subnets(self.account_id, self.region):
            self.subnet_groups["default"] = SubnetGroup(
                identifier="default",
                arn=self.arn("subgrp", "default"),
                description="default",
                vpc_id=subnets[0].vpc_id,
                subnets=[(subnet.identifier, subnet.zone) for subnet in subnets],
            )
        for family in FAMILIES.values():
            name = f"default.{family}"
            for kind, groups in (
                ("cluster-pg", self.cluster_parameter_groups),
                ("pg", self.parameter_groups),
            ):
                groups[name] = ParameterGroup(
                    identifier=name,
                    arn=self.arn(kind, name),
                    kind=kind,
                    family=family,
                    description=f"Default {'cluster ' if kind == 'cluster-pg' else ''}parameter group for {family}",
                )

    @property
    def zones(self) -> list[str]:
        """Availability zones."""
        return [f"{self.region}{letter}" for letter in "abc"]

    def zones_of(self, instance_class: str) -> list[str]:
        """Return the zones that offer an instance class: all, unless somebody said otherwise."""
        return self.class_zones.get(instance_class, self.zones)

    def arn(self, kind: str, identifier: str) -> str:
        """Return the ARN of a resource of this account and Region."""
        return f"arn:aws:rds:{self.region}:{self.account_id}:{kind}:{identifier}"

    def cluster(self, identifier: str) -> Cluster:
        """Return a cluster by identifier or ARN; raise DBClusterNotFoundFault."""
        found = self.clusters.get(self._name(identifier, "cluster"))
        if found is None:
            raise errors.cluster_not_found(identifier)
        return found

    def instance(self, identifier: str) -> Instance:
        """Return an instance by identifier or ARN; raise DBInstanceNotFound."""
        found = self.instances.get(self._name(identifier, "db"))
        if found is None:
            raise errors.instance_not_found(identifier)
        return found

    def snapshot(self, identifier: str) -> Snapshot:
        """Return an own cluster snapshot by identifier or ARN; raise DBClusterSnapshotNotFoundFault."""
        found = self.snapshots.get(self._name(identifier, "cluster-snapshot"))
        if found is None:
            raise errors.snapshot_not_found(identifier)
        return found

    def members_of(self, cluster: Cluster) -> list[Instance]:
        """Return a cluster's instances, the writer first."""
        return [self.instances[identifier] for identifier in cluster.members]

    def resources(self) -> Iterator[Resource]:
        """Yield all resources."""
        yield from self.clusters.values()
        yield from self.instances.values()
        yield from self.snapshots.values()
        yield from self.subnet_groups.values()
        yield from self.cluster_parameter_groups.values()
        yield from self.parameter_groups.values()
        yield from self.custom_endpoints.values()
        yield from self.event_subscriptions.values()
        yield from self.proxies.values()
        yield from self.integrations.values()
        yield from self.blue_green_deployments.values()

    def _name(self, identifier: str, kind: str) -> str:
        prefix = self.arn(kind, "")
        return identifier.removeprefix(prefix).lower()


class Store:
    """All accounts and Regions; a Region exists as soon as somebody asks for it."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._states: dict[tuple[str, str], RegionState] = {}

    def state(self, account_id: str, region: str) -> RegionState:
        """Return the state of one account in one Region."""
        key = (account_id, region)
        if key not in self._states:
            self._states[key] = RegionState(account_id, region, self._networks)
        return self._states[key]

    def states(self) -> list[RegionState]:
        """Return all states."""
        return list(self._states.values())

    def find(self, arn: str) -> Resource | None:
        """Return the resource of an ARN, in whichever account and Region it is."""
        parts = arn.split(":", 6)
        if len(parts) != 7 or parts[2] != "rds":
            return None
        state = self._states.get((parts[4], parts[3]))
        if state is None:
            return None
        return next((resource for resource in state.resources() if resource.arn == arn), None)
