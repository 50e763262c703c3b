"""What a run makes beside clusters: roles, functions, state machines, tables, topics, keys, buckets, secrets."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conformance.bench import Bench

_FUNCTION = """
import time


class ClusterNotReady(Exception):
    pass


def handler(event, context):
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "fail" in event:
        raise ClusterNotReady(event["fail"])
    return event
"""


class Made:
    """Makes what a question needs, once, and notes how it is removed."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @cached_property
    def role(self) -> str:
        """ARN of a role for Lambda and Step Functions: it may use this run's functions, machines, objects, no more."""
        name, iam = self._bench.name("role"), self._bench.client("iam")
        services = ["lambda.amazonaws.com", "states.amazonaws.com", "scheduler.amazonaws.com"]
        arn = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=_policy(Action="sts:AssumeRole", Principal={"Service": services}),
            Tags=self._bench.tags,
        )["Role"]["Arn"]
        self._bench.remove_at_the_end(f"role {name}", lambda: iam.delete_role(RoleName=name))
        own = [
            f"arn:*:lambda:*:*:function:{self._bench.prefix}-*",
            f"arn:*:states:*:*:stateMachine:{self._bench.prefix}-*",
            f"arn:*:s3:::{self._bench.prefix}-*/*",
        ]
        iam.put_role_policy(
            RoleName=name,
            PolicyName="use",
            PolicyDocument=_policy(
                Action=["lambda:InvokeFunction", "states:StartExecution", "s3:GetObject"], Resource=own
            ),
        )
        self._bench.remove_at_the_end(
            f"policy of {name}", lambda: iam.delete_role_policy(RoleName=name, PolicyName="use")
        )
        return str(arn)

    @cached_property
    def function(self) -> str:
        """The ARN of a function that answers its event, fails by a class of its own, or sleeps, for 3 seconds."""
        name, functions = self._bench.name("function"), self._bench.client("lambda")
        made = self._bench.until(lambda: self._created(functions, name), "Lambda to know the new role", minutes=2)
        self._bench.remove_at_the_end(f"function {name}", lambda: functions.delete_function(FunctionName=name))
        self._bench.until(
            lambda: functions.get_function_configuration(FunctionName=name)["State"] == "Active", f"{name}", minutes=3
        )
        return str(made["FunctionArn"])

    def machine(self, states: dict[str, Any], **more: Any) -> str:
        """Make a state machine of JSONata that begins with the first of its states; return its ARN."""
        name, machines = self._bench.name("machine"), self._bench.client("stepfunctions")
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **more}
        arn = machines.create_state_machine(
            name=name,
            definition=json.dumps(definition),
            roleArn=self.role,
            tags=[{"key": key, "value": value} for key, value in self._bench.lower_tags.items()],
        )["stateMachineArn"]
        self._bench.remove_at_the_end(
            f"state machine {name}", lambda: machines.delete_state_machine(stateMachineArn=arn)
        )
        return str(arn)

    def run(self, machine: str, event: object = None) -> dict[str, Any]:
        """Run a state machine to its end; return the execution as described."""
        machines = self._bench.client("stepfunctions")
        arn = machines.start_execution(stateMachineArn=machine, input=json.dumps(event or {}))["executionArn"]
        return self.end_of(arn)

    def end_of(self, execution: str) -> dict[str, Any]:
        """Wait for the end of an execution."""

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self._bench.client("stepfunctions").describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        ended: dict[str, Any] = self._bench.until(look, "the execution to end", minutes=5)
        return ended

    @cached_property
    def table(self) -> str:
        """The name of a table with the keys `operation_id` and `timestamp`."""
        name, tables = self._bench.name("table"), self._bench.client("dynamodb")
        keys = ("operation_id", "timestamp")
        tables.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
            ],
            BillingMode="PAY_PER_REQUEST",
            Tags=self._bench.tags,
        )
        self._bench.remove_at_the_end(f"table {name}", lambda: tables.delete_table(TableName=name))
        self._bench.until(
            lambda: tables.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE", f"{name}", minutes=2
        )
        return name

    @cached_property
    def topic(self) -> str:
        """The ARN of a topic that nobody has subscribed to."""
        topics = self._bench.client("sns")
        arn = topics.create_topic(Name=self._bench.name("topic"), Tags=self._bench.tags)["TopicArn"]
        self._bench.remove_at_the_end(f"topic {arn}", lambda: topics.delete_topic(TopicArn=arn))
        return str(arn)

    @cached_property
    def signing_key(self) -> str:
        """The id of an asymmetric key that signs."""
        keys = self._bench.client("kms")
        key = keys.create_key(
            KeySpec="ECC_NIST_P256",
            KeyUsage="SIGN_VERIFY",
            Tags=[{"TagKey": tag, "TagValue": value} for tag, value in self._bench.lower_tags.items()],
        )["KeyMetadata"]["KeyId"]
        self._bench.remove_at_the_end(
            f"key {key} (in 7 days)", lambda: keys.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        )
        return str(key)

    @cached_property
    def bucket(self) -> str:
        """The name of a bucket with versions."""
        name, objects = self._bench.name("bucket"), self._bench.client("s3")
        place = {} if self._bench.region == "us-east-1" else {"LocationConstraint": self._bench.region}
        objects.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        self._bench.remove_at_the_end(f"bucket {name}", lambda: objects.delete_bucket(Bucket=name))
        objects.put_bucket_tagging(Bucket=name, Tagging={"TagSet": self._bench.tags})
        objects.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        self._bench.remove_at_the_end(f"objects of {name}", lambda: empty_bucket(objects, name))
        return name

    def secret(self) -> str:
        """Make a secret; return its name."""
        name, secrets = self._bench.name("secret"), self._bench.client("secretsmanager")
        secrets.create_secret(Name=name, SecretString='{"password": "not-a-secret"}', Tags=self._bench.tags)
        self._bench.remove_at_the_end(
            f"secret {name}", lambda: secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        )
        return name

    def _created(self, functions: Any, name: str) -> dict[str, Any] | None:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("module.py", _FUNCTION)
        try:
            made: dict[str, Any] = functions.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Handler="module.handler",
                Role=self.role,
                Code={"ZipFile": package.getvalue()},
                Timeout=3,
                Tags=self._bench.lower_tags,
            )
        except functions.exceptions.InvalidParameterValueException as error:
            if "assume" not in str(error):  # a new role is not known everywhere at once
                raise
            return None
        return made


def empty_bucket(objects: Any, bucket: str) -> None:
    """Delete every version of every object."""
    answer = objects.list_object_versions(Bucket=bucket)
    for item in (*answer.get("Versions", []), *answer.get("DeleteMarkers", [])):
        objects.delete_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])


def _policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
