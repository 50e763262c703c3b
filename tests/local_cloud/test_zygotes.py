"""Lambda environments are forked from a process that has loaded their layers; none of them can tell."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.functions.zygotes import Environment, Zygotes
from tests.waiting import wait_for
from tooling import processes

COMMON = {"PATH": "/usr/bin:/bin", "LANG": "en_US.UTF-8", "HOME": "/nonexistent"}
# Leaves a line for each process that loads it.
HEAVY = """
import os
with open(os.path.join(os.path.dirname(__file__), "loaded"), "a") as file:
    file.write(f"{os.getpid()}\\n")
state = []
"""
EVALUATES = """
import importlib, os, sys
import heavy
def handler(event, context):
    return eval(event)
"""


# Leaves a line for each model that it parses.
PARSES = """
import pathlib
class JSONFileLoader:
    def load_file(self, file_path):
        if file_path == "missing":
            return None
        with open(pathlib.Path(__file__).parents[1] / "parsed", "a") as file:
            file.write(file_path + "\\n")
        return {"of": file_path}
"""


class Functions:
    """Functions over a layer, without an AWS around them."""

    def __init__(self, folder: Path, zygotes: Zygotes) -> None:
        self.folder = folder
        self.layer = folder / "layer" / "python"
        self.layer.mkdir(parents=True)
        self.zygotes = zygotes
        self.started: list[Environment] = []

    def processes(self) -> list[int]:
        """The processes that belong to this test, nearest first: another test's cloud may run below the same one."""
        return [pid for pid in processes.descendants(os.getpid()) if str(self.folder) in _told(pid)]

    def in_layer(self, **modules: str) -> None:
        for name, code in modules.items():
            (self.layer / f"{name}.py").write_text(code)

    def start(self, name: str = "f", layer: Path | None = None, variables: dict[str, str] | None = None,
              **modules: str) -> Environment:  # fmt: skip
        """Start an environment of a function whose package has some modules; `module` has the handler."""
        code = self.folder / name
        code.mkdir(exist_ok=True)
        for module, text in modules.items():
            (code / f"{module}.py").write_text(text)
        environment = {
            **COMMON, "TEST_FOLDER": str(self.folder),
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13", "LAMBDA_TASK_ROOT": str(code),
            "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_LOG_GROUP_NAME": "g",
            "AWS_LAMBDA_LOG_STREAM_NAME": "s", **(variables or {}),
        }  # fmt: skip
        path = [str(code), str(layer or self.layer)]
        started = self.zygotes.fork(
            {"path": path, "module": "module", "handler": "handler", "environment": environment}
        )
        assert started.is_ready()
        self.started.append(started)
        return started

    def loaded(self) -> int:
        """How many processes have loaded `heavy`."""
        return len((self.layer / "loaded").read_text().splitlines())


def _told(pid: int) -> str:
    """What a process was started with: its command line and variables; nothing for one that is gone."""
    told = b""
    for file in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            told += Path(f"/proc/{pid}/{file}").read_bytes()
    return told.decode(errors="replace")


@pytest.fixture
def functions(tmp_path: Path) -> Iterator[Functions]:
    zygotes = Zygotes(COMMON | {"TEST_FOLDER": str(tmp_path)})
    functions = Functions(tmp_path, zygotes)
    functions.in_layer(heavy=HEAVY)
    yield functions
    zygotes.close()
    assert functions.processes() == []
    for environment in functions.started:
        assert environment.poll() is not None
        for file in (environment.stdin, environment.stdout, environment.stderr):
            file.close()


def ask(environment: Environment, event: str) -> Any:
    environment.stdin.write(json.dumps({"event": event}) + "\n")
    answer = json.loads(environment.stdout.readline())
    return answer["result"] if answer["result"] is not None else answer.get("failure")


def test_what_one_environment_loaded_from_a_layer_is_not_loaded_again(functions: Functions) -> None:
    first = functions.start("first", module=EVALUATES)
    others = [functions.start(f"f{number}", module=EVALUATES) for number in range(3)]

    assert functions.loaded() == 2  # by the first, and by what the others are forked from
    assert len({ask(environment, "os.getpid()") for environment in (first, *others)}) == 4


