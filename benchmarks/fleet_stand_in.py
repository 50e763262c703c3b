"""A stand-in for the pipeline's state machine: copies as RDS lets it, waits as a restore takes, asks no function.

With it a fleet's time is that of its own state machine and of RDS's quota, not that of this machine's two cores.
"""

import json
from typing import Any

from local_cloud.aurora.settings import Durations
from local_cloud.cloud import LocalCloud
from utils.runtime.waiting import ALLOWED_LATENESS, LONGEST_WAIT_SECONDS, SHORTEST_WAIT_SECONDS

_TASK = "arn:aws:states:::aws-sdk:rds:"
_NEXT_LOOK = f"$min([$max([$elapsed * {ALLOWED_LATENESS}, {SHORTEST_WAIT_SECONDS}]), {LONGEST_WAIT_SECONDS}])"


def seconds_after_the_copy() -> float:
    """How long a run goes on after its copy, in RDS's time: a cluster, an instance, a change of each."""
    took = Durations()
    return took.restore_cluster + took.create_instance + 2 * took.modify


def stand_in(cloud: LocalCloud, machine: str, source: str) -> None:
    """Put it in the place of the pipeline's state machine; `source` is what comes before a snapshot's name."""
    iam, key = cloud.client("iam"), cloud.client("kms").create_key(Description="copies")["KeyMetadata"]["Arn"]
    role = iam.create_role(
        RoleName="benchmark-stand-in",
        AssumeRolePolicyDocument=_policy(Action="sts:AssumeRole", Principal={"Service": "states.amazonaws.com"}),
    )["Role"]["Arn"]
    allowed = _policy(Action=["rds:*", "kms:*"], Resource="*")
    iam.put_role_policy(RoleName="benchmark-stand-in", PolicyName="copy", PolicyDocument=allowed)
    definition = {"QueryLanguage": "JSONata", "StartAt": "Begin", "States": _states(key, source)}
    cloud.client("stepfunctions").update_state_machine(
        stateMachineArn=machine, definition=json.dumps(definition), roleArn=role
    )


def _states(key: str, source: str) -> dict[str, Any]:
    """Copy, or wait for a place and copy; look as the pipeline looks; then be a restore."""
    copy = "{% $states.context.Execution.Name %}"
    return {
        "Begin": {
            "Type": "Pass",
            "Assign": {
                "snapshot": f"{{% '{source}' & $states.input.source.snapshot %}}",
                "elapsed": 0,
                "copying": False,
            },
            "Next": "Copy",
        },
        "Copy": {
            "Type": "Task",
            "Resource": f"{_TASK}copyDBClusterSnapshot",
            "Arguments": {
                "SourceDBClusterSnapshotIdentifier": "{% $snapshot %}",
                "TargetDBClusterSnapshotIdentifier": copy,
                "KmsKeyId": key,
            },
            "Assign": {"elapsed": 0, "copying": True},
            "Catch": [{"ErrorEquals": ["Rds.SnapshotQuotaExceededException"], "Next": "Wait"}],
            "Next": "Wait",
        },
        "Wait": {
            "Type": "Wait",
            "Seconds": f"{{% $round({_NEXT_LOOK}) %}}",
            "Assign": {"elapsed": f"{{% $elapsed + $round({_NEXT_LOOK}) %}}"},
            "Next": "Is It Copying?",
        },
        "Is It Copying?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $copying %}", "Next": "Look"}],
            "Default": "Copy",
        },
        "Look": {
            "Type": "Task",
            "Resource": f"{_TASK}describeDBClusterSnapshots",
            "Arguments": {"DbClusterSnapshotIdentifier": copy},
            "Output": "{% $states.result.DbClusterSnapshots[0].Status %}",
            "Next": "Is It Copied?",
        },
        "Is It Copied?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input = 'available' %}", "Next": "Restore"}],
            "Default": "Wait",
        },
        "Restore": {"Type": "Wait", "Seconds": round(seconds_after_the_copy()), "End": True},
    }


def _policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
