"""A fault at one call of every step, each kind at least once: the run ends as if nothing had been."""

from tests.faults import observer
from tests.faults.cases import KINDS, SQL_KINDS
from tests.faults.laboratory import Laboratory
from tests.faults.pool import Bench, run_all
from tests.faults.sample import sample
from tests.faults.sweep import RIGHT


def test_every_fault_of_the_sample_has_the_right_outcome(recorded: Bench) -> None:
    chosen = sample(recorded.fault_free.cases)
    assert {case.kind for case in chosen} == {*KINDS, *SQL_KINDS}
    assert len({case.location.step for case in chosen}) == 10
    judged = run_all([recorded], chosen, at_once=2, waiting_at_once=1)
    assert {item.case.case_id: item.problems for item in judged if item.verdict not in RIGHT} == {}


def test_no_invariant_was_broken_meanwhile(lab: Laboratory, recorded: Bench) -> None:
    assert recorded.fault_free.locations
    changes = lab.changes()
    assert {"DeleteDBCluster", "DeleteDBInstance", "DeleteDBClusterSnapshot"} <= {call.operation for call in changes}
    assert observer.violations(changes) == []
