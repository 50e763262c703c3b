"""Deletes the pipeline's stack, and tells what is still there and how to remove it."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import WaiterError

from deployment import stacks
from deployment.account import Account, Refused, told
from utils.tags import MANAGED

TABLES = ("aurora-restore-state", "aurora-restore-audit")


def destroy(account: Account, environment: str, *, confirm: bool, ask: Callable[[str], str] = input) -> int:
    """Delete the stack unless a run is on; a stack that is gone already is fine."""
    stacks.prerequisites_of(account, environment)
    with told():
        pipeline = stacks.find_stack(account, stacks.PIPELINE)
        if pipeline is None:
            print(f"no stack {stacks.PIPELINE} in {account.region}: nothing to delete")
        else:
            _refuse_while_running(account, pipeline)
            if confirm:
                _confirm(account, ask)
            _delete(account)
            print(f"deleted stack {stacks.PIPELINE}")
        _tell_what_stays(account)
    return 0


def _refuse_while_running(account: Account, pipeline: stacks.Stack) -> None:
    machine = pipeline.outputs.get("StateMachineArn")
    if machine is None:  # a deployment that failed half-way
        return
    running = account.client("stepfunctions").list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    names = [execution["name"] for execution in running["executions"]]
    if names:
        raise Refused(
            f"a run is on ({', '.join(names)}): it would stop half-way, with the target perhaps deleted and not yet "
            "restored; wait for its end, then destroy"
        )


def _confirm(account: Account, ask: Callable[[str], str]) -> None:
    try:
        answer = ask(
            f"Delete stack {stacks.PIPELINE} of account {account.account_id} in {account.region}? Type its name: "
        )
    except EOFError:
        answer = ""
    if answer.strip() != stacks.PIPELINE:
        raise Refused(f"nothing was deleted; to delete, type {stacks.PIPELINE} or pass --yes")


def _delete(account: Account) -> None:
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName=stacks.PIPELINE)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stacks.PIPELINE, WaiterConfig={"Delay": 5})
    except WaiterError as error:
        raise Refused(
            f"stack {stacks.PIPELINE} is not deleted ({error}); aws cloudformation describe-stack-events "
            f"--stack-name {stacks.PIPELINE} --region {account.region} "
            "says why. Tables under deletion protection go only after ./deploy.sh deploy "
            "--set TableDeletionProtection=false"
        ) from None


def _tell_what_stays(account: Account) -> None:
    print("Still there, on purpose; each line removes one, when you are sure:")
    lines = [*_tables(account), *_snapshots(account), *_prerequisites(account)]
    for line in lines:
        print(f"  {line}")
    print("Clusters that were restored are yours and stay as well.")


def _tables(account: Account) -> list[str]:
    tables = account.client("dynamodb").get_paginator("list_tables").paginate()
    names = {name for page in tables for name in page["TableNames"]}
    delete = f"aws dynamodb delete-table --region {account.region} --table-name"
    return [f"table {name}: {delete} {name}" for name in TABLES if name in names]


def _snapshots(account: Account) -> list[str]:
    pages = account.client("rds").get_paginator("describe_db_cluster_snapshots").paginate(SnapshotType="manual")
    mine = [snapshot for page in pages for snapshot in page["DBClusterSnapshots"] if _is_ours(snapshot)]
    delete = f"aws rds delete-db-cluster-snapshot --region {account.region} --db-cluster-snapshot-identifier"
    return [f"snapshot {identifier}: {delete} {identifier}" for identifier in map(_identifier, mine)]


def _is_ours(snapshot: dict[str, Any]) -> bool:
    return any(tag["Key"] == MANAGED and tag["Value"] == "true" for tag in snapshot.get("TagList", []))


def _identifier(snapshot: dict[str, Any]) -> str:
    return str(snapshot["DBClusterSnapshotIdentifier"])


def _prerequisites(account: Account) -> list[str]:
    if stacks.find_stack(account, stacks.PREREQUISITES) is None:
        return []
    return [
        f"stack {stacks.PREREQUISITES} (topic, DBA role): aws cloudformation delete-stack "
        f"--stack-name {stacks.PREREQUISITES} --region {account.region}; bucket, KMS key and secrets "
        "stay even then, see "
        "docs/04_production_deployment.md before you delete the key: without it no copy can be restored"
    ]
