"""Everything a step may use, made once per Lambda environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import boto3
from botocore.config import Config

from utils.aws.clients import BEST_EFFORT_CONFIG, CLIENT_CONFIG, FUNCTION_CONFIG, ApiCalls, ServiceClock
from utils.aws.event_bus import OperationEvents
from utils.aws.executions import Executions, Functions
from utils.aws.kms import KmsGateway
from utils.aws.notifier import Notifier
from utils.aws.offers import Offers
from utils.aws.rds_reader import RdsReader
from utils.aws.rds_writer import RdsWriter
from utils.aws.s3 import S3Gateway
from utils.aws.secrets import SecretsGateway
from utils.aws.target.attached import AttachedReader, AttachedWriter
from utils.aws.target.roles import RoleReader
from utils.operation.approvals import Approvals, DynamoDbApprovals
from utils.operation.audit_log import AuditLog, DynamoDbAuditLog
from utils.operation.state_table import DynamoDbOperationStore
from utils.operation.store import OperationStore
from utils.settings import Settings
from utils.tags import Ownership


class NewSnapshots(Protocol):
    """Takes and deletes a run's own snapshots of its source; no other change is to be had by it."""

    def create_snapshot(self, cluster_id: str, snapshot_id: str, *, tags: Mapping[str, str]) -> None:
        """Start a manual snapshot; one that is there already is no error."""

    def delete_snapshot(self, snapshot_id: str) -> None:
        """Delete it; one that is gone already is no error."""


@dataclass(kw_only=True)
class Services:
    """The gateways of one step; clients are made when first asked for."""

    settings: Settings
    operations: OperationStore
    audit: AuditLog
    approvals: Approvals
    session: boto3.session.Session
    calls: ApiCalls = field(default_factory=ApiCalls)
    clock: ServiceClock = field(default_factory=ServiceClock)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @classmethod
    def from_environment(cls) -> "Services":
        """Read the settings and connect the tables."""
        settings = Settings.from_environment(os.environ)
        session = boto3.session.Session(region_name=settings.target_region)
        tables = session.resource("dynamodb", config=CLIENT_CONFIG)
        services = cls(
            settings=settings,
            operations=DynamoDbOperationStore(tables.Table(settings.state_table_name)),
            audit=DynamoDbAuditLog(tables.Table(settings.audit_table_name)),
            # The name of a table that a function has nothing to do with is empty, which boto3 does not take.
            approvals=DynamoDbApprovals(tables.Table(settings.approvals_table_name or "none")),
            session=session,
        )
        tables.meta.client.meta.events.register("before-call", services.calls.record)
        return services

    def rds(self, region: str | None = None) -> RdsReader:
        """Read RDS in `region`, by default the target Region."""
        return RdsReader(self._client("rds", region or self.settings.target_region), self._ownership)

    @property
    def offers(self) -> Offers:
        """What RDS offers in the target Region."""
        region = self.settings.target_region
        return Offers(self._client("rds", region), self._client("ec2", region))

    @property
    def rds_writer(self) -> RdsWriter:
        """Change RDS; in the target Region only: in the source's a run changes its `new_snapshots` at most."""
        return RdsWriter(self._client("rds", self.settings.target_region), self._ownership)

    def new_snapshots(self, region: str) -> NewSnapshots:
        """Change the one thing that a run may where its source is, and only if the stack allows it."""
        return RdsWriter(self._client("rds", region), self._ownership)

    @property
    def _ownership(self) -> Ownership:
        return Ownership(self.settings.ownership_mark)

    @property
    def attached(self) -> AttachedReader:
        """Read what hangs on a cluster of the target Region."""
        return AttachedReader(*self._attached_clients())

    @property
    def attached_writer(self) -> AttachedWriter:
        """Change what hangs on a cluster of the target Region."""
        return AttachedWriter(*self._attached_clients())

    def _attached_clients(self) -> tuple[Any, Any]:
        region = self.settings.target_region
        return self._client("rds", region), self._client("application-autoscaling", region)

    @property
    def kms(self) -> KmsGateway:
        """KMS in the target Region."""
        return KmsGateway(self._client("kms", self.settings.target_region))

    @property
    def roles(self) -> RoleReader:
        """Read the IAM roles of the account; a step goes on without an answer."""
        return RoleReader(self._client("iam", self.settings.target_region, BEST_EFFORT_CONFIG))

    @property
    def secrets(self) -> SecretsGateway:
        """Secrets Manager in the target Region."""
        return SecretsGateway(self._client("secretsmanager", self.settings.target_region))

    @property
    def s3(self) -> S3Gateway:
        """S3, by its endpoint in the target Region."""
        return S3Gateway(self._client("s3", self.settings.target_region))

    @property
    def functions(self) -> Functions:
        """Other functions of the pipeline."""
        return Functions(self._client("lambda", self.settings.target_region, FUNCTION_CONFIG))

    @property
    def executions(self) -> Executions:
        """The executions of the state machine."""
        return Executions(self._client("stepfunctions", self.settings.target_region))

    @property
    def events(self) -> OperationEvents:
        """The events of our own."""
        return OperationEvents(self._client("events", self.settings.target_region, BEST_EFFORT_CONFIG))

    @property
    def notifier(self) -> Notifier:
        """The notification topic."""
        return Notifier(
            self._client("sns", self.settings.target_region),
            self.settings.sns_topic_arn,
            self.settings.notification_format,
        )

    def _client(self, service: Any, region: str, config: Config = CLIENT_CONFIG) -> Any:
        key = (service, region)
        if key not in self._clients:
            client = self.session.client(service, region_name=region, config=config)
            client.meta.events.register("before-call", self.calls.record)
            client.meta.events.register("after-call.rds", self.clock.record)
            self._clients[key] = client
        return self._clients[key]


@cache
def services() -> Services:
    """Return the services of this Lambda environment."""
    return Services.from_environment()
