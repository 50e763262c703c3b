"""The project's Python files, and what they import and do when they are imported."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conventions.cfn_yaml import REPOSITORY

UTILS = sorted((REPOSITORY / "utils").rglob("*.py"))
HANDLERS = sorted((REPOSITORY / "lambda_functions").glob("*/*.py"))
PRODUCT = [*UTILS, *HANDLERS]
LOCAL_CLOUD = sorted((REPOSITORY / "local_cloud").rglob("*.py"))
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
# What serves the product beside the functions: deploys it, makes its tools, writes its documentation.
AROUND_ROOMS = ("deployment", "restore_command", "tooling", "docs")
AROUND = sorted(path for room in AROUND_ROOMS for path in (REPOSITORY / room).rglob("*.py"))


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
