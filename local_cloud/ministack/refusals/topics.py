"""Topics: a message is not empty, and its subject has a form; its size, 256 KiB, ministack judges itself.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules

LONGEST_SUBJECT = 100


def install() -> None:
    """Refuse an empty message, and a subject that is too long or no line of printable ASCII."""
    topics = ministack_modules.service("sns")
    publish: Callable[[dict[str, Any]], Any] = topics._publish

    def publish_if_well_formed(params: dict[str, Any]) -> Any:
        subject = topics._p(params, "Subject")
        if len(subject) > LONGEST_SUBJECT or not (subject.isascii() and subject.isprintable()):
            return topics._error("InvalidParameter", "Invalid parameter: Subject", 400)
        if not topics._p(params, "Message"):
            return topics._error("InvalidParameter", "Invalid parameter: Empty message", 400)
        return publish(params)

    topics._publish = publish_if_well_formed
