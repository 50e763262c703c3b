"""Faults in the calls of the state machine that shares snapshots: said or survived, and healed the next night."""

import os
from collections.abc import Iterator

import pytest

from tests.faults.sharing.cases import IN_THE_SAMPLE, KINDS, Case, Kind, cases, sample
from tests.faults.sharing.judging import judge
from tests.faults.sharing.production import Production, production
from tests.faults.sharing.sweep import every_case
from tests.integration.stage.outcome import ApiCall

OWN = "aurora-restore-shared-202611260300-production"


@pytest.fixture(scope="module")
def place() -> Iterator[Production]:
    """Production's account, with the state machine deployed."""
    with production() as running:
        yield running


@pytest.mark.local_cloud
def test_whatever_goes_wrong_is_said_or_survived_and_the_next_night_heals_it(place: Production) -> None:
    every = every_case(place)
    chosen = sample(every, os.environ.get("FAULTS_SEED", "0"))
    assert {case.call for case in chosen} == {case.call for case in every}
    assert len({case.kind.name for case in chosen}) == len(chosen) == IN_THE_SAMPLE
    wrong = [judged for case in chosen if not (judged := judge(place, case)).is_right]
    assert not wrong, "\n".join(map(str, wrong))


def call(operation: str, **parameters: str) -> ApiCall:
    return ApiCall("", "", "", "", operation, parameters, "OK", "")


def test_every_call_of_a_night_is_swept_once_however_often_the_copy_is_looked_at() -> None:
    automated, look = (
        call("DescribeDBClusterSnapshots"),
        call("DescribeDBClusterSnapshots", DBClusterSnapshotIdentifier=OWN),
    )
    copy = call("CopyDBClusterSnapshot", SourceDBClusterSnapshotIdentifier="rds:production-2026-11-26-03-00")
    removal = call("DeleteDBClusterSnapshot", DBClusterSnapshotIdentifier=OWN)
    night = [automated, copy, look, look, automated]
    found = cases([[*night, removal], night])
    assert {case.call.name for case in found} == {
        "DescribeDBClusterSnapshots/all-1",
        "CopyDBClusterSnapshot/automated-1",
        "DescribeDBClusterSnapshots/own-1",
        "DescribeDBClusterSnapshots/all-2",
    }
    assert len({case.case_id for case in found}) == len(found)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_fault_is_met_by_the_call_that_it_is_meant_for(kind: Kind) -> None:
    night = [call("DescribeDBClusterSnapshots"), call("DescribeDBClusterSnapshots")]
    for case in cases([night]):
        assert case.fault["skip"] == case.call.place
    copies = cases([[call("CopyDBClusterSnapshot", SourceDBClusterSnapshotIdentifier="rds:production")]])
    of_kind: list[Case] = [case for case in copies if case.kind == kind]
    assert [case.fault["operation"] for case in of_kind] == (["CopyDBClusterSnapshot"] if of_kind else [])
