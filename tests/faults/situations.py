"""What a run meets faults in: what is asked for, what people do meanwhile, and how it ends where nothing goes wrong."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_cloud.regions import TARGET_REGION
from tests.faults.cases import ANSWER, BACK, ENDED, FAILED, FUNCTION_PREFIX, Location

RETIREMENT, AFTERWARDS = "-retirement", "-afterwards"
# Hours that are seconds here: long enough for the swap to end before its retirement begins.
SHORT_GRACE, LONG_GRACE = 0.4, 8000.0
SOON = 0.02
LONG_PATIENCE, SHORT_PATIENCE = 96.0, 0.05
APPROVE, REJECT, STOP = "approve", "reject", "stop"
FAILS_FOR_GOOD = f"{FUNCTION_PREFIX}setup-db-users"  # by a check that never holds
_CHANGES_OF_THE_NEW_CLUSTER = 3  # its maintenance window, its protection, its master's password: then its name


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A request and its circumstances.

    wishes: what the request has beside every lane's. undoes: the run undoes a swap that came before it. after: what
    follows the run's name in that of the execution which deals with a cluster after it, and whose calls are swept as
    well. people: what somebody does once the run asks. refused: RDS refuses the second rename of a swap for good.
    brings_back: the new cluster fails for good, and the old data comes back. messages: how many people get.
    """

    name: str
    wishes: Mapping[str, Any] = field(default_factory=dict)
    undoes: bool = False
    after: str = ""
    people: str = ""
    refused: bool = False
    brings_back: bool = False
    status: str = "SUCCEEDED"
    error: str = ""
    messages: int = 1

    @property
    def parts(self) -> tuple[str, ...]:
        """What follows the run's name in those of the executions that are swept, each in its turn."""
        return ("", self.after) if self.after else ("",)

    @property
    def exchanges_names(self) -> bool:
        """Whether the new cluster is proven under the target's name by a login of its own."""
        return self.wishes.get("strategy") == "swap" and not self.refused

    @property
    def is_drill(self) -> bool:
        """Whether nothing but the evidence stays; one that failed is cleaned up and not resumed."""
        wanted = self.wishes.get("afterwards")
        return wanted is not None and wanted["action"] == "delete"

    @property
    def takes_new_snapshot(self) -> bool:
        """Whether the run takes a snapshot of its source first."""
        return bool(self.wishes.get("source", {}).get("snapshot") == "new")

    @property
    def is_beside_its_source(self) -> bool:
        """Whether its source is the production in the target's Region."""
        return bool(self.wishes.get("source", {}).get("cluster_id") == PRODUCTION_BESIDE)

    @property
    def takes_back(self) -> bool:
        """Whether the run takes back what it did, after a failure for good."""
        return self.refused or self.brings_back

    @property
    def changes_nothing(self) -> bool:
        """Whether the run ends before anything is changed."""
        return self.people in (REJECT, STOP) or self.error == "ApprovalTimedOut"

    def has(self, location: Location) -> bool:
        """Whether the call is swept here: what EventBridge has called is waited for only where nothing else closes.

        What is denied to the step that fails is one more reason to turn back, and no other outcome to be resumed.
        """
        if self.brings_back and location.function == FAILS_FOR_GOOD and not location.after and not location.asked:
            return False
        return location.asked != ENDED or self.people == STOP

    def sameness(self, location: Location) -> Hashable:
        """Return what the same call, of the same step at the same point in the plan, has in common everywhere."""
        if location.of:
            plan = location.of
        elif self.undoes or location.asked in (ANSWER, FAILED, ENDED):
            plan = self.name
        elif location.after:
            plan = BACK
        else:
            plan = "restore"
        # How often a run looks differs from run to run; where it looked once is known.
        return plan, location.function, location.event_keys, location.changed_before, location.looks_since


PRODUCTION_BESIDE = "production-beside"
_AT_ONCE = {"action": "delete", "after_hours": 0}
_BESIDE = {"cluster_id": PRODUCTION_BESIDE, "region": TARGET_REGION}
_SWAP = {"strategy": "swap"}
# Of the new cluster only: nothing of the old data is checked but that it answers.
NEVER_HOLD = [{"name": "never", "database": "postgres", "sql": "SELECT 1", "expect": 2}]
# The other sources, and what becomes of a cluster afterwards; the sample has one of them. AWS Backup's snapshots make
# no other calls.
LATER_SITUATIONS = (
    Situation(
        name="new-then-stopped",
        wishes={
            "source": {"snapshot": "new"},
            "keep_new_snapshots": 1,
            "afterwards": {"action": "stop", "after_hours": SOON},
        },
        after=AFTERWARDS,
        messages=2,
    ),
    Situation(name="point-in-time", wishes={"source": _BESIDE | {"restore_time": "latest"}}),
    Situation(name="drill", wishes={"afterwards": _AT_ONCE}, after=AFTERWARDS, messages=2),
    Situation(name="clone", wishes={"source": _BESIDE | {"fast_clone": True}}),
)
# The first that has a call is the one in which it is swept: those that cost least come first.
FIRST_SITUATIONS = (
    Situation(
        name="rejected",
        wishes={"approval": {"timeout_hours": LONG_PATIENCE}},
        people=REJECT,
        status="FAILED",
        error="ApprovalRejected",
        messages=2,
    ),
    Situation(
        name="unanswered",
        wishes={"approval": {"timeout_hours": SHORT_PATIENCE}},
        status="FAILED",
        error="ApprovalTimedOut",
        messages=2,
    ),
    Situation(
        name="stopped",
        wishes={"approval": {"timeout_hours": LONG_PATIENCE}},
        people=STOP,
        status="ABORTED",
        messages=2,
    ),
    Situation(name="replace"),
    Situation(name="swap", wishes=_SWAP | {"keep_old_hours": SHORT_GRACE}, after=RETIREMENT, messages=2),
    Situation(name="undo", wishes=_SWAP | {"keep_old_hours": LONG_GRACE}, undoes=True, messages=2),
    Situation(
        name="rolled-back",
        wishes=_SWAP | {"keep_old_hours": LONG_GRACE},
        refused=True,
        status="FAILED",
        error="AwsRequestRejected",
    ),
    Situation(
        name="brought-back",
        wishes={"on_failure": "bring_back", "checks": NEVER_HOLD, "approval": {"timeout_hours": LONG_PATIENCE}},
        people=APPROVE,
        brings_back=True,
        status="FAILED",
        error="CheckFailed",
        messages=2,
    ),
)
SITUATIONS = (*FIRST_SITUATIONS, *LATER_SITUATIONS)


def refusal(lane: str) -> dict[str, Any]:
    """Return the local Aurora's words for the refusal of the new cluster's rename."""
    return {
        "kind": "error",
        "operation": "ModifyDBCluster",
        "identifier": f"{lane}-new",
        "skip": _CHANGES_OF_THE_NEW_CLUSTER,
        "times": 0,
        "code": "InvalidParameterCombination",
        "message": "not now",
    }
