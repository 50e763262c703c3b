"""The messages that the local topics passed on, as people get them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from local_cloud.screen.layout import fields, width, wrapped
from local_cloud.screen.palette import Palette

FILE = "messages.jsonl"  # local_cloud.ministack.journals.sns writes it
Message = Mapping[str, Any]


def messages_in(run_dir: Path, operation_id: str | None = None) -> list[Message]:
    """Return the messages so far, oldest first; those of one operation if it is named."""
    file = run_dir / FILE
    if not file.exists():
        return []
    known: list[Message] = [json.loads(line) for line in file.read_text().splitlines()]
    return [item for item in known if operation_id in (None, item["attributes"].get("operation_id"))]


def text_of(messages: Iterable[Message], palette: Palette) -> str:
    """Write messages one below the other, each with its time, topic and subject."""
    return "\n\n".join(_one(message, palette) for message in messages)


def _one(message: Message, palette: Palette) -> str:
    moment = str(message["time"])[:19].replace("T", " ")
    topic = str(message["topic"]).rpartition(":")[2]
    subject = str(message["subject"] or "(no subject)")
    mark = palette.bad if _is_bad(subject) else palette.good if "SUCCEEDED" in subject else palette.heading
    text = _readable(str(message["message"].get("email", message["message"]["default"])))
    rule = palette.quiet("─" * width())
    head = palette.quiet(wrapped(f"{moment} UTC, topic {topic}"))
    return f"{rule}\n{head}\n{wrapped(mark(subject))}\n\n{wrapped(text)}"


def _readable(text: str) -> str:
    """Return a message that is JSON, as an alarm's is, as its names and values."""
    try:
        document = json.loads(text)
    except ValueError:
        return text.rstrip()
    if not isinstance(document, dict):
        return text.rstrip()
    return fields([(name, _value(value)) for name, value in document.items() if value not in (None, "", [], {})])


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_bad(subject: str) -> bool:
    return any(word in subject for word in ("FAILED", "ALARM"))
