"""The sweep itself is tried: a step whose idempotency is broken on purpose makes it go red."""

import pytest

from tests.faults.laboratory import Laboratory
from tests.faults.mutants import Mutant, deployed
from tests.faults.pool import Bench, run_one
from tests.faults.sample import find
from tests.faults.sweep import RIGHT, Verdict

MUTANTS = {
    "deleting what is gone is taken for a failure": (
        Mutant(
            step="archive-snapshot",
            file="utils/aws/rds_writer.py",
            whole="            if find(RdsReader(self._client)) is not None:\n",
            broken="            if True:\n",
        ),
        ("DeleteDBClusterSnapshot", "reset"),
        "did not survive: AccessDenied",
    ),
    "the copy of an earlier call is not taken as ours": (
        Mutant(
            step="copy-snapshot",
            file="utils/aws/rds_writer.py",
            whole='_passing("rds:CopyDBClusterSnapshot", "DBClusterSnapshotAlreadyExistsFault")',
            broken='_passing("rds:CopyDBClusterSnapshot", "NoSuchCode")',
        ),
        ("CopyDBClusterSnapshot", "killed"),
        "did not survive: AwsRequestRejected",
    ),
    "the lock is not released": (
        Mutant(
            step="sns-notification",
            file="utils/steps/sns_notification.py",
            whole="self.services.operations.release_lock(\n            self.services.settings.target_region,\n",
            broken="(lambda *_: None)(\n            self.services.settings.target_region,\n",
        ),
        ("PutItem@state", "killed"),
        "lock: ",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_step_makes_the_sweep_red(lab: Laboratory, recorded: Bench, name: str) -> None:
    mutant, (operation, kind), problem = MUTANTS[name]
    case = find(recorded.cases, mutant.step, operation, kind)
    with deployed(lab, mutant):
        judged = run_one(recorded, case)
    assert judged.verdict is Verdict.WRONG, judged
    assert any(problem in line for line in judged.problems), judged.problems


def test_the_whole_steps_are_deployed_again(lab: Laboratory, recorded: Bench) -> None:
    case = find(recorded.cases, "sns-notification", "PutItem@state", "killed")
    judged = run_one(recorded, case)
    assert judged.verdict in RIGHT, judged.problems
    assert lab.changes()
