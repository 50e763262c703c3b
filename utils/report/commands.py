"""What a person types or opens next: the commands that bring the old target back or resume a run, and its page."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from utils.aws.rds_reader import ENGINE
from utils.aws.target.to_api import changes_after_restore, member_parameters, restore_parameters
from utils.aws.target.to_cli import cli_options
from utils.cluster_settings.model import ClusterSettings, Member, TargetSettings
from utils.identifiers import region_and_account
from utils.operation.model import Operation

# Between the parts of a command: its next line.
NEXT_LINE = " \\\n  "
_LONGEST_CLUSTER_ID, _LONGEST_NUMBER = 63, 3
# Of all commands: a message holds 256 KB, and they are in it three times.
_LONGEST = 20_000
_ANY_CLASS = "db.r8g.large"
_SUFFIX = "-before"
_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def commands_to_bring_back(operation: Operation) -> list[str]:
    """Return AWS CLI commands that restore the old target as it was, beside the new one; none without a final snapshot.

    What hangs on a cluster (custom endpoints, proxies and the like) is the new one's. Tags are left out where they
    would not fit into a message.
    """
    old, deletion = operation.old_target, operation.deletion
    if operation.bring_back is not None and operation.bring_back.finished_at is not None:
        return []  # it is back
    if old is None or deletion is None or deletion.final_snapshot_arn is None or operation.begun.final_snapshot_lost:
        return []
    commands = _commands(operation.identifiers.target_cluster_id, old.settings, deletion.final_snapshot_arn)
    if sum(map(len, commands)) <= _LONGEST:
        return commands
    bare = [member.model_copy(update={"tags": None}) for member in old.settings.members]
    settings = old.settings.model_copy(update={"tags": None, "members": bare})
    return _commands(operation.identifiers.target_cluster_id, settings, deletion.final_snapshot_arn)


def _commands(target_id: str, had: TargetSettings, snapshot_arn: str) -> list[str]:
    # RDS shows zones of the storage that no subnet need be in; each instance names its own.
    settings = had.model_copy(update={"availability_zones": None})
    region, _ = region_and_account(snapshot_arn)
    cluster_id = target_id[: _LONGEST_CLUSTER_ID - len(_SUFFIX) - _LONGEST_NUMBER].rstrip("-") + _SUFFIX
    cluster = {"DBClusterIdentifier": cluster_id}
    restored = cluster | {"SnapshotIdentifier": snapshot_arn.rpartition(":")[2], "Engine": ENGINE}
    members = settings.members or [Member(identifier=target_id, instance_class=_ANY_CLASS)]
    created = [
        {"Engine": ENGINE, **cluster}
        | member_parameters(
            member.model_copy(update={"identifier": f"{cluster_id}-{number}", "publicly_accessible": False}),
            (settings.tags if member.tags is None else member.tags) or {},
        )
        for number, member in enumerate(members, 1)
    ]
    return [
        _command(
            "restore-db-cluster-from-snapshot", region, restored | restore_parameters(settings, settings.tags or {})
        ),
        _command("wait db-cluster-available", region, cluster),
        *(_command("create-db-instance", region, parameters) for parameters in created),
        *_afterwards(region, cluster, settings, snapshot_arn.rpartition(":cluster-snapshot:")[0]),
    ]


def _afterwards(region: str, cluster: dict[str, str], settings: TargetSettings, arn_before: str) -> list[str]:
    """Return what no restore takes, once an instance is there."""
    changes: dict[str, Any] = {}
    for change in changes_after_restore(settings, ClusterSettings()).values():
        changes |= change
    if settings.manage_master_user_password:
        changes["ManageMasterUserPassword"] = True
    wait = _command("wait db-cluster-available", region, cluster)
    found = [_command("modify-db-cluster", region, cluster | changes | {"ApplyImmediately": True})] if changes else []
    if settings.data_api:
        arn = f"{arn_before}:cluster:{cluster['DBClusterIdentifier']}"
        found.append(_command("enable-http-endpoint", region, {"ResourceArn": arn}))
    return [wait, *found] if found else []


def _command(verb: str, region: str, parameters: Mapping[str, Any]) -> str:
    return NEXT_LINE.join([f"aws rds {verb}", f"--region {region}", *cli_options(parameters)])


def execution_url(execution_arn: str) -> str | None:
    """Return the page of an execution in the AWS console; None for a step that was called by hand."""
    if not execution_arn:
        return None
    _, partition, _, region, *_ = execution_arn.split(":")
    host = _CONSOLES.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{host}/states/home?region={region}#/v2/executions/details/{execution_arn}"


def resume_command(operation_id: str, execution_arn: str) -> str | None:
    """Return the command that starts an execution which resumes an operation; None as above."""
    return _start_command(execution_arn, {"resume": operation_id})


def go_on_command(operation_id: str, execution_arn: str) -> str | None:
    """Return the command that goes on with what deletes or stops a cluster and failed; None as above.

    A redrive of its execution would only come to its Fail state again.
    """
    return _start_command(execution_arn, {"operation_id": operation_id, "wait_seconds": 0})


def _start_command(execution_arn: str, request: Mapping[str, Any]) -> str | None:
    if not execution_arn:
        return None
    region = execution_arn.split(":")[3]
    machine = execution_arn.replace(":execution:", ":stateMachine:", 1).rpartition(":")[0]
    return NEXT_LINE.join(
        [
            f"aws stepfunctions start-execution --region {region}",
            f"--state-machine-arn {machine}",
            f"--input {shlex.quote(json.dumps(request))}",
        ]
    )
