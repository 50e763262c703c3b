"""Which entries of the roles' policies calls depended on: without such an entry, the call would have been refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_cloud.ministack import ministack_modules

FILE = "iam-journal.jsonl"


def install(run_dir: Path) -> None:
    """Write a line for each entry (role, Sid, action) at the first call that only it allows."""
    evaluator = ministack_modules.core("iam_evaluator")
    original: Callable[..., Any] = evaluator.evaluate
    known: set[tuple[str, str, str]] = set()
    lock = threading.Lock()

    def evaluate(context: Any, policies: list[list[Any]], *limits: Any) -> Any:
        result = original(context, policies, *limits)
        if result.decision == "Allow" and context.principal_type == "AssumedRole":
            role = evaluator._role_name_from_assumed_arn(context.principal_arn)
            allowing = _allowing(evaluator, context, policies)
            with lock:
                if len(allowing) == 1 and (entry := (role, *allowing[0])) not in known:
                    known.add(entry)
                    with (run_dir / FILE).open("a") as journal:
                        journal.write(json.dumps(entry) + "\n")
        return result

    evaluator.evaluate = evaluate


def _allowing(evaluator: Any, context: Any, policies: list[list[Any]]) -> list[tuple[str, str]]:
    return [
        (statement.sid, action)
        for statement in (statement for policy in policies for statement in policy)
        if statement.effect == "Allow"
        and evaluator._resource_matches(context.resource_arn, statement.resources, statement.not_resources)
        and evaluator._conditions_met(statement.conditions, context)
        for action in statement.actions
        if evaluator.fnmatch_iam(context.action, action)
    ]
