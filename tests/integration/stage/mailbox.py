"""What a subscriber of the notification topic gets: an SQS queue behind it."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Message:
    """One notification."""

    subject: str
    text: str
    attributes: dict[str, str] = field(default_factory=dict)


class Mailbox:
    """A subscription of the topic; keeps everything that came."""

    def __init__(self, sns: Any, sqs: Any, topic_arn: str) -> None:
        self._sqs = sqs
        self._url = sqs.create_queue(QueueName="notifications")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
        self._messages: list[Message] = []
        self._lock = threading.Lock()

    def messages(self) -> list[Message]:
        """Return all that came so far, oldest first."""
        with self._lock:
            while received := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
                for item in received:
                    envelope = json.loads(item["Body"])
                    attributes = {name: item["Value"] for name, item in envelope.get("MessageAttributes", {}).items()}
                    self._messages.append(Message(envelope["Subject"], envelope["Message"], attributes))
                    self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=item["ReceiptHandle"])
            return list(self._messages)
