"""How long a run will take, from the runs over the same target that succeeded."""

from collections.abc import Mapping, Sequence
from statistics import median


def expected_seconds(runs: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return the median by phase, of the runs that had the phase; one long night changes little."""
    phases = dict.fromkeys(phase for run in runs for phase in run)
    return {phase: round(median(run[phase] for run in runs if phase in run)) for phase in phases}
