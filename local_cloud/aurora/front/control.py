"""The control surface: faults, frozen progress, statuses, clock and journal, for tests and curious users."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import fields

import psycopg2

from local_cloud.aurora import backups
from local_cloud.aurora.engine import Engine, as_service
from local_cloud.aurora.errors import invalid_value
from local_cloud.aurora.faults import FUNCTION_KINDS, Fault
from local_cloud.aurora.journal import Entry
from local_cloud.aurora.operations.autoscaled import add_autoscaled_reader
from local_cloud.aurora.settings import Quotas
from local_cloud.aurora.sql_journal import SqlEntry
from local_cloud.aurora.state.attachments import BlueGreenDeployment, Integration
from local_cloud.aurora.state.resources import Cluster, Instance, Snapshot
from local_cloud.aurora.state.versions import INSTANCE_CLASSES


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

    def clear_faults(self, fault_ids: Collection[int] | None = None) -> None:
        """Forget the faults that still wait, or those of them with these ids."""
        self._engine.faults.clear(fault_ids)

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

    def take_recovery_point(self, cluster_arn: str) -> str:
        """Take a snapshot of a cluster as AWS Backup does and return its identifier."""
        with self._engine.timeline.lock:
            return backups.take_recovery_point(self._engine, self._cluster(cluster_arn))

    def back_up_nightly(self, cluster_arn: str) -> None:
        """Take the automated snapshot of a cluster in every backup window from now on."""
        with self._engine.timeline.lock:
            backups.back_up_nightly(self._engine, self._cluster(cluster_arn))

    def has_cluster(self, account_id: str, region: str, identifier: str) -> bool:
        """Tell whether an account has a cluster in a Region."""
        with self._engine.timeline.lock:
            return identifier.lower() in self._engine.store.state(account_id, region).clusters

    def add_autoscaled_reader(self, cluster_arn: str) -> str:
        """Add a reader as Application Auto Scaling does, without the cluster's tags, and return its identifier."""
        with self._engine.timeline.lock:
            cluster = self._cluster(cluster_arn)
            return add_autoscaled_reader(as_service(self._engine, cluster), cluster)

    def start_activity_stream(self, cluster_arn: str, kms_key_arn: str, mode: str = "async") -> None:
        """Show a database activity stream of a cluster, which nothing feeds."""
        with self._engine.timeline.lock:
            cluster = self._cluster(cluster_arn)
            cluster.activity_stream = {
                "ActivityStreamStatus": "started",
                "ActivityStreamMode": mode,
                "ActivityStreamKmsKeyId": kms_key_arn,
                "ActivityStreamKinesisStreamName": f"aws-rds-das-{cluster.resource_id.lower()}",
            }

    def integrate(self, cluster_arn: str, target_arn: str, name: str) -> str:
        """Make a zero-ETL integration of a cluster, which moves nothing, and return its ARN."""
        with self._engine.timeline.lock:
            cluster = self._cluster(cluster_arn)
            state = self._engine.store.state(cluster.account_id, cluster.region)
            made = Integration(
                identifier=name,
                arn=state.arn("integration", str(uuid.uuid4())),
                source_arn=cluster.arn,
                target_arn=target_arn,
                create_time=self._engine.clock.now(),
            )
            state.integrations[name] = made
            return made.arn

    def deploy_blue_green(self, cluster_arn: str, target_arn: str, name: str) -> str:
        """Make a blue/green deployment of a cluster, which replicates nothing, and return its identifier."""
        with self._engine.timeline.lock:
            cluster = self._cluster(cluster_arn)
            state = self._engine.store.state(cluster.account_id, cluster.region)
            identifier = f"bgd-{uuid.uuid4().hex[:16]}"
            state.blue_green_deployments[identifier] = BlueGreenDeployment(
                identifier=identifier,
                arn=state.arn("deployment", identifier),
                name=name,
                source_arn=cluster.arn,
                target_arn=target_arn,
                create_time=self._engine.clock.now(),
            )
            return identifier

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

    def offer_class_in(self, account_id: str, region: str, instance_class: str, zones: list[str]) -> None:
        """Offer an instance class in these zones only; in none, it cannot be ordered."""
        if instance_class not in INSTANCE_CLASSES:
            raise invalid_value(f"instance_class: found {instance_class}, expected a class of Aurora PostgreSQL")
        with self._engine.timeline.lock:
            state = self._engine.store.state(account_id, region)
            if unknown := sorted(set(zones) - set(state.zones)):
                raise invalid_value(f"zones: found {', '.join(unknown)}, expected any of {', '.join(state.zones)}")
            state.class_zones[instance_class] = zones

    def journal(self, operation: str | None = None) -> list[Entry]:
        """Return the API calls so far."""
        return self._engine.journal.entries(operation)

    def sql_journal(self, cluster: str | None = None) -> list[SqlEntry]:
        """Return the database round trips so far."""
        return self._engine.sql_journal.entries(cluster)
