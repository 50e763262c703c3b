"""A plugin of pytest that keeps how long each test took, so that the quickest can be asked first."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

VARIABLE = "SECONDS_OF_TESTS"
_seconds = defaultdict[str, float](float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add one phase of a test."""
    _seconds[report.nodeid] += report.duration


def pytest_sessionfinish() -> None:
    """Add what was measured to what the file holds."""
    file = Path(os.environ[VARIABLE])
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(known | _seconds))
