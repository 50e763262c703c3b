"""Where things are, what a module may do, and how large modules and rooms may get."""

import ast
import importlib
import json
import re
from pathlib import Path

import pytest

from tests.conventions.cfn_yaml import REPOSITORY
from tests.conventions.sources import AROUND, HANDLERS, LOCAL_CLOUD, PRODUCT, TESTS, name_of, run_at_import
from utils import errors
from utils.errors import AuroraRestoreError
from utils.operation.model import Helper, StepName
from utils.runtime.contract import (
    ClosingEvent,
    EvidenceEvent,
    FailedEvent,
    StartEvent,
    StepEvent,
    StepStatus,
    SwapEvent,
)

FUNCTIONS: tuple[StepName | Helper, ...] = (*StepName, *Helper)
ROOMS = sorted({path.parent for path in (*PRODUCT, *AROUND, *LOCAL_CLOUD, *TESTS)})
# Rooms of modules that are alike: who has seen one knows what is in the others, so any number is a list to pick from.
ALIKE = {
    "utils/steps": "one step each",
    "local_cloud/aurora/operations": "one family of RDS's operations each",
}
# Their `__init__.py` does something: the local Aurora is a package of its own with a front door, and importing its
# operations registers them.
MORE_THAN_A_NAME = {"local_cloud/aurora", "local_cloud/aurora/operations"}
EVENTS: dict[StepName | Helper, type[StepEvent]] = {
    StepName.SNAPSHOT_CHECK: StartEvent,
    StepName.DELETE_RDS: FailedEvent,
    StepName.SWAP_CLUSTERS: SwapEvent,
    StepName.SNS_NOTIFICATION: ClosingEvent,
    Helper.WRITE_EVIDENCE: EvidenceEvent,
}


def folder_of(step: StepName | Helper) -> Path:
    return REPOSITORY / "lambda_functions" / f"aurora-restore-{step.value.lower().replace(' ', '-')}"


@pytest.mark.parametrize("path", HANDLERS, ids=name_of)
def test_a_handler_is_one_screen(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 60


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_module_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 250


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_a_room_is_seen_at_a_glance(room: Path) -> None:
    # Test files are alike as well: each tells of one thing, by its name. What they stand on counts.
    modules = [path.name for path in room.glob("*.py") if not path.name.startswith(("test_", "__init__"))]
    assert name_of(room) in ALIKE or len(modules) <= 14, modules


def test_what_is_said_to_be_alike_is_a_room() -> None:
    assert set(ALIKE) <= {name_of(room) for room in ROOMS}


@pytest.mark.parametrize("room", [room for room in ROOMS if (room / "__init__.py").exists()], ids=name_of)
def test_a_room_says_what_it_is_for_and_an_import_names_its_module(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text())
    assert ast.get_docstring(tree)
    if name_of(room) not in MORE_THAN_A_NAME:
        assert len(tree.body) == 1
        assert "\n" not in (ast.get_docstring(tree) or "")


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_nothing_is_read_or_made_at_import(path: Path) -> None:
    forbidden = re.compile(
        r"environ|getenv|boto3\.(client|resource)|\.client\(|\.resource\(|Session\(|Logger\(\)|open\("
    )
    calls = [ast.unparse(node) for node in run_at_import(path) if isinstance(node, (ast.Call, ast.Subscript))]
    assert [call for call in calls if forbidden.search(call)] == []


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_no_function_sleeps(path: Path) -> None:
    tree = list(ast.walk(ast.parse(path.read_text())))
    named = {node.attr for node in tree if isinstance(node, ast.Attribute)}
    named |= {name.name for node in tree if isinstance(node, ast.ImportFrom) for name in node.names}
    assert "sleep" not in named


def test_there_is_a_function_for_every_step_and_helper_and_no_other() -> None:
    folders = {path for path in (REPOSITORY / "lambda_functions").iterdir() if path.name.startswith("aurora-restore")}
    assert folders == {folder_of(step) for step in FUNCTIONS}


@pytest.mark.parametrize("step", FUNCTIONS, ids=lambda step: step.value)
def test_one_word_names_directory_module_domain_function_and_test_event(step: StepName | Helper) -> None:
    word = step.value.lower().replace(" ", "_")
    folder = folder_of(step)
    assert {path.name for path in folder.iterdir() if path.is_file()} == {f"{word}.py", "event.json"}
    assert callable(importlib.import_module(word).handler)
    assert callable(getattr(importlib.import_module(f"utils.steps.{word}"), word))
    assert word in importlib.import_module("utils.aurora_utils").__all__


@pytest.mark.parametrize("step", FUNCTIONS, ids=lambda step: step.value)
def test_an_example_event_is_one_that_its_function_takes(step: StepName | Helper) -> None:
    event = json.loads((folder_of(step) / "event.json").read_text())
    EVENTS.get(step, StepEvent).model_validate(event)


def test_the_tree_of_errors_lists_every_error_where_it_belongs() -> None:
    tree = errors.__doc__ or ""
    retryable, permanent = tree.split("RetryableError", 1)[1].split("PermanentError", 1)
    listed = {
        "RetryableError": set(re.findall(r"[A-Z]\w+", retryable)),
        "PermanentError": set(re.findall(r"\w+", permanent)),
    }
    for cls in vars(errors).values():
        if isinstance(cls, type) and issubclass(cls, AuroraRestoreError) and len(cls.__mro__) > 5:
            assert cls.__name__ in listed[cls.__mro__[1].__name__], cls
            assert cls.__doc__
    words = {word for part in listed.values() for word in part if re.fullmatch(r"[A-Z][a-z]+([A-Z][a-z]+)+", word)}
    assert [word for word in words if not hasattr(errors, word)] == []


def test_every_error_is_raised_somewhere() -> None:
    product = "\n".join(path.read_text() for path in PRODUCT if path.name != "errors.py")
    machine = (REPOSITORY / "statemachine/aurora_restore.asl.json").read_text()
    leaves = [cls for cls in vars(errors).values() if isinstance(cls, type) and len(cls.__mro__) > 5]

    def is_raised(name: str) -> bool:
        return f"{name}(" in product or f'"Error": "{name}"' in machine

    assert [cls.__name__ for cls in leaves if not is_raised(cls.__name__)] == []


def test_the_guide_names_every_status_and_every_variable() -> None:
    guide = (REPOSITORY / "docs/02_lambda_implementation.md").read_text()
    named = set(re.findall(r"`([A-Z_]{4,})`", guide))
    assert {status.value for status in StepStatus} <= named
    variables = re.findall(
        r"^ {8,12}([A-Z][A-Z_]+): ", (REPOSITORY / "infrastructure/lambda.yaml").read_text(), re.MULTILINE
    )
    assert len(variables) > 10
    assert set(variables) <= named
