"""Has CloudFormation take over what exists, as it is: a change set of type IMPORT.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import WaiterError

from deployment.account import Account, Refused
from deployment.adoption.existing import Existing
from deployment.obstacles import reasons_of_failure

_EVERY_TWO_SECONDS = {"Delay": 2, "MaxAttempts": 300}


def template_of(found: Sequence[Existing], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return a template of what is imported, as it is, and nothing more.

    No outputs, which an import may not bring; parameters stay with the stack for every deployment that follows.
    """
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Aurora Restore Pipeline, what was there before; the next deployment brings the rest",
        "Parameters": {name: {"Type": "String"} for name in parameters},
        "Resources": {
            one.logical_id: {
                "Type": one.type,
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": dict(one.properties),
            }
            for one in found
        },
    }


def import_into(account: Account, stack: str, found: Sequence[Existing], parameters: Mapping[str, str]) -> None:
    """Import all of it into a stack that has nothing yet; raises `Refused` with CloudFormation's reason."""
    client = account.client("cloudformation")
    change_set = {"StackName": stack, "ChangeSetName": f"adopt-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"}
    client.create_change_set(
        **change_set,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template_of(found, parameters)),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        ResourcesToImport=[
            {
                "ResourceType": one.type,
                "LogicalResourceId": one.logical_id,
                "ResourceIdentifier": dict(one.identifier),
            }
            for one in found
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    try:
        client.get_waiter("change_set_create_complete").wait(**change_set, WaiterConfig=_EVERY_TWO_SECONDS)
    except WaiterError:
        reason = client.describe_change_set(**change_set).get("StatusReason", "")
        reasons = reasons_of_failure(account, stack)
        client.delete_change_set(**change_set)
        raise Refused(
            f"nothing was changed: CloudFormation does not import what is here. {reason}{reasons}\n"
            "  Mend that, or rename or delete what it names, and run this again"
        ) from None
    client.execute_change_set(**change_set)
    try:
        client.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig=_EVERY_TWO_SECONDS)
    except WaiterError as error:
        raise Refused(
            f"stack {stack}: the import did not end well ({error}); what was there stays as it was."
            f"{reasons_of_failure(account, stack)}\n  Mend that, then run this again; it says how to remove the stack"
        ) from None
