"""How a run ended, and every trace that it left."""

from dataclasses import dataclass, field
from typing import Any

from tests.integration.stage.mailbox import Message

CHANGING = (
    "Add", "Copy", "Create", "Delete", "Enable", "Modify", "Reboot", "Register", "Remove", "Restore", "Start", "Stop",
)  # fmt: skip


@dataclass(frozen=True)
class ApiCall:
    """One line of the local Aurora's journal."""

    time: str
    caller: str
    account_id: str
    region: str
    operation: str
    parameters: dict[str, Any]
    outcome: str
    message: str
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def by_function(self) -> str:
        """The function whose role made the call, empty for anybody else's."""
        role = self.caller.rpartition(":assumed-role/")[2].partition("/")[0]
        is_ours = role.startswith("aurora-restore-") and role.endswith("-us-west-2")
        return role.removesuffix("-us-west-2") if is_ours else ""

    @property
    def is_change(self) -> bool:
        """Whether the call wants to change something, and was not refused."""
        return self.operation.startswith(CHANGING) and self.outcome in ("OK", "dropped")

    @property
    def renames(self) -> str:
        """The identifier that the call replaces by another one, empty for any other call."""
        for what in ("DBClusterIdentifier", "DBInstanceIdentifier"):
            if f"New{what}" in self.parameters:
                return str(self.parameters[what])
        return ""

    def mentions(self, name: str) -> bool:
        """Whether a parameter is or contains a name, or that of a cluster whose member a parameter names."""
        clusters = [cluster["arn"].rpartition(":")[2] for cluster in self.before.get("clusters", [])]
        return name in str(self.parameters) or name in clusters


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """An execution that has ended."""

    operation_id: str
    target_id: str
    status: str
    error: str
    cause: str
    output: dict[str, Any]
    history: list[dict[str, Any]]
    row: dict[str, Any]
    audit: list[dict[str, Any]]
    calls: list[ApiCall]
    messages: list[Message]
    lock: dict[str, Any] | None

    @property
    def states(self) -> list[str]:
        """The states in the order in which they were entered."""
        details = (event.get("stateEnteredEventDetails") for event in self.history)
        return [item["name"] for item in details if item]

    @property
    def changes(self) -> list[ApiCall]:
        """What the functions changed, of what bears the target's name."""
        return [call for call in self.calls if call.by_function and call.is_change]

    @property
    def changed_operations(self) -> list[str]:
        """The names of the changing calls, in order."""
        return [call.operation for call in self.changes]

    def expect_success(self) -> "Outcome":
        """Fail with the run's own words unless it succeeded."""
        assert (self.status, self.error) == ("SUCCEEDED", ""), f"{self.error}: {self.cause}"
        return self

    def expect_failure(self, name: str, *words: str, in_a_step: bool = True) -> "Outcome":
        """Fail unless the run ended with this error everywhere, and its message says what to do.

        in_a_step: a step raised it, and not the state machine itself.
        """
        assert (self.status, self.error) == ("FAILED", name), f"{self.status} {self.error}: {self.cause}"
        for word in ("found ", "; expected ", "; what to do: ", *words):
            assert word in self.cause
        assert self.row["status"] == "FAILED"
        assert self.row["error"]["name"] == name
        assert self.row["error"]["message"] == self.cause
        assert self.states[-2:] == ["SNS Failure Notification", "Failed"]
        assert self.row["error"]["step"] in self.states
        if in_a_step:
            assert [row["status"] for row in self.audit if row["event"] == "FAILED"][-1] == name
        assert self.lock is None, "the lock is still held"
        [message] = self.messages
        assert message.subject.endswith(f"FAILED: {name}")
        assert self.cause in message.text
        return self
