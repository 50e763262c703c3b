"""What CloudFormation would stumble over, said before it begins; and what it says only to who asks afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deployment.account import Account, Refused, if_there
from deployment.names import STEPS, Names
from deployment.stacks import Stack

# Of a stack whose first deployment failed only the deletion is left.
_ONLY_TO_BE_DELETED = {
    "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "IMPORT_ROLLBACK_COMPLETE",
    "IMPORT_ROLLBACK_FAILED",
}  # fmt: skip
_MOST_REASONS = 10
_MACHINES = ("pipeline", "retirement", "fleet")


def refuse_failed_stack(account: Account, stack: Stack | None) -> None:
    """Refuse to go on with a stack that CloudFormation would not update, with the way out; raises `Refused`."""
    if stack is None:
        return
    where = f"--stack-name {stack.name} --region {account.region}"
    if stack.is_made and stack.status.endswith("_IN_PROGRESS"):
        raise Refused(
            f"stack {stack.name} is in {stack.status}: CloudFormation is still at work on it, for this or somebody "
            f"else's command. aws cloudformation describe-stack-events {where} shows how far it is; run this again "
            "when it is done"
        )
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        raise Refused(
            f"stack {stack.name} is in {stack.status}: an update failed, and so did the way back. "
            f"aws cloudformation describe-stack-events {where} says which resource is in the way; mend that, then "
            f"aws cloudformation continue-update-rollback {where}, and run this again"
        )
    if stack.status in _ONLY_TO_BE_DELETED:
        raise Refused(
            f"stack {stack.name} is in {stack.status}: its first deployment failed, and CloudFormation updates no such "
            f"stack. aws cloudformation describe-stack-events {where} says why; then "
            f"aws cloudformation delete-stack {where}, and run this again"
        )


def refuse_secrets_to_be_deleted(account: Account, environment: str) -> None:
    """Refuse names of secrets that are reserved until a deletion is done; raises `Refused`."""
    client = account.client("secretsmanager")
    for name in ("master-credentials", "app-credentials", "kms-key"):
        secret = f"aurora-restore/{environment}/{name}"
        described = if_there(client.describe_secret, "ResourceNotFoundException", SecretId=secret)
        if described is None:
            continue
        going = described.get("DeletedDate")
        if going is not None:
            raise Refused(
                f"secret {secret} is scheduled for deletion since {going:%Y-%m-%d}, and its name is reserved until "
                f"then. To keep its value: aws secretsmanager restore-secret --secret-id {secret} "
                f"--region {account.region}; otherwise aws secretsmanager delete-secret "
                f"--force-delete-without-recovery --secret-id {secret} --region {account.region}; then run this again"
            )


def refuse_log_groups_of_before(account: Account, names: Names) -> None:
    """Refuse log groups under the names of the stack's own, which a function that outlived it made anew.

    Raises `Refused`.
    """
    logs = account.client("logs")
    functions = [f"/aws/lambda/{names.of(step)}" for step in STEPS]
    own = {*functions, *(f"/aws/vendedlogs/states/{names.of(machine)}" for machine in _MACHINES)}
    # Another environment's may begin alike.
    there = [
        group["logGroupName"]
        for folder in ("/aws/lambda/", "/aws/vendedlogs/states/")
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=folder + names.of(""))
        for group in page["logGroups"]
        if group["logGroupName"] in own
    ]
    if there:
        delete = "; ".join(
            f"aws logs delete-log-group --log-group-name {name} --region {account.region}" for name in there
        )
        raise Refused(
            f"no stack {names.pipeline}, but {len(there)} of its log groups are here, and CloudFormation makes none "
            f"that is there: export what is still wanted of them (aws logs create-export-task), then {delete}; "
            "and run this again"
        )


@contextmanager
def reasons_told(account: Account, stack_name: str) -> Iterator[None]:
    """Have a deployment that failed say what CloudFormation tells in its events only."""
    try:
        yield
    except Refused as error:
        raise Refused(f"{error}{reasons_of_failure(account, stack_name)}") from None


def reasons_of_failure(account: Account, stack_name: str) -> str:
    """Return what CloudFormation says of the last operation on a stack that failed, empty if it says nothing.

    A change set that fails before anything is made (early validation) names nothing itself: only the events do.
    """
    client = account.client("cloudformation")
    try:
        answer = client.describe_events(StackName=stack_name, Filters={"FailedEvents": True})
    except (ClientError, BotoCoreError):
        return ""  # sam has said what there is; asking for more is a courtesy
    reasons = [_reason(event) for event in answer.get("OperationEvents", [])]
    return "".join(f"\n  {reason}" for reason in list(dict.fromkeys(filter(None, reasons)))[:_MOST_REASONS])


def _reason(event: dict[str, Any]) -> str:
    text = event.get("ValidationStatusReason") or event.get("ResourceStatusReason") or event.get("HookStatusReason")
    if not text:
        return ""
    what = event.get("LogicalResourceId") or event.get("ValidationPath") or ""
    return f"{what}: {text}" if what else str(text)
