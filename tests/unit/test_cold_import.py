"""What a function loads when it starts cold: its own step, and psycopg2 only where PostgreSQL is spoken to."""

import subprocess
import sys

import pytest

from tests.conventions.cfn_yaml import REPOSITORY
from utils import aurora_utils
from utils.operation.model import Helper, StepName

OF_INTEREST = ("utils.steps.", "psycopg2", "jinja2")
# The second proves the exchanged names by a login.
SPEAK_TO_POSTGRESQL = (StepName.SETUP_DB_USERS, StepName.CHECK_SWAP_STATUS)
LOADED = f"import sys, {{word}}; print(*(name for name in sys.modules if name.startswith({OF_INTEREST})))"


@pytest.mark.parametrize("step", [*StepName, *Helper], ids=lambda step: step.value)
def test_a_function_loads_its_own_step_and_psycopg2_only_for_postgresql(step: StepName | Helper) -> None:
    word = step.value.lower().replace(" ", "_")
    folder = REPOSITORY / "lambda_functions" / f"aurora-restore-{word.replace('_', '-')}"
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(word=word)],
        env={"PYTHONPATH": f"{folder}:{REPOSITORY}"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("utils")} == {f"utils.steps.{word}"}
    assert ("psycopg2" in loaded) == (step in SPEAK_TO_POSTGRESQL)
    assert "jinja2" not in loaded


def test_the_front_door_has_nothing_that_is_not_said_to_be_there() -> None:
    assert not hasattr(aurora_utils, "restored_from")
    assert [name for name in aurora_utils.__all__ if not hasattr(aurora_utils, name)] == []
