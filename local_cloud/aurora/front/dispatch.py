"""One API call from its bytes to its answer."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.aurora import operations
from local_cloud.aurora.engine import Call, Engine
from local_cloud.aurora.errors import ApiError, NotSupportedError
from local_cloud.aurora.faults import Fault
from local_cloud.aurora.front.authorization import needed
from local_cloud.aurora.front.scene import scene
from local_cloud.aurora.front.slowness import member_added, not_shown, shown_as
from local_cloud.aurora.hooks import Caller, credential_scope
from local_cloud.aurora.journal import Entry, masked
from local_cloud.aurora.operations.registry import OPERATIONS
from local_cloud.aurora.wire.request import parse_form, parse_parameters
from local_cloud.aurora.wire.response import iso, render_error, render_result

__all__ = ["Answer", "answer", "operations"]
logger = logging.getLogger(__name__)
NOBODY = Caller(account_id="", arn="")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `dropped` means that the connection is closed without one."""

    http_status: int
    body: bytes
    request_id: str
    dropped: bool = False


@dataclass
class _Record:
    """What is known of a call so far, for the journal."""

    caller: Caller = NOBODY
    region: str = ""
    operation: str = ""
    parameters: Mapping[str, Any] | None = None
    before: Mapping[str, Any] | None = None


def answer(engine: Engine, headers: Mapping[str, str], body: bytes) -> Answer:
    """Answer one API call and write it into the journal."""
    request_id = str(uuid.uuid4())
    record = _Record()
    error: ApiError | None = None
    spoiled: Fault | None = None
    document = b""
    try:
        result, spoiled = _perform(engine, headers, body, record)
        document = render_result(record.operation, result, request_id)
    except ApiError as refusal:
        error = refusal
    except Exception as surprise:
        logger.exception("%s failed", record.operation)
        error = ApiError("InternalFailure", f"The local Aurora failed: {type(surprise).__name__}", 500)
    if spoiled and spoiled.kind == "error-after":
        error = _error_of(spoiled)
    dropped = spoiled is not None and spoiled.kind.startswith("drop")
    _write_journal(engine, record, error, dropped=dropped)
    if error:
        return Answer(error.http_status, render_error(error, request_id), request_id, dropped)
    return Answer(200, document, request_id, dropped)


def _write_journal(engine: Engine, record: _Record, error: ApiError | None, *, dropped: bool) -> None:
    outcome = error.code if error else "OK"
    engine.journal.write(
        Entry(
            time=iso(engine.clock.now()),
            caller=record.caller.arn,
            account_id=record.caller.account_id,
            region=record.region,
            operation=record.operation,
            parameters=masked(record.parameters or {}),
            outcome="dropped" if dropped else outcome,
            message=error.message if error else "",
            before=record.before or {},
        )
    )


def _perform(
    engine: Engine, headers: Mapping[str, str], body: bytes, record: _Record
) -> tuple[dict[str, Any], Fault | None]:
    """Return the result, and the fault that spoils the answer."""
    form = parse_form(body)
    record.operation = form.get("Action", "")
    _, record.region = credential_scope(headers)
    record.caller = engine.hooks.authenticator.authenticate(headers, body)
    params = parse_parameters(record.operation, form)
    record.parameters = params
    operation = OPERATIONS.get(record.operation)
    if operation is None:
        raise NotSupportedError(record.operation)
    fault = engine.faults.take(record.operation, str(params.get(operation.identifier, "")))
    if fault and fault.kind == "drop":
        return {}, fault
    if fault and fault.kind == "error":
        raise _error_of(fault)
    if fault and fault.kind == "hide":
        raise not_shown(record.operation, str(params.get(operation.identifier, "")))
    call = Call(
        engine=engine,
        caller=record.caller,
        region=record.region,
        operation=record.operation,
        params=params,
        fault=fault,
    )
    with engine.timeline.lock:
        asked = needed(call)
    for action, resources in asked:
        call.authorize(action, resources)
    operation.refuse_unsupported(params)
    with engine.timeline.lock:
        if fault and fault.kind in ("add-member", "add-tagged-member"):
            member_added(call, fault)
        record.before = scene(call)
        result = operation.handler(call)
    if fault and fault.kind == "show":
        result = shown_as(record.operation, result, fault.status)
    return result, fault if fault and fault.kind.endswith("-after") else None


def _error_of(fault: Fault) -> ApiError:
    return ApiError(fault.code, fault.message, fault.http_status)
