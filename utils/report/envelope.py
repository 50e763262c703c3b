"""The envelope of a message: what it is about, for filters and chat channels."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from utils.aws.notifier import Notification
from utils.operation.model import OperationStatus
from utils.words import with_options

_LONGEST_CHAT_TEXT = 4000
_ICONS = {OperationStatus.SUCCEEDED: ":white_check_mark:", OperationStatus.RUNNING: ":raised_hand:"}


@dataclass(frozen=True, kw_only=True)
class About:
    """What the message is about, as chat channels and subscription filters ask for it."""

    operation_id: str
    status: OperationStatus
    target_cluster_id: str = ""
    snapshot: str | None = None
    console_url: str | None = None


def notification(
    subject: str, lines: Iterable[str], about: About, detail: Mapping[str, Any], next_steps: list[str]
) -> Notification:
    """Put the lines into one; `next_steps` are a chat channel's."""
    target, status, text = about.target_cluster_id, about.status.value, "\n".join(lines)
    return Notification(
        subject=subject,
        text=text,
        detail=detail,
        labels={"operation_id": about.operation_id, "status": status, "target_cluster_id": target},
        # https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
        chat={
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": f"{_ICONS.get(about.status, ':x:')} {subject}",
                "description": f"```{text[:_LONGEST_CHAT_TEXT]}```",
                **({"nextSteps": next_steps} if next_steps else {}),
                "keywords": [word for word in (target, status) if word],
            },
            "metadata": {
                "threadId": about.operation_id,
                "summary": subject,
                "eventType": "Aurora Restore Operation",
                "relatedResources": [item for item in (about.console_url, about.snapshot) if item],
            },
        },
    )


def in_environment(message: Notification, beside: str) -> Notification:
    """Return the message with `--env` in the commands that it names; `beside` has its own name in all names, or is ''.

    restore.sh takes the environment without one if it is not told which.
    """
    if not beside:
        return message
    options = f" --env {beside}"

    def led(document: Mapping[str, Any]) -> Any:
        return json.loads(with_options(json.dumps(document), options))

    return replace(
        message, text=with_options(message.text, options), detail=led(message.detail), chat=led(message.chat)
    )
