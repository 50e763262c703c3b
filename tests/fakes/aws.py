"""Everything a step may use, in memory: `Services` over fake clients, and the verbs that the stories are told with."""

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import boto3
from botocore.exceptions import ConnectTimeoutError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from tests.fakes.attached import FakeScaling
from tests.fakes.journal import Journaled, judge
from tests.fakes.rds import FakeRds, FakeRdsWorld
from tests.fakes.rds_items import Item, aws_error
from tests.fakes.rds_region import FakeClock
from tests.fakes.stores import InMemoryApprovals, InMemoryAuditLog, InMemoryOperationStore
from utils.aws.clients import ServiceClock
from utils.errors import PermanentError
from utils.operation.model import Operation, StepName
from utils.operation.store import get_operation
from utils.runtime.contract import StartEvent, StepResult
from utils.runtime.services import Services
from utils.runtime.step import act_on
from utils.settings import Settings
from utils.steps.snapshot_check import snapshot_check
from utils.tags import REPLACEABLE

REPLACEABLE_TAG = {REPLACEABLE: "true"}
OPERATION = "nightly-1"
EXECUTION_ARN = "arn:aws:states:us-west-2:123456789012:execution:aurora-restore-pipeline:nightly-1"
KEY_ARN = "arn:aws:kms:us-west-2:123456789012:key/mine"
EVIDENCE_KEY_ARN = "arn:aws:kms:us-west-2:123456789012:key/evidence"

ENVIRONMENT = {
    "ENVIRONMENT": "dev",
    "STATE_TABLE_NAME": "aurora-restore-state",
    "AUDIT_TABLE_NAME": "aurora-restore-audit",
    "SNS_TOPIC_ARN": "arn:aws:sns:us-west-2:123456789012:aurora-restore-notifications",
    "SOURCE_REGION": "us-east-1",
    "TARGET_REGION": "us-west-2",
    "KMS_KEY_ID": "alias/aurora-restore-secrets",
    "MASTER_SECRET_NAME": "aurora-restore/dev/master-credentials",
    "APP_SECRET_NAME": "aurora-restore/dev/app-credentials",
    "SOURCE_CLUSTER_ID": "prod",
    "TARGET_CLUSTER_ID": "staging",
}

Step = Callable[[Operation, Services], StepResult]


def step_name(step: Step) -> StepName:
    """Name a step by its function, as the conventions say."""
    return next(name for name in StepName if name.value.lower().replace(" ", "_") == step.__name__)


class FakeKms:
    """KMS with keys by id or alias; a key is a state."""

    def __init__(self) -> None:
        self.states = {"alias/aurora-restore-secrets": "Enabled", KEY_ARN: "Enabled"}
        self.spec = "SYMMETRIC_DEFAULT"
        self.meta = SimpleNamespace(region_name="us-west-2")
        self.signs_with = ec.generate_private_key(ec.SECP256R1())

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> Item:  # noqa: N803
        assert (KeyId, MessageType, SigningAlgorithm) == (EVIDENCE_KEY_ARN, "DIGEST", "ECDSA_SHA_256")
        return {"KeyId": EVIDENCE_KEY_ARN, "Signature": self.signs_with.sign(Message, ec.ECDSA(Prehashed(SHA256())))}

    def describe_key(self, *, KeyId: str) -> Item:  # noqa: N803 - boto3's name
        if KeyId not in self.states:
            raise aws_error("NotFoundException", f"{KeyId} is not found")
        arn = KeyId if KeyId.startswith("arn:") else KEY_ARN
        key = {"Arn": arn, "KeyState": self.states[KeyId], "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": self.spec}
        return {"KeyMetadata": key}


