"""Where things are, what may import what, and how long they may get."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conventions.cfn_yaml import REPOSITORY
from utils import errors
from utils.errors import AuroraRestoreError
from utils.operation.model import StepName
from utils.runtime.contract import ClosingEvent, StartEvent, StepEvent

UTILS = sorted((REPOSITORY / "utils").rglob("*.py"))
HANDLERS = sorted((REPOSITORY / "lambda_functions").glob("*/*.py"))
PRODUCT = [*UTILS, *HANDLERS]
# The only modules that know boto3 or botocore; `services` makes the clients, the others speak through one.
GATEWAYS = {
    "utils/operation/audit_log.py",
    "utils/aws/clients.py",
    "utils/aws/calls.py",
    "utils/aws/executions.py",
    "utils/aws/kms.py",
    "utils/operation/state_table.py",
    "utils/aws/rds_reader.py",
    "utils/aws/rds_writer.py",
    "utils/aws/s3.py",
    "utils/aws/secrets.py",
    "utils/runtime/services.py",
}
EVENTS: dict[StepName, type[StepEvent]] = {StepName.SNAPSHOT_CHECK: StartEvent, StepName.SNS_NOTIFICATION: ClosingEvent}


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def imports_of(path: Path) -> set[str]:
    """The modules that a file imports when it runs; what is only for the type checker does not count."""
    tree = ast.parse(path.read_text())
    type_checking = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and node not in type_checking:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node not in type_checking:
            found.add(node.module or "")
    return found


def packages_of(path: Path) -> set[str]:
    return {module.split(".", 1)[0] for module in imports_of(path)}


def run_at_import(path: Path) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: everything outside the bodies of functions."""
    todo: list[ast.AST] = [ast.parse(path.read_text())]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.FunctionDef):
            todo += node.decorator_list + node.args.defaults
        elif not isinstance(node, ast.Lambda):
            todo += ast.iter_child_nodes(node)


def folder_of(step: StepName) -> Path:
    return REPOSITORY / "lambda_functions" / f"aurora-restore-{step.value.lower().replace(' ', '-')}"


@pytest.mark.parametrize("path", HANDLERS, ids=name_of)
def test_a_handler_is_one_screen_and_knows_the_layer_only(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 60
    assert imports_of(path) == {"utils.aurora_utils"}


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_module_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 250


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_the_product_knows_neither_its_tests_nor_the_local_cloud(path: Path) -> None:
    assert not packages_of(path) & {"local_cloud", "tests", "docs", "lambda_functions"}


def test_boto3_is_behind_the_gateways() -> None:
    assert {name_of(path) for path in PRODUCT if packages_of(path) & {"boto3", "botocore"}} == GATEWAYS


def test_psycopg2_is_behind_the_database_package() -> None:
    users = {name_of(path) for path in PRODUCT if "psycopg2" in packages_of(path)}
    assert [name for name in users if not name.startswith("utils/database/")] == []


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


def test_there_is_a_function_for_every_step_and_no_other() -> None:
    folders = {path for path in (REPOSITORY / "lambda_functions").iterdir() if path.name.startswith("aurora-restore")}
    assert folders == {folder_of(step) for step in StepName}


@pytest.mark.parametrize("step", StepName, ids=lambda step: step.value)
def test_one_word_names_directory_module_domain_function_and_test_event(step: StepName) -> None:
    word = step.value.lower().replace(" ", "_")
    folder = folder_of(step)
    assert {path.name for path in folder.iterdir() if path.is_file()} == {f"{word}.py", "event.json"}
    assert callable(importlib.import_module(word).handler)
    assert callable(getattr(importlib.import_module(f"utils.steps.{word}"), word))
    assert word in importlib.import_module("utils.aurora_utils").__all__


@pytest.mark.parametrize("step", StepName, ids=lambda step: step.value)
def test_an_example_event_is_one_that_its_function_takes(step: StepName) -> None:
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
    leaves = [cls for cls in vars(errors).values() if isinstance(cls, type) and len(cls.__mro__) > 5]
    assert [cls.__name__ for cls in leaves if f"{cls.__name__}(" not in product] == []
