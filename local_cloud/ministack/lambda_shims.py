"""Makes ministack's Lambda behave as AWS's where the pipeline would see the difference (ministack 1.5.33)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_cloud.functions.zygotes import Zygotes
from local_cloud.hop.server import Hop
from local_cloud.ministack import ministack_modules

# Where its endpoints are, and the CA of its databases.
_OF_THIS_CLOUD = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_RDS", "DATABASE_CA_FILE")
# The same in every environment, whatever the function.
_COMMON = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "HOME": "/nonexistent",  # nothing of the user's home (~/.aws, ~/.pgpass) may reach a function
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
}
_CODE_LOCK = threading.Lock()
MOST_ENVIRONMENTS = 16
Json = dict[str, Any]


class HandlerFailed(dict[str, Any]):
    """The error payload of a failed invocation, on its way through ministack's executor."""


def install(code_folder: Path, hop: Hop | None = None) -> Zygotes:
    """Give ministack our execution environments and AWS's error payloads; a hop sees every invocation.

    Returns what holds the environments, to be closed at the end.
    """
    zygotes = Zygotes(_COMMON)
    run_python_in_clean_environments(code_folder, zygotes, hop)
    report_handler_errors_as_aws_does()
    queue_for_environments()
    try_again_what_eventbridge_invokes()
    return zygotes


def run_python_in_clean_environments(code_folder: Path, zygotes: Zygotes, hop: Hop | None) -> None:
    """Run Python functions with nothing but their package and layers on the path.

    ministack's own worker sees every library of ministack's environment (so a library missing from the layer
    is not missed), hides the exception's class, and unpacks the layer again for every environment.
    """
    runtime = ministack_modules.core("lambda_runtime")
    original: Callable[[Json], type] = runtime._worker_class_for
    environment = _execution_environment_class(runtime, code_folder, zygotes, hop)

    def worker_class_for(config: Json) -> type:
        return environment if str(config.get("Runtime", "")).startswith("python") else original(config)

    runtime._worker_class_for = worker_class_for


def report_handler_errors_as_aws_does() -> None:
    """Answer a handler's exception with its class as errorType, what becomes of an environment with Lambda's own.

    ministack says "Runtime.HandlerError" for every exception, so no ErrorEquals of a state machine would match; and
    the class of what it met itself where an environment did not start, as if the handler had raised it.
    """
    service = ministack_modules.service("lambda_svc")
    original: Callable[[Json, Any, str], Json] = service._execute_function_warm

    def execute(func: Json, event: Any, request_id: str) -> Json:
        result = original(func, event, request_id)
        body = result.get("body")
        if isinstance(body, HandlerFailed):
            return {"body": dict(body), "error": True, "log": result.get("log", "")}
        if result.get("error") and isinstance(body, dict) and body.get("errorType") != "Sandbox.Timedout":
            body["errorType"] = "Runtime.ExitError"  # only the environment itself fails this way now
        return result

    service._execute_function_warm = execute


def queue_for_environments() -> None:
    """Let an invocation wait for one of a function's environments when many run already.

    AWS starts hundreds at once; here they are processes of one machine, which hundreds would bring to a halt.
    """
    service = ministack_modules.service("lambda_svc")
    original: Callable[[Json, Any, str], Json] = service._execute_function_warm
    places: dict[str, threading.Semaphore] = {}

    def execute_in_turn(func: Json, event: Any, request_id: str) -> Json:
        name = (func.get("config") or func)["FunctionName"]
        with places.setdefault(name, threading.Semaphore(MOST_ENVIRONMENTS)):
            return original(func, event, request_id)

    service._execute_function_warm = execute_in_turn


def try_again_what_eventbridge_invokes() -> None:
    """Invoke a rule's function asynchronously: a failed invocation is made twice more, then it is a dead letter.

    ministack does so for every other source of events, and invokes once for EventBridge.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """
    service, events = ministack_modules.service("lambda_svc"), ministack_modules.service("eventbridge")

    def dispatch(arn: str, payload: str) -> None:
        func, config, _ = service._get_func_record_for_ref(arn)
        if func and config:
            service.invoke_async_with_retry(service._execution_record_for_config(func, config), json.loads(payload))

    events._dispatch_to_lambda = dispatch


def _execution_environment_class(runtime: Any, code_folder: Path, zygotes: Zygotes, hop: Hop | None) -> type:
    base: Any = runtime.Worker

    class ExecutionEnvironment(base):  # type: ignore[misc]
        """A Lambda execution environment: one process that runs `functions.worker`."""

        def _spawn(self) -> None:
            module, handler = self.config["Handler"].replace("/", ".").rsplit(".", 1)
            code = unpack(code_folder, self.code_zip)
            layers = [unpack(code_folder, layer) for layer in _layers(self.config)]
            environment = function_environment(
                self.config, code, runtime._account_region_from_function_config(self.config)[1],
                runtime.execution_credentials(self.config),
            )  # fmt: skip
            # AWS's order: the function's own code before its layers.
            path = [str(code), *(str(layer / "python") for layer in layers)]
            start = {"path": path, "module": module, "handler": handler, "environment": environment}
            process: Any = zygotes.fork(start)
            self._proc = process
            reader = threading.Thread(target=self._read_stderr, daemon=True)
            self._stderr_thread = reader
            reader.start()
            if not process.is_ready():
                raise RuntimeError(f"The execution environment of {self.func_name} did not start.")

        def invoke(self, event: Any, *args: Any, **kwargs: Any) -> Json:
            """Run one invocation; a handler's failure travels as the result."""
            if hop is None:
                response: Json = super().invoke(event, *args, **kwargs)
            else:
                with hop.invocations.begun(self.func_name, event, lambda: self._proc.kill()) as trace:
                    response = super().invoke(event, *args, **{**kwargs, "trace_id": trace})
            if "failure" in response:
                response["result"] = HandlerFailed(response.pop("failure"))
            return response

    return ExecutionEnvironment


def _layers(config: Json) -> list[bytes]:
    resolve = ministack_modules.service("lambda_svc")._resolve_layer_zip
    contents = (resolve(layer) for layer in config.get("Layers", []))
    return [content for content in contents if content]


def unpack(code_folder: Path, content: bytes) -> Path:
    """Unpack a package once, whoever asks for it."""
    home = code_folder / hashlib.sha256(content).hexdigest()[:16]
    with _CODE_LOCK:
        if not home.exists():
            fresh = home.with_suffix(".new")
            with zipfile.ZipFile(io.BytesIO(content)) as package:
                package.extractall(fresh)
            fresh.rename(home)
    return home


def function_environment(config: Json, code: Path, region: str, credentials: dict[str, str]) -> dict[str, str]:
    """Return the variables that a function sees: its own, Lambda's, and what leads it to this cloud."""
    name = config["FunctionName"]
    inherited = {key: os.environ[key] for key in _OF_THIS_CLOUD if key in os.environ}
    return {
        **_COMMON,
        **config.get("Environment", {}).get("Variables", {}),
        **inherited,
        **credentials,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_LOG_GROUP_NAME": config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": uuid.uuid4().hex,
        "LAMBDA_TASK_ROOT": str(code),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": config["Handler"],
    }