def test_aws_models_that_one_environment_has_parsed_are_not_parsed_again(functions: Functions) -> None:
    package = functions.layer / "botocore"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "loaders.py").write_text(PARSES)
    parses = EVALUATES.replace("import heavy", "import botocore.loaders")
    ask_for = "botocore.loaders.JSONFileLoader().load_file"

    first = functions.start("first", module=parses)
    assert [ask(first, f"{ask_for}({name!r})") for name in ("rds", "sns", "missing")] == [
        {"of": "rds"},
        {"of": "sns"},
        None,
    ]
    log = functions.layer / "parsed"
    # The zygote may parse the one while the environment is still at the other.
    each_twice = ["rds", "rds", "sns", "sns"]
    wait_for(lambda: sorted(log.read_text().split()) == each_twice, "the zygote to parse them for those that come")
    second = functions.start("second", module=parses)

    changed = f"{ask_for}('rds').update(more=1) or {ask_for}('rds')"
    assert ask(second, changed) == {"of": "rds", "more": 1}
    assert ask(functions.start("third", module=parses), f"{ask_for}('rds')") == {"of": "rds"}
    assert ask(second, f"{ask_for}('sns')") == {"of": "sns"}
    assert sorted(log.read_text().split()) == each_twice


def test_an_environment_sees_nothing_of_another(functions: Functions) -> None:
    for name in ("a", "b", "c"):
        environment = functions.start(name, variables={"NAME": name}, module=EVALUATES)

        assert ask(environment, "heavy.state.append(1) or heavy.state") == [1]
        seen = ask(environment, "[dict(os.environ), sys.path[:2], os.getcwd(), sys.argv[1:]]")
        assert seen[0]["NAME"] == seen[0]["AWS_LAMBDA_FUNCTION_NAME"] == name
        assert seen[1:3] == [[str(functions.folder / name), str(functions.layer)], str(functions.folder / name)]
        assert ask(environment, "len([path for path in sys.path if 'layer' in path])") == 1
        assert {path.name for path in Path(f"/proc/{ask(environment, 'os.getpid()')}/fd").iterdir()} == set("01234")
        ask(environment, "print('I am', os.environ['NAME'])")
        assert environment.stderr.readline() == f"I am {name}\n"


def test_random_numbers_are_not_the_same_in_two_environments(functions: Functions) -> None:
    functions.in_layer(lottery="import random, uuid, ssl\n")
    code = "import random, uuid, lottery\ndef handler(event, context):\n    return [random.random(), str(uuid.uuid4())]"
    drawn = [ask(functions.start(name, module=code), "") for name in ("a", "b", "c")]

    assert len({number for number, _ in drawn}) == len({uuid for _, uuid in drawn}) == 3


def test_what_a_function_brings_itself_is_its_own(functions: Functions) -> None:
    code = "import heavy, helper\ndef handler(event, context):\n    return helper.name"
    names = [ask(functions.start(name, module=code, helper=f"name = {name!r}"), "") for name in ("a", "b", "c")]

    assert names == ["a", "b", "c"]


@pytest.mark.parametrize("module", ["heavy", "json", "asyncio"])
def test_a_module_of_the_function_hides_one_of_the_layer_or_of_python(functions: Functions, module: str) -> None:
    functions.in_layer(uses_asyncio="import asyncio")
    ask(functions.start("first", module=f"import uses_asyncio\n{EVALUATES}"), "1")
    code = f"import importlib\ndef handler(event, context):\n    return importlib.import_module({module!r}).__file__"
    (functions.folder / "f").mkdir()
    (functions.folder / "f" / f"{module}.py").write_text("loads = None")

    file = ask(functions.start("f", module=code), "")

    in_every_worker = module == "json"
    assert file.startswith(str(functions.folder / "f")) != in_every_worker


def test_what_the_layer_looks_for_in_the_function_is_found(functions: Functions) -> None:
    functions.in_layer(plugins="try:\n    import plugin\nexcept ImportError:\n    plugin = None\n")
    code = "import plugins\ndef handler(event, context):\n    return str(plugins.plugin)"
    without = [ask(functions.start(name, module=code), "") for name in ("a", "b")]

    assert without == ["None", "None"]
    assert "plugin.py" in ask(functions.start("c", module=code, plugin=""), "")


