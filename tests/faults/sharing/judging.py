"""A night with a fault in it and the one after: what must be right about both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local_cloud.credentials import ACCOUNT_ID
from tests.conventions.cfn_yaml import load_template
from tests.faults.sharing.cases import COPY, Case
from tests.faults.sharing.production import BY_HAND, CLUSTER, OF_A_PERSON, SHARED, Night, Production
from tests.integration.stage.outcome import ApiCall
from tests.waiting import wait_for

# By which metric CloudWatch knows of an execution that ended so.
_METRICS = {"FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut", "ABORTED": "ExecutionsAborted"}
_OF_THE_CLUSTER = ("DbClusterResourceId", "Status", "DeletionProtection", "KmsKeyId", "BackupRetentionPeriod")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A case, whether its fault was met, and what was wrong about the two nights."""

    case: Case
    was_met: bool
    problems: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether all was as it should be."""
        return self.was_met and not self.problems

    @property
    def verdict(self) -> str:
        """How it ended, in a word or two."""
        return "right" if self.is_right else "WRONG" if self.was_met else "not reached"

    def __str__(self) -> str:
        """Say how it ended, a line for each problem."""
        return "\n      ".join([f"{self.verdict} {self.case.case_id}", *self.problems])


def judge(production: Production, case: Case) -> Judged:
    """Play a night in which the fault happens and the next one, in which nothing does."""
    others, shared_before = _others(production), _shared(production)
    source, since = production.back_up(), production.calls_so_far()
    with production.fault(case.fault):
        arn = production.start()
        if case.kind.stops:
            wait_for(lambda: _was_met(production.calls(since), case), case.case_id, every=0.1)
            production.stop(arn)
        night = production.night(arn, since)
    was_met = _was_met(night.calls, case) or case.kind.fault["kind"] in ("end-in", "freeze")
    problems = _problems_of_the_night(night, case, source)
    shared = _shared(production)
    if not shared:
        problems.append("nothing is shared any more")
    never_copied = case.call.operation == COPY and not (case.kind.passes or case.kind.stops)
    if never_copied and shared != shared_before:
        problems.append(f"{shared} is shared instead of {shared_before}")
    next_source = production.back_up()
    after = production.night()
    problems += [f"the next night: {problem}" for problem in _problems_of_a_good_night(after, next_source)]
    left = [name for name in production.snapshots() if name not in (BY_HAND, OF_A_PERSON)]
    if left != [_name(after.output.get("shared", ""))]:
        problems.append(f"the next night left {left}")
    if _others(production) != others:
        problems.append(f"what is not the state machine's is {_others(production)} instead of {others}")
    problems += _trespasses([*night.calls, *after.calls], production)
    return Judged(case=case, was_met=was_met, problems=problems)


def _problems_of_the_night(night: Night, case: Case, source: str) -> list[str]:
    kind = case.kind
    if kind.passes:
        return _problems_of_a_good_night(night, source)
    expected = "ABORTED" if kind.stops else "TIMED_OUT" if kind.is_slow else "FAILED"
    problems = []
    if night.status != expected:
        problems.append(f"ended as {night.status} {night.error} instead of {expected}: {night.cause}")
    elif kind.says and kind.says not in f"{night.error}: {night.cause}":
        problems.append(f"does not say {kind.says!r}: {night.error}: {night.cause}")
    if _METRICS.get(night.status) not in _alarmed():
        problems.append(f"no alarm knows of an execution that is {night.status}")
    return problems


def _problems_of_a_good_night(night: Night, source: str) -> list[str]:
    if night.status != "SUCCEEDED":
        return [f"did not share: {night.status} {night.error}: {night.cause}"]
    found = (night.output["source"], night.output["with"])
    return [] if found == (source, ACCOUNT_ID) else [f"shared {found} instead of {source}"]


def _alarmed() -> set[str]:
    """Name the metrics whose sum the alarm on failed sharing watches."""
    properties = load_template("infrastructure/source-account.yaml")["Resources"]["SharingFailedAlarm"]["Properties"]
    metrics = [item for item in properties["Metrics"] if "MetricStat" in item]
    assert all(item["Id"] in properties["Metrics"][0]["Expression"] for item in metrics)
    return {item["MetricStat"]["Metric"]["MetricName"] for item in metrics}


def _was_met(calls: Sequence[ApiCall], case: Case) -> bool:
    """Tell whether a call of the case was answered otherwise than RDS would have."""
    return any(call.operation == case.call.operation and call.outcome != "OK" for call in calls)


def _shared(production: Production) -> list[str]:
    return [
        name for name, accounts in production.snapshots().items()
        if name.startswith(f"{SHARED}2") and ACCOUNT_ID in accounts
    ]  # fmt: skip


def _others(production: Production) -> dict[str, Any]:
    snapshots = production.snapshots()
    of_people = {name: snapshots.get(name) for name in (BY_HAND, OF_A_PERSON)}
    return of_people | {CLUSTER: {name: production.cluster[name] for name in _OF_THE_CLUSTER}}


def _trespasses(calls: Sequence[ApiCall], production: Production) -> list[str]:
    """Name the changes of anything but the state machine's own snapshots, and copies that are not under its key."""
    problems, key = [], production.outputs["SharedSnapshotsKeyArn"]
    for call in calls:
        if not call.is_change:
            continue
        wanted = call.parameters
        name = wanted.get("TargetDBClusterSnapshotIdentifier") or wanted.get("DBClusterSnapshotIdentifier", "")
        if not name.startswith(f"{SHARED}2"):
            problems.append(f"{call.operation} of {name}")
        if wanted.get("KmsKeyId", key) != key:
            problems.append(f"a copy under {wanted['KmsKeyId']}")
        if wanted.get("ValuesToAdd", [ACCOUNT_ID]) != [ACCOUNT_ID]:
            problems.append(f"{name} shared with {wanted['ValuesToAdd']}")
    return problems


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
