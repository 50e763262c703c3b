"""The drill of the throwaway's snapshot: started, waited for, and cleaned up by the pipeline itself."""

import json
from typing import Any

from botocore.exceptions import ClientError

from deployment.account import error_code
from deployment.selftest.setting import Setting
from deployment.throwaway.removals import Removals
from deployment.throwaway.waiting import NotReached, until
from restore_command.pipeline import STATE_TABLE
from restore_command.records import Run, records_of
from utils.operation.model import Operation, OperationStatus
from utils.operation.retirement import afterwards_id
from utils.operation.state_table import runs_key, source_key

_MOST_HOURS = 36  # the state machine's own budgets end it long before
_CLEAN_UP_MINUTES = 120


class DrillFailed(Exception):
    """The drill did not succeed; the message has the pipeline's own words."""


class Drill:
    """One execution of the state machine."""

    def __init__(self, setting: Setting, removals: Removals) -> None:
        self._setting, self._removals = setting, removals
        self._states, self._records = setting.pipeline.states, records_of(setting.pipeline)

    @property
    def _arn(self) -> str:
        machine = self._setting.pipeline.state_machine_arn
        return f"{machine.replace(':stateMachine:', ':execution:')}:{self._setting.operation_id}"

    def run(self) -> Operation:
        """Drill; return the operation's row. Raises `DrillFailed`."""
        name = self._setting.operation_id
        self._removals.note(f"drill {name}, by the pipeline's own clean-up", self.remove)
        self._states.start_execution(
            stateMachineArn=self._setting.pipeline.state_machine_arn,
            name=name,
            input=json.dumps(self._setting.request),
        )
        ended = until(self._end, f"the end of {name}", minutes=_MOST_HOURS * 60)
        if ended["status"] != "SUCCEEDED":
            raise DrillFailed(f"{ended.get('error', ended['status'])}: {_told(ended.get('cause', ''))}")
        run = self._records.at(name)
        if run is None or run.operation is None:
            raise DrillFailed(f"{name} has succeeded and has no row in its table of the state")
        return run.operation

    def remove(self) -> None:
        """End it if it goes on, wait for the pipeline's clean-up, and take away what it learned for later runs."""
        found = self._describe()
        if found is None:
            return
        if found["status"] == "RUNNING":
            self._states.stop_execution(executionArn=self._arn, cause="the selftest was stopped")
        self.wait_for_clean_up()
        for key in self._learned():
            self._setting.pipeline.table(STATE_TABLE).delete_item(Key={"operation_id": key})

    def _learned(self) -> list[str]:
        """Return the rows that are of use to a later run over the same source or target, of which there is none."""
        source, pipeline = self._setting.source, self._setting.pipeline
        run = self._records.at(self._setting.operation_id)
        timed_as = [run.operation.identifiers.timed_as] if run is not None and run.operation is not None else []
        return [
            source_key(source.region, source.account_id, self._setting.cluster),
            *(runs_key(pipeline.region, name) for name in timed_as),
        ]

    def wait_for_clean_up(self) -> str:
        """Wait until the pipeline has removed what the drill made; return that in words. Raises `NotReached`."""
        name = self._setting.operation_id
        run = until(self._closed, f"the row of {name} to be closed", minutes=_CLEAN_UP_MINUTES)
        if not isinstance(run, Run) or run.operation is None:
            return "it had made nothing"
        clean_up = until(lambda: self._ended(afterwards_id(name)), "the clean-up", minutes=_CLEAN_UP_MINUTES)
        if clean_up.status is not OperationStatus.SUCCEEDED:
            raise NotReached(f"the clean-up {clean_up.operation_id} failed: {clean_up.error}")
        return f"{run.target} and its copy"

    def _closed(self) -> Run | bool | None:
        """Return the closed row; True for an execution that ended without one, and None while it goes on."""
        found = self._describe()
        if found is not None and found["status"] == "RUNNING":
            return None
        return self._ended(self._setting.operation_id) or self._records.at(self._setting.operation_id) is None

    def _ended(self, operation_id: str) -> Run | None:
        run = self._records.at(operation_id)
        return run if run is not None and run.status is not OperationStatus.RUNNING else None

    def _end(self) -> dict[str, Any] | None:
        found = self._describe()
        return found if found is not None and found["status"] != "RUNNING" else None

    def _describe(self) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = self._states.describe_execution(executionArn=self._arn)
        except ClientError as error:
            if error_code(error) != "ExecutionDoesNotExist":
                raise
            return None
        return answer


def _told(cause: str) -> str:
    """Return the pipeline's message; a function's own failure comes as JSON."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    return str(document.get("errorMessage", cause)) if isinstance(document, dict) else cause
