"""How long a run will take, from the runs over the same target that succeeded."""

from collections.abc import Mapping, Sequence
from statistics import median

_SWAP, _TOTAL = "swap", "total"


def alike(runs: Sequence[Mapping[str, int]], *, is_swap: bool) -> list[Mapping[str, int]]:
    """Return the runs that exchanged names as well, or replaced the cluster as well: a swap deletes nothing."""
    return [run for run in runs if (_SWAP in run) == is_swap]


def expected_seconds(runs: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return the median by phase, of the runs that had the phase; one long night changes little."""
    phases = dict.fromkeys(phase for run in runs for phase in run)
    found = {phase: round(median(run[phase] for run in runs if phase in run)) for phase in phases}
    return dict(sorted(found.items(), key=lambda item: item[0] == _TOTAL))