class FakeIam:
    """IAM with a role of every name but those that are `gone`."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.refuses_with: str | None = None
        self.is_down = False
        self.asked: list[str] = []

    def get_role(self, *, RoleName: str) -> Item:  # noqa: N803 - boto3's name
        self.asked.append(RoleName)
        if self.is_down:
            raise ConnectTimeoutError(endpoint_url="https://iam.amazonaws.com/")
        if self.refuses_with:
            raise aws_error(self.refuses_with)
        if RoleName in self.gone:
            raise aws_error("NoSuchEntity", f"The role with name {RoleName} cannot be found.")
        return {"Role": {"RoleName": RoleName, "Arn": f"arn:aws:iam::123456789012:role/{RoleName}"}}


class FakeFunctions:
    """Lambda with the functions that a step calls: what each answers, and what it was called with."""

    def __init__(self) -> None:
        self.answers: dict[str, Item] = {}
        self.calls: list[tuple[str, Item]] = []
        self.refuses_with: str | None = None
        self.at_first: list[str | Item] = []  # refusals and answers before those

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Item:  # noqa: N803 - boto3's names
        self.calls.append((FunctionName, json.loads(Payload)))
        answer = self.at_first.pop(0) if self.at_first else self.refuses_with or self.answers[FunctionName]
        if isinstance(answer, str):
            raise aws_error(answer)
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


class FakeExecutions:
    """Step Functions with the executions that run."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.ended: set[str] = set()
        self.stopped: list[str] = []

    def stop_execution(self, *, executionArn: str, cause: str) -> Item:  # noqa: N803 - boto3's name
        assert cause
        self.stopped.append(executionArn)
        return {}

    def describe_execution(self, *, executionArn: str) -> Item:  # noqa: N803 - boto3's name
        if executionArn not in self.running | self.ended:
            raise aws_error("ExecutionDoesNotExist")
        return {"status": "RUNNING" if executionArn in self.running else "ABORTED"}


class FakeTopic:
    """SNS with the messages that were published."""

    def __init__(self) -> None:
        self.messages: list[Item] = []
        self.refuses_with: str | None = None

    def publish(self, **params: Any) -> Item:
        if self.refuses_with:
            raise aws_error(self.refuses_with)
        self.messages.append(params)
        return {"MessageId": str(len(self.messages))}


class FakeBus:
    """EventBridge with the events that were sent."""

    def __init__(self) -> None:
        self.events: list[Item] = []
        self.refuses_with: str | None = None
        self.rejects_with: str | None = None

    def put_events(self, *, Entries: list[Item]) -> Item:  # noqa: N803 - boto3's name
        if self.refuses_with:
            raise aws_error(self.refuses_with)
        if self.rejects_with:
            return {"FailedEntryCount": len(Entries), "Entries": [{"ErrorCode": self.rejects_with} for _ in Entries]}
        self.events += [{**entry, "Detail": json.loads(entry["Detail"])} for entry in Entries]
        return {"FailedEntryCount": 0, "Entries": [{"EventId": str(len(self.events))} for _ in Entries]}


class FakeSecrets:
    """Secrets Manager with values by name."""

    def __init__(self) -> None:
        users = {
            "application_user": {"username": "app", "password": "app-password-1"},
            "readonly_user": {"username": "reader", "password": "reader-password-1"},
            "devops_user": {"username": "devops", "password": "devops-password-1"},
        }
        self.values = {
            ENVIRONMENT["MASTER_SECRET_NAME"]: json.dumps({"username": "master", "password": "master-password-1"}),
            ENVIRONMENT["APP_SECRET_NAME"]: json.dumps(users),
        }

    def get_secret_value(self, *, SecretId: str) -> Item:  # noqa: N803 - boto3's name
        if SecretId not in self.values:
            raise aws_error("ResourceNotFoundException")
        return {"SecretString": self.values[SecretId]}


_SECURITY_GROUPS = ("sg-1", "sg-2", "sg-7", "sg-8", "sg-default", "sg-0fedcba9876543210")


class FakeEc2:
    """EC2 with security groups and the free addresses of every subnet."""

    def __init__(self) -> None:
        self.groups = dict.fromkeys(_SECURITY_GROUPS, "vpc-1")
        self.free = 100
        self.gateways = ["igw-1"]
        self.dns = {"EnableDnsSupport": True, "EnableDnsHostnames": True}

    def get_paginator(self, operation: str) -> SimpleNamespace:
        return SimpleNamespace(paginate=lambda Filters: [getattr(self, operation)(Filters[0]["Values"])])  # noqa: N803

    def describe_security_groups(self, wanted: list[str]) -> Item:
        found = [{"GroupId": name, "VpcId": vpc} for name, vpc in self.groups.items() if name in wanted]
        return {"SecurityGroups": found}

    def describe_internet_gateways(self, *, Filters: list[Item]) -> Item:  # noqa: N803 - boto3's name
        assert Filters == [{"Name": "attachment.vpc-id", "Values": ["vpc-1"]}]
        return {"InternetGateways": [{"InternetGatewayId": name} for name in self.gateways]}

    def describe_vpc_attribute(self, *, VpcId: str, Attribute: str) -> Item:  # noqa: N803 - boto3's names
        name = f"E{Attribute[1:]}"
        return {"VpcId": VpcId, name: {"Value": self.dns[name]}}

    def describe_subnets(self, wanted: list[str]) -> Item:
        return {"Subnets": [{"SubnetId": name, "AvailableIpAddressCount": self.free} for name in wanted]}


