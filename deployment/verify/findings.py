"""What a check is, and what it may use."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from deployment.account import Account
from deployment.names import Names
from deployment.stacks import Stack
from utils.request.target import Target


class Outcome(StrEnum):
    """How a check ended; only FAIL makes verify fail."""

    PASS = "PASS"  # noqa: S105 - not a password
    WARN = "WARN"
    FAIL = "FAIL"
    SKIP = "SKIP"


# Outcome, what was found, what to do.
Answer = tuple[Outcome, str, str]


@dataclass
class Inspection:
    """One run of verify: the account, and what earlier checks learned for later ones."""

    account: Account
    environment: str
    prerequisites: Stack | None = None
    pipeline: Stack | None = None
    target_cluster_id: str = ""
    target: Target | None = None
    looks: dict[str, tuple[str, str]] = field(default_factory=dict)
    names: Names = field(default_factory=Names)

    def client(self, service: str) -> Any:
        """Return a boto3 client in the target Region."""
        return self.account.client(service)

    def output(self, key: str) -> str:
        """Return an output of the prerequisites."""
        return self.prerequisites.outputs.get(key, "") if self.prerequisites else ""

    def of_pipeline(self, key: str) -> str:
        """Return an output of the pipeline."""
        return self.pipeline.outputs.get(key, "") if self.pipeline else ""

    def invoke(self, function: str, event: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Invoke a function; returns its answer, and whether it failed."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        body: Any = json.loads(answer["Payload"].read() or b"null")
        return body if isinstance(body, dict) else {"errorMessage": str(body)}, "FunctionError" in answer


@dataclass(frozen=True)
class Check:
    """One row of the table; `needs` names checks without which it says nothing."""

    name: str
    look: Callable[[Inspection], Answer]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """How a check ended."""

    name: str
    outcome: Outcome
    found: str
    action: str = ""


def passed(found: str) -> Answer:
    """Say that the check holds."""
    return Outcome.PASS, found, ""


def remark(found: str, action: str) -> Answer:
    """Say that the check holds, with something that somebody should know."""
    return Outcome.WARN, found, action


def failed(found: str, action: str) -> Answer:
    """Say that the check does not hold."""
    return Outcome.FAIL, found, action


def deploy_again(inspection: Inspection, command: str = "deploy") -> str:
    """Say the command that repairs what a stack should have made."""
    return f"./deploy.sh {command} --env {inspection.environment} --region {inspection.account.region}"
