"""How long a run will take, from the runs over the same target that succeeded."""

from collections.abc import Sequence
from statistics import median

from utils.operation.store import RunDurations


def expected_seconds(runs: Sequence[RunDurations]) -> dict[str, int]:
    """Return the median by phase, of the runs that had the phase; one long night changes little."""
    phases = dict.fromkeys(phase for run in runs for phase in run.seconds)
    return {phase: round(median(run.seconds[phase] for run in runs if phase in run.seconds)) for phase in phases}
