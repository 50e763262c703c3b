"""Every message that a topic takes, so that somebody without a subscription can read it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_cloud.ministack import ministack_modules

FILE = "messages.jsonl"


def install(run_dir: Path) -> None:
    """Write a line for each message that a topic passes on."""
    topics = ministack_modules.service("sns")
    pass_on: Callable[..., Any] = topics._fanout
    lock = threading.Lock()

    def journal_and_pass_on(
        arn: str, identifier: str, message: str, subject: str, structure: str = "", attributes: Any = None, **more: Any
    ) -> Any:
        entry = {
            "time": datetime.now(UTC).isoformat(),
            "topic": arn,
            "message_id": identifier,
            "subject": subject,
            "message": json.loads(message) if structure == "json" else {"default": message},
            "attributes": {name: value.get("StringValue") for name, value in (attributes or {}).items()},
        }
        with lock, (run_dir / FILE).open("a") as journal:
            journal.write(json.dumps(entry) + "\n")
        return pass_on(arn, identifier, message, subject, structure, attributes, **more)

    topics._fanout = journal_and_pass_on
