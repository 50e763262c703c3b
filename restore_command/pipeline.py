"""The deployed pipeline of an account and Region: its state machine, its stack's parameters, its tables."""

from functools import cached_property
from typing import Any

from deployment import stacks
from deployment.account import Account, Refused, told
from deployment.environments import the_only_one
from deployment.names import Names
from utils.validate_request import StackDefaults

STATE_TABLE, AUDIT_TABLE, APPROVALS_TABLE = "state", "audit", "approvals"

EVIDENCE_FUNCTION = "write-evidence"


class Pipeline:
    """A deployed pipeline; raises `Refused` where AWS does not answer or nothing is deployed."""

    def __init__(self, account: Account, environment: str | None = None) -> None:
        self.account = account
        self._environment = environment

    @cached_property
    def names(self) -> Names:
        """Its names: those of the environment, or of the one that the Region has."""
        if self._environment is None:
            return the_only_one(self.account)
        return stacks.names_of(self.account, self._environment)

    @property
    def region(self) -> str:
        """The target Region."""
        return self.account.region

    @cached_property
    def states(self) -> Any:
        """The client of Step Functions."""
        return self.account.client("stepfunctions")

    @cached_property
    def _stack(self) -> stacks.Stack:
        with told():
            found = stacks.find_stack(self.account, self.names.pipeline)
        if found is None:
            raise Refused(
                f"no stack {self.names.pipeline} in {self.region}: deploy it, or name its Region with --region"
            )
        return found

    @property
    def state_machine_arn(self) -> str:
        """The ARN of the state machine; raises `Refused` for a stack whose deployment was not finished."""
        return stacks.state_machine_of(self.account, self._stack)

    def parameter(self, name: str) -> str:
        """Return a parameter of the stack, empty where it has none."""
        return self._stack.parameters.get(name, "")

    @property
    def fleet_machine_arn(self) -> str:
        """The ARN of the state machine of fleets; raises `Refused` for a stack from before there were any."""
        found = self._stack.outputs.get("FleetStateMachineArn")
        if found is None:
            raise Refused(f"the pipeline in {self.region} has no fleets yet: deploy it once more")
        return found

    @property
    def fleet_lists(self) -> str:
        """Where in S3 fleets may read lists, `s3://bucket/fleets/`; raises `Refused` for a stack from before that."""
        found = self._stack.outputs.get("FleetLists")
        if found is None:
            raise Refused(f"the fleets in {self.region} read no lists from S3 yet: deploy the pipeline once more")
        return found

    @property
    def defaults(self) -> StackDefaults:
        """What the stack fills in."""
        parameters = self._stack.parameters
        return StackDefaults(
            source_cluster_id=parameters.get("SourceClusterId", ""),
            source_region=parameters.get("SourceRegion", ""),
            target_cluster_id=parameters.get("TargetClusterId", ""),
            request_defaults=parameters.get("RequestDefaults", "{}"),
            mandatory_request=parameters.get("MandatoryRequest", "{}"),
        )

    def refuse_unless_of(self, environment: str) -> None:
        """Refuse a Region whose pipeline is of another environment."""
        stacks.prerequisites_of(self.account, environment)

    def refuse_unfinished(self) -> None:
        """Refuse a stack whose deployment was not finished."""
        stacks.state_machine_of(self.account, self._stack)

    def table(self, name: str) -> Any:
        """Return a table by what it keeps."""
        return self.account.session.resource("dynamodb").Table(self.names.of(name))
