"""One Lambda execution environment: loads a handler, then answers events line by line as AWS's runtime would.

Runs with nothing but the standard library and the function's package and layers on its path (python -I -S),
so an import that would fail in Lambda fails here. Mostly a fork of `zygote`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, TextIO

Handler = Callable[[Any, "Context"], Any]
Failure = dict[str, Any]


class Context:
    """What AWS hands to a handler beside the event."""

    def __init__(self, call: dict[str, Any]) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.invoked_function_arn = str(call.get("invoked_function_arn", ""))
        self.aws_request_id = str(call.get("request_id", ""))
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline = time.monotonic() + float(call.get("timeout_ms", 3000)) / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop the function."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


@dataclass
class Function:
    """A loaded handler, or why it could not be loaded."""

    handler: Handler | None
    init_failure: Failure | None = None


def load(module: str, handler: str) -> Function:
    """Import the handler, with the error types that AWS gives to a failed init."""
    try:
        return Function(getattr(importlib.import_module(module), handler))
    except ImportError as error:
        failure = _failure(error, "Runtime.ImportModuleError", f"Unable to import module '{module}': {error}")
    except AttributeError as error:
        failure = _failure(error, "Runtime.HandlerNotFound", f"Handler '{handler}' missing on module '{module}'")
    except Exception as error:  # noqa: BLE001 - whatever a module raises is the function's init error
        failure = _failure(error)
    return Function(None, failure)


def invoke(function: Function, event: Any, call: dict[str, Any]) -> dict[str, Any]:
    """Run the handler once and return the answer for ministack: the result, or AWS's error payload."""
    context = Context(call)
    _set_trace_id(call.get("trace_id"))
    if function.handler is None:
        return _failed(function.init_failure or {}, context)
    try:
        result = function.handler(event, context)
    except Exception as error:  # noqa: BLE001 - a handler's exception is the function's error, whatever it is
        return _failed(_failure(error), context)
    try:
        return {"status": "ok", "result": json.loads(json.dumps(result))}
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return _failed(_failure(error, "Runtime.MarshalError", message), context)


def _failed(failure: Failure, context: Context) -> dict[str, Any]:
    frames = "".join(failure["stackTrace"])
    print(f"[ERROR] {failure['errorType']}: {failure['errorMessage']}\nTraceback (most recent call last):\n{frames}")
    named = {**failure, "requestId": context.aws_request_id}
    order = ("errorMessage", "errorType", "requestId", "stackTrace")
    # "ok" keeps the environment warm, as AWS does after a handler's exception.
    return {"status": "ok", "result": None, "failure": {key: named[key] for key in order}}


def _failure(error: BaseException, error_type: str | None = None, message: str | None = None) -> Failure:
    return {
        "errorMessage": str(error) if message is None else message,
        "errorType": error_type or type(error).__name__,
        "stackTrace": [_in_aws(line) for line in traceback.format_list(_frames(error.__traceback__))],
    }


def _frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    frames = traceback.extract_tb(trace)
    return [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]


def _in_aws(line: str) -> str:
    """Return the line with the paths that it would have in Lambda."""
    for folder in sys.path[1:]:
        if Path(folder).name == "python":
            line = line.replace(folder, "/opt/python")
    return line.replace(os.environ["LAMBDA_TASK_ROOT"], "/var/task")


def _set_trace_id(trace_id: str | None) -> None:
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)


def _answers() -> TextIO:
    """Keep the real standard output for answers; what the function prints goes to the log with its errors."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    return answers


def serve(start: dict[str, Any], once_loaded: Callable[[], None] = lambda: None) -> None:
    """Load the handler, then serve invocations until the input ends."""
    answers = _answers()
    known = set(sys.modules)
    sys.path[:0] = start["path"]
    function = load(start["module"], start["handler"])
    once_loaded()
    loaded = [name for name in _from_layers(start["path"][1:]) if name not in known] if function.handler else []
    answers.write(json.dumps({"status": "ready", "loaded": loaded, "process": os.getpid()}) + "\n")
    for line in sys.stdin:
        message = json.loads(line)
        answer = invoke(function, message["event"], message.get("ctx") or {})
        sys.stdout.flush()
        answers.write(json.dumps(answer) + "\n")
        if function.handler is None:  # a failed init is tried again in a new environment
            return


def _from_layers(layers: list[str]) -> list[str]:
    """Return the loaded modules of the layers, in the order in which their import began."""
    folders = tuple(f"{layer}{os.sep}" for layer in layers)
    files = {
        name: vars(module).get("__file__") for name, module in sys.modules.items() if isinstance(module, ModuleType)
    }
    return [name for name, file in files.items() if str(file).startswith(folders)]


def main() -> None:
    """Be an environment of its own; the start is read from the file whose number is the argument."""
    with os.fdopen(int(sys.argv[1])) as file:
        start = json.load(file)
    serve(start)


if __name__ == "__main__":
    main()
