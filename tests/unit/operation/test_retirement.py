"""The names of what is an operation and restores nothing."""

from collections.abc import Callable

import pytest

from utils.operation.retirement import afterwards_id, retirement_id

LONGEST = "n" * 79


@pytest.mark.parametrize("named", [retirement_id, afterwards_id])
def test_no_two_runs_with_long_names_share_what_comes_after_them(named: Callable[[str], str]) -> None:
    names = [named(run) for run in ("short", LONGEST, LONGEST + "1", LONGEST + "2", f"{LONGEST[:70]}-older")]
    assert len(set(names)) == len(names)
    assert max(len(name) for name in names) == 80
    assert names[0].startswith("short-")
