"""The names of what is an operation and restores nothing."""

from collections.abc import Callable

import pytest

from utils.operation.retirement import afterwards_id, brought_forward_id, is_named_after_another, retirement_id

LONGEST = "n" * 79


@pytest.mark.parametrize("named", [retirement_id, afterwards_id, brought_forward_id])
def test_no_two_runs_with_long_names_share_what_comes_after_them(named: Callable[[str], str]) -> None:
    names = [named(run) for run in ("short", LONGEST, LONGEST + "1", LONGEST + "2", f"{LONGEST[:70]}-older")]
    assert len(set(names)) == len(names)
    assert max(len(name) for name in names) == 80
    assert names[0].startswith("short-")


def test_no_run_has_a_retirement_of_the_name_under_which_another_brings_one_forward() -> None:
    of_others = {named(f"nightly-1{more}") for named in (retirement_id, afterwards_id) for more in ("", "-older")}
    assert brought_forward_id("nightly-1") not in of_others
    assert not is_named_after_another(brought_forward_id("nightly-1")), "no run's name is refused for it"
