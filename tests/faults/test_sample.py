"""Faults at every step of every situation, each kind at least once: a run ends as if nothing had been."""

from tests.faults.judges import observer
from tests.faults.kinds import KINDS, SQL_KINDS
from tests.faults.laboratory import Laboratory
from tests.faults.pool import Bench, run_all
from tests.faults.report import told
from tests.faults.sample import sample, sampled_situations, steps_of
from tests.faults.sweep import RIGHT


def test_every_fault_of_the_sample_has_the_right_outcome(recorded: Bench) -> None:
    chosen = sample(recorded.cases)
    assert {case.kind for case in chosen} == {*KINDS, *SQL_KINDS}
    swept = steps_of(recorded.cases)
    assert steps_of(chosen) == swept
    assert {situation for situation, _ in swept} == {situation.name for situation in sampled_situations()}
    judged = run_all([recorded], chosen, at_once=2)
    wrong = [item for item in judged if item.verdict not in RIGHT]
    assert not wrong, "\n".join(line for item in wrong for line in told(item))


def test_no_invariant_was_broken_meanwhile(lab: Laboratory, recorded: Bench) -> None:
    assert recorded.cases
    changes = lab.changes()
    assert {"DeleteDBCluster", "DeleteDBInstance", "DeleteDBClusterSnapshot"} <= {call.operation for call in changes}
    uncopied = lab.uncopied_operations()
    assert observer.violations(changes, failed=lab.failed_clusters(), uncopied=uncopied) == []
