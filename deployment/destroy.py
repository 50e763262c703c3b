"""Deletes the pipeline's stack, and tells what is still there and how to remove it."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import WaiterError

from deployment import stacks
from deployment.account import Account, Refused, if_there, require_word, told
from deployment.names import Names
from utils.tags import MANAGED, ROLE, Role


def destroy(account: Account, environment: str, *, confirm: bool, ask: Callable[[str], str] = input) -> int:
    """Delete the stack unless a run is on; a stack that is gone already is fine."""
    names = stacks.prerequisites_of(account, environment).names
    with told():
        pipeline = stacks.find_stack(account, names.pipeline)
        if pipeline is None:
            print(f"no stack {names.pipeline} in {account.region}: nothing to delete")
        else:
            _refuse_while_running(account, pipeline)
            _refuse_protected_tables(account, names, pipeline)
            _tell_of_retirements(account, names, pipeline)
            if confirm:
                _confirm(account, names, ask)
            _delete(account, names)
            print(f"deleted stack {names.pipeline}")
        _tell_what_stays(account, names, pipeline)
    return 0


def _refuse_while_running(account: Account, pipeline: stacks.Stack) -> None:
    client = account.client("stepfunctions")
    for output, what in (("StateMachineArn", "run"), ("FleetStateMachineArn", "fleet")):
        machine = pipeline.outputs.get(output)
        if machine is None:  # a deployment that failed half-way
            continue
        running = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        if running:
            raise Refused(
                f"a {what} is on ({', '.join(execution['name'] for execution in running)}): it would stop half-way, "
                "with the target perhaps deleted and not yet restored; wait for its end, then destroy"
            )


def _tell_of_retirements(account: Account, names: Names, pipeline: stacks.Stack) -> None:
    """Say what ends with the stack, which nobody waits for: it may be days until its cluster is deleted."""
    machine = pipeline.outputs.get("StateMachineArn")
    if machine is None:
        return
    retirements = f"{machine.rpartition(':')[0]}:{names.of('retirement')}"
    ask = account.client("stepfunctions").list_executions
    found = if_there(ask, "StateMachineDoesNotExist", stateMachineArn=retirements, statusFilter="RUNNING")
    if waiting := [execution["name"] for execution in found["executions"]] if found else []:
        print(
            f"{', '.join(waiting)} would delete or stop a cluster later, and will not: those clusters stay until you "
            f"delete them (aws rds describe-db-clusters --region {account.region})"
        )


def _refuse_protected_tables(account: Account, names: Names, pipeline: stacks.Stack) -> None:
    """Refuse what CloudFormation would find out in the middle: DynamoDB keeps a table under deletion protection."""
    adopted = pipeline.parameters.get("ExistingTables", "none").split("-and-")
    own = [names.of(part) for part in ("state", "audit") if part not in adopted]
    going = [names.of("approvals"), *(own if pipeline.parameters.get("DataDeletionPolicy") == "Delete" else [])]
    protected = [name for name in going if _is_protected(account, name)]
    if protected:
        lift = "; ".join(_lift_protection(account, name) for name in protected)
        raise Refused(
            f"{', '.join(protected)} would go with the stack, and DynamoDB deletes no table under deletion protection: "
            f"{lift}; then run this again"
        )


def _is_protected(account: Account, table: str) -> bool:
    found = if_there(account.client("dynamodb").describe_table, "ResourceNotFoundException", TableName=table)
    return found is not None and bool(found["Table"].get("DeletionProtectionEnabled"))


def _lift_protection(account: Account, table: str) -> str:
    return f"aws dynamodb update-table --region {account.region} --no-deletion-protection-enabled --table-name {table}"


def _confirm(account: Account, names: Names, ask: Callable[[str], str]) -> None:
    question = f"Delete stack {names.pipeline} of account {account.account_id} in {account.region}? Type its name: "
    otherwise = f"nothing was deleted; to delete, type {names.pipeline} or pass --yes"
    require_word(ask, question, names.pipeline, otherwise)


def _delete(account: Account, names: Names) -> None:
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName=names.pipeline)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=names.pipeline, WaiterConfig={"Delay": 5})
    except WaiterError as error:
        raise Refused(
            f"stack {names.pipeline} is not deleted ({error}); aws cloudformation describe-stack-events "
            f"--stack-name {names.pipeline} --region {account.region} says why; mend that, then run this again"
        ) from None


def _tell_what_stays(account: Account, names: Names, pipeline: stacks.Stack | None) -> None:
    print("Still there, on purpose; each line removes one, when you are sure:")
    snapshots = [*_snapshots(account, names), *_new_snapshots(account, names, pipeline)]
    lines = [*_tables(account, names), *snapshots, *_prerequisites(account, names)]
    for line in lines:
        print(f"  {line}")
    print("Clusters that were restored are yours and stay as well.")


def _tables(account: Account, names: Names) -> list[str]:
    tables = account.client("dynamodb").get_paginator("list_tables").paginate()
    there = {name for page in tables for name in page["TableNames"]}
    return [f"table {name}: {_delete_table(account, name)}" for name in names.tables if name in there]


def _delete_table(account: Account, name: str) -> str:
    delete = f"aws dynamodb delete-table --region {account.region} --table-name {name}"
    return f"{_lift_protection(account, name)}; {delete}" if _is_protected(account, name) else delete


def _snapshots(account: Account, names: Names, **more: str) -> list[str]:
    marks = {MANAGED: names.mark, **more}.items()
    pages = account.client("rds").get_paginator("describe_db_cluster_snapshots").paginate(SnapshotType="manual")
    mine = [snapshot for page in pages for snapshot in page["DBClusterSnapshots"] if marks <= _tags(snapshot).items()]
    delete = f"aws rds delete-db-cluster-snapshot --region {account.region} --db-cluster-snapshot-identifier"
    return [f"snapshot {name}: {delete} {name}" for name in (item["DBClusterSnapshotIdentifier"] for item in mine)]


def _new_snapshots(account: Account, names: Names, pipeline: stacks.Stack | None) -> list[str]:
    """Look where runs took snapshots of a source, another Region, which perhaps has copies of a pipeline of its own."""
    parameters = pipeline.parameters if pipeline else {}
    region = parameters.get("SourceRegion", account.region)
    if region == account.region or not parameters.get("NewSnapshotSources"):
        return []
    return _snapshots(Account.of_environment(region), names, **{ROLE: Role.SOURCE.value})


def _tags(snapshot: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in snapshot.get("TagList", [])}


def _prerequisites(account: Account, names: Names) -> list[str]:
    if stacks.find_stack(account, names.prerequisites) is None:
        return []
    return [
        f"stack {names.prerequisites} (topic, DBA role): aws cloudformation delete-stack "
        f"--stack-name {names.prerequisites} --region {account.region}; bucket, KMS key and secrets "
        "stay even then, see "
        "docs/04_production_deployment.md before you delete the key: without it no copy can be restored"
    ]
