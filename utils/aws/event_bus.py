"""EventBridge: the account's default event bus."""

from enum import StrEnum
from typing import TYPE_CHECKING

from utils.aws.calls import aws_call
from utils.errors import AwsRequestRejected

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient


SOURCE = "aurora-restore"


class DetailType(StrEnum):
    """The events; each value is the `detail-type` that a rule matches."""

    STARTED = "Aurora Restore Operation Started"
    SUCCEEDED = "Aurora Restore Operation Succeeded"
    FAILED = "Aurora Restore Operation Failed"


class OperationEvents:
    """The account's default event bus, in the target Region."""

    def __init__(self, client: "EventBridgeClient") -> None:
        self._client = client

    def send(self, kind: DetailType, detail: str, execution_arn: str) -> str:
        """Send an event, its detail in JSON, and return its id; raises when the bus does not take it."""
        with aws_call("events:PutEvents"):
            answer = self._client.put_events(
                Entries=[
                    {
                        "Source": SOURCE,
                        "DetailType": kind.value,
                        "Detail": detail,
                        "Resources": [execution_arn] if execution_arn else [],
                    }
                ]
            )
        entry = answer["Entries"][0]
        if answer["FailedEntryCount"]:
            raise AwsRequestRejected(
                f"{entry.get('ErrorCode')} from events:PutEvents",
                expected="the event taken by the default event bus",
                action="look at the bus and its policy; the run is not affected",
            )
        return entry["EventId"]
