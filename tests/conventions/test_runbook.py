"""The runbook has a section for every error, with symptom, check and act, and says how to go on."""

import re

import pytest

from tests.conventions.cfn_yaml import REPOSITORY
from utils import errors
from utils.errors import AuroraRestoreError, PermanentError, RetryableError
from utils.report.advice import NEEDS_A_NEW_PLAN

RUNBOOK = (REPOSITORY / "docs/runbook.md").read_text()
NAMES = [
    name
    for name, cls in vars(errors).items()
    if isinstance(cls, type)
    and issubclass(cls, AuroraRestoreError)
    and cls not in {AuroraRestoreError, PermanentError, RetryableError}
]
ERRORS = RUNBOOK.partition("## Errors\n")[2]
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^###|\Z)", ERRORS, re.MULTILINE | re.DOTALL))


def test_its_sections_are_the_errors() -> None:
    assert sorted(SECTIONS) == sorted(NAMES), "docs/runbook.md, Errors: a section for each of utils/errors.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_section_says_symptom_check_and_act(name: str) -> None:
    said = re.findall(r"^- (\w+): .+", SECTIONS.get(name, ""), re.MULTILINE)
    assert said == ["Symptom", "Check", "Act"], f"docs/runbook.md, Errors, {name}"


@pytest.mark.parametrize(
    "task", ["Resume", "Redrive", "Stop a run", "The lock is held", "Roll back to the final snapshot"]
)
def test_it_says_how_to(task: str) -> None:
    assert re.search(rf"^## {task}$(.*?)```sh$", RUNBOOK, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", sorted(NEEDS_A_NEW_PLAN))
def test_it_resumes_nothing_that_only_a_new_run_can_mend(name: str) -> None:
    assert "resume" not in SECTIONS[name], f"docs/runbook.md, Errors, {name}: utils/report/advice.py says otherwise"


def test_the_readme_names_every_error_too() -> None:
    table = (REPOSITORY / "README.md").read_text().partition("## When it fails")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z]\w+)`", table)) == set(NAMES), "README.md, When it fails"
