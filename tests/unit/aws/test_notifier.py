"""What SNS is sent: a text for people, attributes to filter by, and JSON for programs and chat channels."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from utils.aws.notifier import LONGEST_DETAIL_BYTES, LONGEST_TEXT_BYTES, Notification, NotificationFormat, Notifier

SNS_LIMIT = 256 * 1024


class Topic:
    """Takes what botocore would be given."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def publish(self, **given: Any) -> dict[str, str]:
        self.sent.append(given)
        return {"MessageId": "7"}


def published(form: NotificationFormat = NotificationFormat.TEXT, **other: Any) -> dict[str, Any]:
    topic: Any = Topic()
    given: dict[str, Any] = {
        "subject": "Aurora restore of staging SUCCEEDED",
        "text": "It is done.",
        "detail": {"status": "SUCCEEDED", "seconds": {"copy": 3}},
        "chat": {"version": "1.0", "source": "custom"},
        "labels": {"status": "SUCCEEDED", "operation_id": "nightly-1", "target_cluster_id": ""},
    }
    assert Notifier(topic, "arn:topic", form.value).publish(Notification(**(given | other))) == "7"
    [sent] = topic.sent
    return dict(sent)


def size(sent: dict[str, Any]) -> int:
    attributes = sent["MessageAttributes"].items()
    return len(sent["Message"].encode()) + sum(
        len(name) + len(value["DataType"]) + len(value["StringValue"].encode()) for name, value in attributes
    )


def test_people_get_the_text_and_programs_the_attributes() -> None:
    sent = published()
    assert (sent["TopicArn"], sent["Subject"]) == ("arn:topic", "Aurora restore of staging SUCCEEDED")
    assert sent["Message"] == "It is done."
    assert "MessageStructure" not in sent
    attributes = {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()}
    assert json.loads(attributes.pop("detail")) == {"status": "SUCCEEDED", "seconds": {"copy": 3}}
    assert attributes == {"status": "SUCCEEDED", "operation_id": "nightly-1"}, "SNS takes no empty attribute"
    assert {value["DataType"] for value in sent["MessageAttributes"].values()} == {"String"}


def test_chat_channels_get_their_form_and_everybody_else_the_text() -> None:
    sent = published(NotificationFormat.TEXT_AND_CHAT)
    assert sent["MessageStructure"] == "json"
    forms = json.loads(sent["Message"])
    assert set(forms) == {"default", "https"}
    assert forms["default"] == "It is done."
    assert json.loads(forms["https"]) == {"version": "1.0", "source": "custom"}


def test_a_subject_is_ascii_and_has_at_most_a_hundred_characters() -> None:
    subject = published(subject="ü" + "s" * 300)["Subject"]
    assert subject == "?" + "s" * 99


@pytest.mark.parametrize("letter", ["x", "ü", '"', "\x01"])
@pytest.mark.parametrize("form", list(NotificationFormat))
def test_the_longest_message_fits_into_sns(form: NotificationFormat, letter: str) -> None:
    long = letter * 300_000
    sent = published(form, text=long, detail={"status": "FAILED", "shut_out": [long]}, chat={"content": long})
    assert size(sent) <= SNS_LIMIT


def test_a_text_that_was_cut_says_so() -> None:
    text = published(text="ü" * 300_000)["Message"]
    assert len(text.encode()) <= LONGEST_TEXT_BYTES
    assert text.endswith("… (cut; the rest is in the operation's row)")


def test_a_detail_that_is_too_long_keeps_its_plain_fields_and_says_so() -> None:
    sent = published(detail={"status": "FAILED", "shut_out": ["x" * LONGEST_DETAIL_BYTES]})
    assert json.loads(sent["MessageAttributes"]["detail"]["StringValue"]) == {"status": "FAILED", "truncated": True}


def test_a_chat_form_that_is_too_long_is_left_out() -> None:
    sent = published(NotificationFormat.TEXT_AND_CHAT, chat={"content": "x" * 30_000})
    assert set(json.loads(sent["Message"])) == {"default"}


def test_an_unknown_form_is_no_form() -> None:
    client: Any = SimpleNamespace()
    with pytest.raises(ValueError, match="carrier pigeon"):
        Notifier(client, "arn:topic", "carrier pigeon")
