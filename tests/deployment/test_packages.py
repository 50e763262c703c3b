"""The packages: the same bytes every time, for Lambda's Python and processor, with all they need and nothing else."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local_cloud.pipeline.deployment import one_deployment_at_a_time
from tests.deployment.runtime_api import RuntimeApi
from tests.waiting import wait_for
from tooling.environments import REPOSITORY, REQUIREMENTS, environment_bin

FUNCTIONS = sorted(folder.name for folder in (REPOSITORY / "lambda_functions").iterdir())
# What AWS's base image has beside the interpreter.
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py.py", "runtime_client*.so")
START = "import sys; sys.path[:0] = sys.argv[2:]; sys.argv[2:] = []; "


def build(folder: Path, *options: str) -> Path:
    done = subprocess.run(
        ["./build_lambda_packages.sh", "--into", str(folder), *options], cwd=REPOSITORY, check=False,
        env={**os.environ, "PYTHON": sys.executable}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (folder / "said").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def for_lambda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("first"), "--zip")


@pytest.fixture(scope="module")
def for_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("host"), "--host")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Python with nothing of its own on the path; what it compiles stays out of the packages."""
    return [sys.executable, "-X", f"pycache_prefix={tmp_path_factory.mktemp('compiled')}", "-I", "-S", "-c"]


@pytest.fixture(scope="module")
def runtime_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of AWS's runtime client alone."""
    folder = tmp_path_factory.mktemp("client")
    [installed] = {Path(path) for path in sys.path if (Path(path) / "awslambdaric").is_dir()}
    for pattern in RUNTIME_CLIENT:
        [found] = installed.glob(pattern)
        (folder / found.name).symlink_to(found)
    return folder


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as package:
        return package.namelist()


def test_the_same_sources_give_the_same_bytes(for_lambda: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "second", "--zip", "--clean")  # with dependencies that are installed anew
    first, second = (
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "dist").iterdir()}
        for folder in (for_lambda, again)
    )
    assert len(first) == len(FUNCTIONS) + 1
    assert first == second


def test_sizes_are_told(for_lambda: Path) -> None:
    said = (for_lambda / "said").read_text()
    assert (
        len(re.findall(r"^aurora-restore-[\w-]+\.zip +[\d.,]+ KiB zipped +[\d.,]+ KiB unzipped$", said, re.M))
        == len(FUNCTIONS) + 1
    )


def test_binaries_are_for_python_313_on_arm64(for_lambda: Path) -> None:
    binaries = [name for name in names(for_lambda / "dist/aurora-restore-utils.zip") if ".so" in name]
    extensions = [name for name in binaries if "cpython" in name]
    assert extensions
    assert all("cpython-313-aarch64" in name for name in extensions)
    machine = {(for_lambda / "layer" / name).read_bytes()[18:20] for name in binaries}
    assert machine == {b"\xb7\x00"}  # ELF's number for AArch64


def test_the_layer_is_the_lock_and_nothing_of_development(for_lambda: Path) -> None:
    lock = (REQUIREMENTS / "lambda.txt").read_text()
    locked = {name.replace("-", "_").lower(): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.M)}
    there = names(for_lambda / "dist/aurora-restore-utils.zip")
    infos = {
        match[1].lower(): match[2]
        for name in there
        if (match := re.match(r"python/([\w.]+)-([\w.]+)\.dist-info/", name))
    }
    assert infos == locked
    assert not [name for name in there if re.search(r"/tests?/|__pycache__|\.pyc$|/bin/|renew\.py", name)]
    assert not {"pytest", "moto", "mypy", "local_cloud", "deployment", "tests"} & {name.split("/")[1] for name in there}


def test_the_layer_describes_the_services_that_functions_call_and_no_others(for_lambda: Path) -> None:
    called = re.findall(r'(?:client|resource)\("([\w-]+)"', (REPOSITORY / "utils/runtime/services.py").read_text())
    described = [path.name for path in (for_lambda / "layer/python/botocore/data").iterdir() if path.is_dir()]
    assert sorted(described) == sorted(set(called))


def test_a_function_is_its_module_alone(for_lambda: Path) -> None:
    for function in FUNCTIONS:
        module = function.removeprefix("aurora-restore-").replace("-", "_")
        assert names(for_lambda / f"dist/{function}.zip") == [f"{module}.py"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_imported_from_package_and_layer_alone(for_host: Path, python: list[str], function: str) -> None:
    module = function.removeprefix("aurora-restore-").replace("-", "_")
    code = f"{START} import {module} as m, sys; assert callable(m.handler); print(m.__file__)"
    command = [*python, code, "-", *path_of(for_host, function)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={}, cwd="/")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(for_host))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_under_awss_runtime_client(
    for_host: Path, python: list[str], runtime_client: Path, function: str
) -> None:
    handler = f"{function.removeprefix('aurora-restore-').replace('-', '_')}.handler"
    code = f"{START} from awslambdaric.__main__ import main; main(['bootstrap', '{handler}'])"
    path = [*path_of(for_host, function), str(runtime_client)]
    with RuntimeApi({"operation": "misspelt"}) as api:
        process = subprocess.Popen(
            [*python, code, "-", *path], cwd="/", text=True,
            env={"AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LAMBDA_FUNCTION_NAME": function,
                 "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13", "POWERTOOLS_SERVICE_NAME": "aurora-restore"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_for(lambda: api.answered.is_set() or process.poll() is not None, "the runtime client's answer")
        finally:
            process.kill()
            said, _ = process.communicate()
    assert api.answers, said
    [(path_of_answer, body)] = api.answers
    assert path_of_answer.endswith("/error"), said
    assert path_of_answer.startswith("/invocation/"), body  # not /init/error: the handler was found and called
    assert body["errorType"] == "InvalidRequest", body


def test_sam_build_gives_the_same_functions(for_host: Path, tmp_path: Path) -> None:
    sam = [str(environment_bin("sam") / "sam"), "build", "--build-dir", str(tmp_path / "sam")]
    with one_deployment_at_a_time():  # sam build takes what the templates point at, which is build/
        build(REPOSITORY / "build", "--host")
        done = subprocess.run(
            [*sam, "--cache-dir", str(tmp_path / "cache")], cwd=REPOSITORY, check=False,
            env={**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-west-2"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout
    for function in FUNCTIONS:
        logical = "".join(word.capitalize() for word in function.removeprefix("aurora-restore-").split("-"))
        built = tmp_path / "sam/Functions" / f"{logical}Function"
        assert contents(built) == contents(for_host / "functions" / function)


def path_of(folder: Path, function: str) -> list[str]:
    return [str(folder / "functions" / function), str(folder / "layer/python")]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
