"""What every test has: the functions on the path, and no way to a real AWS account."""

import gc
import sys
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from hypothesis import settings

_LONGEST = ("unit/database/test_layouts.py", "unit/database/", "tests/traps/", "unit/tooling/")
_FOR_OTHER_LINES = ("tests/conventions/", "unit/deployment/", "unit/restore_command/", "unit/tooling/")

for folder in sorted((Path(__file__).parents[1] / "lambda_functions").iterdir()):
    sys.path.append(str(folder))

# A loader reads AWS's models from JSON, a third of the tests' time if each of their hundreds of sessions has its own.
botocore.session.create_loader = cache(botocore.session.create_loader)

# What tests load (moto, AWS's models) stays to the end: collecting as often as Python does takes a sixth of their time.
gc.set_threshold(50_000, 20, 50)

# No deadline: a busy machine is no bug. The same examples each time: a red run can be repeated.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=3000)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest begin first: files of tests are shared out to workers in this order.

    To watch which lines run doubles a test's time: those that are about other lines, or that run the same ones with
    hundreds of examples, are not watched; PostgreSQL's layouts are, as each runs others.
    """
    items.sort(key=lambda item: next((n for n, part in enumerate(_LONGEST) if part in item.nodeid), len(_LONGEST)))
    for item in items:
        runs_examples = (
            getattr(getattr(item, "obj", None), "is_hypothesis_test", False) and "database" not in item.nodeid
        )
        if runs_examples or any(part in item.nodeid for part in _FOR_OTHER_LINES):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(autouse=True)
def _no_real_aws(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Hide the caller's AWS settings; tests of the local cloud bring their own."""
    if request.node.get_closest_marker("local_cloud") is None:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_RDS", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
