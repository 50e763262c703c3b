"""The account that owns production, where a snapshot is shared every night."""

from argparse import Namespace

from deployment import stacks
from deployment.account import Account, Refused, told
from deployment.obstacles import reasons_told, refuse_failed_stack

_SECTION = "source-account"
_NEEDED = ("TargetAccountId", "TargetRegion", "SourceClusterId", "SourceKeyArn")


def bootstrap_source_account(account: Account, options: Namespace) -> int:
    """Deploy what shares production's snapshots, in the account and Region that own them."""
    parameters = stacks.parameters_of(_SECTION, options.parameters)
    with told():
        there = stacks.find_stack(account, stacks.SOURCE_ACCOUNT)
    refuse_failed_stack(account, there)
    known = {**(there.parameters if there else {}), **parameters}
    missing = [name for name in _NEEDED if not known.get(name)]
    if missing:
        raise Refused(f"nothing for {', '.join(missing)}: add {' '.join(f'--set {name}=…' for name in missing)}")
    _refuse_the_wrong_place(account, known)
    with reasons_told(account, stacks.SOURCE_ACCOUNT):
        stacks.sam_deploy(account, _SECTION, stacks.SOURCE_ACCOUNT, known, confirm=not options.yes)
    print(
        f"\nEvery night a snapshot of {known['SourceClusterId']} is shared with account {known['TargetAccountId']}.\n"
        "Not to wait for it: aws stepfunctions start-execution --state-machine-arn "
        f"{_machine_of(account)} --region {account.region}\n"
        f'In the target account, requests say {{"source": {{"cluster_id": "{known["SourceClusterId"]}", '
        f'"account_id": "{account.account_id}"}}}}'
    )
    return 0


def _refuse_the_wrong_place(account: Account, parameters: dict[str, str]) -> None:
    """Refuse what would deploy well and never share anything."""
    if parameters["TargetAccountId"] == account.account_id:
        raise Refused(
            f"TargetAccountId {account.account_id} is the account of these credentials: expected those of the account "
            "that owns production; where both are one account, nothing needs to be shared"
        )
    clusters = account.client("rds").get_paginator("describe_db_clusters")
    with told():
        names = [item["DBClusterIdentifier"] for page in clusters.paginate() for item in page["DBClusters"]]
    if parameters["SourceClusterId"] not in names:
        raise Refused(
            f"no cluster {parameters['SourceClusterId']} in account {account.account_id}, Region {account.region}: "
            "correct --set SourceClusterId, --region or the credentials"
        )


def _machine_of(account: Account) -> str:
    stack = stacks.find_stack(account, stacks.SOURCE_ACCOUNT)
    return stack.outputs["SharingStateMachineArn"] if stack else ""
