"""Who may import what: arrows point inwards, and each library has one room."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conventions.cfn_yaml import REPOSITORY
from tests.conventions.sources import (
    AROUND,
    AROUND_ROOMS,
    HANDLERS,
    LOCAL_CLOUD,
    PRODUCT,
    TESTS,
    UTILS,
    imports_of,
    name_of,
    packages_of,
)

# The doors: what the handlers import, and a request checked from a shell.
DOORS = {"aurora_utils", "validate_request"}
# From the doors down; an import may only go further down, or stay.
FLOORS = (
    "steps",
    "cluster",
    "plan",
    "preflight",
    "runtime",
    "evidence",
    "report",
    "settings",
    "database",
    "operation",
    "request",
    "aws",
    "cluster_settings",
)
AWS_SDK = {"boto3", "botocore"}
# The gateways are a room. Outside it: what makes the clients.
BESIDE_THE_GATEWAYS = {"utils/runtime/services.py"}
LOCAL_AURORA = [path for path in LOCAL_CLOUD if REPOSITORY / "local_cloud/aurora" in path.parents]
SCRIPTS = [*sorted(REPOSITORY.glob("*.sh")), REPOSITORY / ".ci/run"]
# Code of the local cloud, named as something to run; the folder by itself (for mypy, say) is not.
RUNS_LOCAL_CLOUD = re.compile(r"(-m|import|from) +local_cloud\b|(?<!tests/)\blocal_cloud[./]\w")


@pytest.mark.parametrize("path", HANDLERS, ids=name_of)
def test_a_handler_knows_the_front_door_only(path: Path) -> None:
    assert imports_of(path) == {"utils.aurora_utils"}


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_the_product_knows_nothing_that_is_about_it(path: Path) -> None:
    around = {"local_cloud", "tests", "benchmarks", "lambda_functions", *AROUND_ROOMS}
    assert not packages_of(path) & around


def test_no_step_imports_a_step() -> None:
    steps = sorted((REPOSITORY / "utils/steps").glob("*.py"))
    assert steps
    arrows = [(path.name, module) for path in steps for module in imports_of(path) if "utils.steps" in module]
    assert arrows == []


@pytest.mark.parametrize("path", UTILS, ids=name_of)
def test_no_room_is_imported_from_below(path: Path) -> None:
    floor = floor_of("utils." + path.relative_to(REPOSITORY / "utils").with_suffix("").as_posix().replace("/", "."))
    arrows = {module: floor_of(module) for module in imports_of(path) if module.startswith("utils.")}
    assert {module for module, below in arrows.items() if below < floor} == set()


def floor_of(module: str) -> int:
    """How far below the doors a module is; the words that every room uses are at the bottom."""
    room = module.split(".")[1]
    if room in DOORS:
        return -1
    return FLOORS.index(room) if room in FLOORS else len(FLOORS)


def test_the_guide_shows_the_rooms_in_this_order() -> None:
    guide = (REPOSITORY / "docs/02_lambda_implementation.md").read_text()
    shown = re.findall(r"^utils/(\w+)(?:/|\.py)  ", guide, re.MULTILINE)
    assert shown == list(FLOORS)
    assert {path.name for path in (REPOSITORY / "utils").iterdir() if (path / "__init__.py").exists()} < set(shown)


def test_the_aws_sdk_is_behind_the_gateways() -> None:
    users = {path for path in PRODUCT if packages_of(path) & AWS_SDK}
    assert {name_of(path) for path in users if REPOSITORY / "utils/aws" not in path.parents} == BESIDE_THE_GATEWAYS


def test_psycopg2_is_in_the_room_of_the_database() -> None:
    users = [path for path in PRODUCT if "psycopg2" in packages_of(path)]
    assert users
    assert [name_of(path) for path in users if REPOSITORY / "utils/database" not in path.parents] == []


def test_what_was_asked_is_understood_without_the_aws_sdk() -> None:
    modules = [f"utils.request.{path.stem}" for path in (REPOSITORY / "utils/request").glob("[!_]*.py")]
    assert modules
    assert without_aws_sdk(f"import {', '.join(modules)}").stderr == ""


def test_a_request_is_validated_without_the_aws_sdk() -> None:
    example = "statemachine/inputs/every_field.json"
    done = without_aws_sdk(
        f"import runpy; sys.argv = ['validate_request', {example!r}];"
        " runpy.run_module('utils.validate_request', run_name='__main__')"
    )
    assert done.returncode == 0, done.stderr
    assert '"cluster_id"' in done.stdout


def test_without_the_aws_sdk_a_gateway_is_refused() -> None:
    assert "ModuleNotFoundError: No module named 'botocore" in without_aws_sdk("import utils.aws.calls").stderr


def without_aws_sdk(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python in which boto3 and botocore cannot be imported."""
    hidden = "import sys; sys.modules.update({name: None for name in ('boto3', 'botocore')}); "
    return subprocess.run(
        [sys.executable, "-c", hidden + code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("path", AROUND, ids=name_of)
def test_what_deploys_and_documents_does_not_know_the_local_cloud(path: Path) -> None:
    assert not packages_of(path) & {"local_cloud", "benchmarks"}
    texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert [text for text in texts if isinstance(text, str) and RUNS_LOCAL_CLOUD.search(text)] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_no_script_runs_the_local_cloud_but_its_own_entry(path: Path) -> None:
    lines = [line.strip() for line in path.read_text().splitlines() if RUNS_LOCAL_CLOUD.search(line)]
    if path.name == "local.sh":
        assert [line for line in lines if line.endswith('-m local_cloud "$@"')] == lines != []
    else:
        assert lines == []


@pytest.mark.parametrize("path", LOCAL_AURORA, ids=name_of)
def test_the_local_aurora_knows_nothing_of_its_host(path: Path) -> None:
    own = ("local_cloud.aurora", "local_cloud.aurora.")
    foreign = {"local_cloud", "utils", "tests", "deployment", "docs", "tooling", "benchmarks"}
    arrows = [module for module in imports_of(path) if module.split(".", 1)[0] in foreign]
    assert [module for module in arrows if module != own[0] and not module.startswith(own[1])] == []


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_no_test_file_is_imported(path: Path) -> None:
    assert [module for module in imports_of(path) if re.search(r"(^|\.)test_\w+$", module)] == []
