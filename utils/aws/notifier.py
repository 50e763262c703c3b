"""SNS: the one message at the end of an operation."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from utils.aws.calls import aws_call

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

LONGEST_SUBJECT = 100
# SNS takes 256 KiB, attributes included; in JSON, and JSON within JSON, a character takes up to six bytes.
LONGEST_TEXT_BYTES = 25_000
LONGEST_DETAIL_BYTES = 60_000
LONGEST_CHAT_BYTES = 20_000


class NotificationFormat(StrEnum):
    """Which forms a message has; the stack parameter `NotificationFormat`."""

    TEXT = "text"
    TEXT_AND_CHAT = "text-and-chat"


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A message: for people, for programs (`detail`), and for chat channels.

    `labels` become message attributes that a subscription can filter by; empty ones are left out.
    """

    subject: str
    text: str
    detail: Mapping[str, Any]
    chat: Mapping[str, Any]
    labels: Mapping[str, str]


class Notifier:
    """Publishes to the notification topic."""

    def __init__(self, client: "SNSClient", topic_arn: str, form: str = NotificationFormat.TEXT.value) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._form = NotificationFormat(form)

    def publish(self, notification: Notification) -> str:
        """Publish a message and return its id; with chat, https subscribers get Amazon Q's custom notification."""
        text = _cut(notification.text, LONGEST_TEXT_BYTES)
        given: dict[str, Any] = {"Message": text}
        if self._form is NotificationFormat.TEXT_AND_CHAT:
            chat = json.dumps(notification.chat)
            by_protocol = {"default": text} | ({"https": chat} if len(chat) <= LONGEST_CHAT_BYTES else {})
            given = {"Message": json.dumps(by_protocol, ensure_ascii=False), "MessageStructure": "json"}
        with aws_call("sns:Publish"):
            answer = self._client.publish(
                TopicArn=self._topic_arn,
                Subject=_cut(notification.subject.encode("ascii", "replace").decode(), LONGEST_SUBJECT),
                MessageAttributes=_attributes(notification),
                **given,
            )
        return answer["MessageId"]


def _attributes(notification: Notification) -> "dict[str, MessageAttributeValueTypeDef]":
    detail = json.dumps(notification.detail)
    if len(detail) > LONGEST_DETAIL_BYTES:
        short = {name: value for name, value in notification.detail.items() if not isinstance(value, list | dict)}
        detail = json.dumps(short | {"truncated": True})
    texts = {**notification.labels, "detail": detail}
    return {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}


def _cut(text: str, longest: int) -> str:
    encoded = text.encode()
    if len(encoded) <= longest:
        return text
    end = "\n… (cut; the rest is in the operation's row)" if longest > LONGEST_SUBJECT else ""
    return encoded[: longest - len(end.encode())].decode(errors="ignore") + end