class FakeS3:
    """S3 with objects by URI."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Item:  # noqa: N803
        assert ContentType
        self.objects[f"s3://{Bucket}/{Key}"] = Body
        return {}

    def get_object(self, *, Bucket: str, Key: str) -> Item:  # noqa: N803 - boto3's names
        content = self.objects.get(f"s3://{Bucket}/{Key}")
        if content is None:
            raise aws_error("NoSuchKey")
        return {"ContentLength": len(content), "Body": io.BytesIO(content)}


class FakeAws:
    """An account with a pipeline in us-west-2 and production in us-east-1, and one operation to tell a story of."""

    def __init__(self) -> None:
        self.world = FakeRdsWorld()
        self._operation_id = OPERATION
        self.kms, self.executions, self.topic, self.secrets = FakeKms(), FakeExecutions(), FakeTopic(), FakeSecrets()
        self.bus, self.functions, self.iam = FakeBus(), FakeFunctions(), FakeIam()
        self.s3, self.ec2, self.scaling = FakeS3(), FakeEc2(), FakeScaling()
        self.operations, self.audit, self.approvals = InMemoryOperationStore(), InMemoryAuditLog(), InMemoryApprovals()
        self.services = self.services_with()

    def services_with(self, **environment: str) -> Services:
        """Return the services under other environment variables."""
        clients = {
            ("rds", "us-east-1"): Journaled(self.east),
            ("rds", "us-west-2"): Journaled(self.west),
            ("application-autoscaling", "us-west-2"): self.scaling,
            ("kms", "us-west-2"): self.kms,
            ("sns", "us-west-2"): self.topic,
            ("iam", "us-west-2"): self.iam,
            ("events", "us-west-2"): self.bus,
            ("secretsmanager", "us-west-2"): self.secrets,
            ("stepfunctions", "us-west-2"): self.executions,
            ("s3", "us-west-2"): self.s3,
            ("lambda", "us-west-2"): self.functions,
            ("ec2", "us-west-2"): self.ec2,
        }
        return Services(
            settings=Settings.from_environment(ENVIRONMENT | environment),
            operations=self.operations,
            audit=self.audit,
            approvals=self.approvals,
            session=cast("boto3.session.Session", SimpleNamespace()),
            clock=cast("ServiceClock", self.clock),
            _clients=clients,
        )

    @property
    def east(self) -> FakeRds:
        return self.world.regions["us-east-1"]

    @property
    def west(self) -> FakeRds:
        return self.world.regions["us-west-2"]

    @property
    def clock(self) -> FakeClock:
        return self.world.clock

    @property
    def operation(self) -> Operation:
        """The operation as its row has it now."""
        return get_operation(self.operations, self._operation_id)

    def goes_on_as(self, operation_id: str) -> None:
        """Tell the story of another operation from here on."""
        self._operation_id = operation_id

    def start(self, **request: Any) -> StepResult:
        """Run Snapshot Check with a request."""
        event = StartEvent(operation_id=OPERATION, execution_arn=EXECUTION_ARN, request=request)
        return snapshot_check(event, self.services)

    def run(self, step: Step) -> StepResult:
        """Run a step as the state machine would: on the row as it is. What its failure says must be so."""
        try:
            return act_on(step_name(step), self.operation, self.services, step)
        except PermanentError as error:
            judge(error, self)
            raise

    def has_production(self) -> None:
        """Let there be a source cluster with a snapshot of one hour ago."""
        self.east.has_cluster("prod")
        self.east.has_snapshot("prod-nightly")

    def has_old_target(self, **other: Any) -> Item:
        """Let there be a replaceable target cluster with two instances."""
        return self.west.has_cluster("staging", members=2, tags=REPLACEABLE_TAG, **other)