def test_a_variable_that_the_layer_reads_when_it_is_loaded_is_the_functions_own(functions: Functions) -> None:
    functions.in_layer(reads="import os\nlevel = os.environ.get('LEVEL', 'INFO')\n")
    code = "import reads\ndef handler(event, context):\n    return reads.level"
    levels: list[dict[str, str]] = [{}, {"LEVEL": "DEBUG"}, {}, {"LEVEL": "ERROR"}]

    seen = [ask(functions.start("f", variables=variables, module=code), "") for variables in levels]

    assert seen == ["INFO", "DEBUG", "INFO", "ERROR"]


def test_a_module_that_only_another_layer_has_is_missing(functions: Functions) -> None:
    functions.start("has", module=EVALUATES)
    functions.start("has", module=EVALUATES)
    other = functions.folder / "other"
    other.mkdir()

    failure = ask(functions.start("lacks", layer=other, module=EVALUATES), "1")

    assert failure["errorType"] == "Runtime.ImportModuleError"
    assert failure["errorMessage"] == "Unable to import module 'module': No module named 'heavy'"


def test_a_layer_that_fails_fails_in_every_environment(functions: Functions) -> None:
    functions.in_layer(broken="import heavy\nraise OSError('no')\n")
    tolerant = "try:\n    import broken\nexcept OSError:\n    pass\nimport heavy\n"
    functions.start("tolerant", module=f"{tolerant}{EVALUATES}")

    for name in ("a", "b"):
        failure = ask(functions.start(name, module="import broken"), "")
        assert (failure["errorType"], failure["errorMessage"]) == ("OSError", "no")


STARTS_A_THREAD = """
import threading
stop = threading.Event()
thread = threading.Thread(target=stop.wait, daemon=True)
thread.start()
"""
USES_BOTH = """
import files, threads
def handler(event, context):
    files.left.send(b"x")
    return threads.thread.is_alive()
"""


def test_a_layer_that_starts_a_thread_or_opens_a_file_has_it_in_every_environment(functions: Functions) -> None:
    functions.in_layer(threads=STARTS_A_THREAD, files="import socket\nleft, right = socket.socketpair()\n")

    for name in ("a", "b", "c"):
        assert ask(functions.start(name, module=USES_BOTH), "") is True


def test_one_that_is_killed_leaves_the_others_alone(functions: Functions) -> None:
    killed, asked_to_end, other = (functions.start(name, module=EVALUATES) for name in ("a", "b", "c"))
    assert killed.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        killed.wait(0.01)

    killed.kill()
    asked_to_end.terminate()

    assert killed.poll() == -signal.SIGKILL
    assert asked_to_end.wait(10) == -signal.SIGTERM
    assert ask(other, "40 + 2") == 42
    assert other.poll() is None
    killed.kill()  # does nothing
    other.stdin.close()
    assert other.wait(10) == 0
    assert other.stderr.read() == ""


def test_an_exit_code_is_the_functions_own(functions: Functions) -> None:
    environment = functions.start(module=EVALUATES)
    environment.stdin.write(json.dumps({"event": "os._exit(7)"}) + "\n")

    assert environment.stdout.readline() == ""
    assert environment.wait(10) == 7


def test_environments_end_with_what_they_were_forked_from_and_new_ones_start(functions: Functions) -> None:
    environment = functions.start(module=EVALUATES)
    [zygote, _] = functions.processes()

    os.kill(zygote, signal.SIGKILL)

    assert environment.wait(10) == -signal.SIGKILL
    assert ask(functions.start(module=EVALUATES), "1") == 1


def test_a_process_with_more_files_than_select_takes_has_environments_too(functions: Functions) -> None:
    with contextlib.ExitStack() as files:
        for _ in range(1100):
            files.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        environment = functions.start(module=EVALUATES)
        assert ask(environment, "1 + 1") == 2
        environment.terminate()
        assert environment.wait(10) is not None
