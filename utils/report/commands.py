"""What a person types or opens next: the commands that bring the old target back or resume a run, and its page."""

import json
import shlex

from utils.identifiers import region_and_account
from utils.operation.model import Operation

_LONGEST_CLUSTER_ID = 63
_SUFFIX = "-before"
_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def commands_to_bring_back(operation: Operation) -> list[str]:
    """Return AWS CLI commands that restore the old target beside the new one; none without a final snapshot."""
    old, deletion = operation.old_target, operation.deletion
    if old is None or deletion is None or deletion.final_snapshot_arn is None or operation.begun.final_snapshot_lost:
        return []
    region, _ = region_and_account(deletion.final_snapshot_arn)
    target_id = operation.identifiers.target_cluster_id
    cluster_id = target_id[: _LONGEST_CLUSTER_ID - len(_SUFFIX) - 2].rstrip("-") + _SUFFIX
    settings = old.settings
    restore = {
        "--region": region,
        "--db-cluster-identifier": cluster_id,
        "--snapshot-identifier": deletion.final_snapshot_arn.rpartition(":")[2],
        "--engine": "aurora-postgresql",
        "--engine-version": settings.engine_version,
    }
    if settings.subnet_group:
        restore["--db-subnet-group-name"] = settings.subnet_group
    if settings.port:
        restore["--port"] = str(settings.port)
    if settings.serverless_v2 is not None:
        capacity = settings.serverless_v2
        restore["--serverless-v2-scaling-configuration"] = (
            f"MinCapacity={capacity.min_capacity:g},MaxCapacity={capacity.max_capacity:g}"
        )
    groups = " ".join(shlex.quote(group) for group in settings.security_group_ids or [])
    instance = {
        "--region": region,
        "--db-instance-identifier": f"{cluster_id}-1",
        "--db-cluster-identifier": cluster_id,
        "--db-instance-class": (settings.members[0].instance_class if settings.members else None) or "db.r8g.large",
        "--engine": "aurora-postgresql",
    }
    return [
        _command("restore-db-cluster-from-snapshot", restore)
        + (f" \\\n  --vpc-security-group-ids {groups}" * bool(groups)),
        _command("wait db-cluster-available", {"--region": region, "--db-cluster-identifier": cluster_id}),
        _command("create-db-instance", instance),
    ]


def _command(verb: str, options: dict[str, str]) -> str:
    return " \\\n  ".join([f"aws rds {verb}", *(f"{name} {shlex.quote(value)}" for name, value in options.items())])


def execution_url(execution_arn: str) -> str | None:
    """Return the page of an execution in the AWS console; None for a step that was called by hand."""
    if not execution_arn:
        return None
    _, partition, _, region, *_ = execution_arn.split(":")
    host = _CONSOLES.get(partition, "console.aws.amazon.com")
    return f"https://{region}.{host}/states/home?region={region}#/v2/executions/details/{execution_arn}"


def resume_command(operation_id: str, execution_arn: str) -> str | None:
    """Return the command that starts an execution which resumes an operation; None as above."""
    if not execution_arn:
        return None
    region = execution_arn.split(":")[3]
    machine = execution_arn.replace(":execution:", ":stateMachine:", 1).rpartition(":")[0]
    request = shlex.quote(json.dumps({"resume": operation_id}))
    return " \\\n  ".join(
        [
            f"aws stepfunctions start-execution --region {region}",
            f"--state-machine-arn {machine}",
            f"--input {request}",
        ]
    )
