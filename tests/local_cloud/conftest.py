"""A local cloud for the tests of the local cloud itself; nothing is deployed into it."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local_cloud.cloud import LocalCloud
from tooling import environments


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    environments.ensure()
    with LocalCloud.start(speed=1000) as running:
        yield running


@dataclass
class Workbench:
    """Makes roles, functions and state machines with short-lived names."""

    cloud: LocalCloud

    def role(self, *statements: dict[str, Any]) -> str:
        name = f"role-{uuid.uuid4().hex[:8]}"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"], "AWS": "*"},
            "Action": "sts:AssumeRole",
        }
        iam = self.cloud.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=_policy(*statements))
        return str(arn)

    def function(self, code: str, role: str, **settings: Any) -> str:
        """Make a function of one module, `handler(event, context)`; return its ARN."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("module.py", code)
        made = self.cloud.client("lambda").create_function(
            FunctionName=f"function-{uuid.uuid4().hex[:8]}",
            Runtime="python3.13",
            Handler="module.handler",
            Role=role,
            Code={"ZipFile": archive.getvalue()},
            Timeout=10,
            **settings,
        )
        return str(made["FunctionArn"])

    def invoke(self, function: str, event: Any = None) -> Any:
        answer = self.cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event or {}))
        return json.loads(answer["Payload"].read())

    def session(self, role: str) -> dict[str, str]:
        """Return boto3 arguments with the credentials of a session of the role."""
        given = self.cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }


@pytest.fixture
def bench(cloud: LocalCloud) -> Workbench:
    return Workbench(cloud)


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
