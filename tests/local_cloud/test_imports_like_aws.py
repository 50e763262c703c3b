"""An IMPORT change set takes what exists as it is, and is refused what AWS refuses.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html
"""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from local_cloud.cloud import LocalCloud

pytestmark = pytest.mark.local_cloud
SECRET = "AWS::SecretsManager::Secret"
QUICK = {"Delay": 1, "MaxAttempts": 30}


def a_secret(cloud: LocalCloud) -> tuple[str, str]:
    """Make a secret with a value; return its name and ARN."""
    name = f"somebodys-{uuid.uuid4().hex[:8]}"
    made = cloud.client("secretsmanager").create_secret(Name=name, SecretString="theirs")
    return name, str(made["ARN"])


def template(name: str, *, kept: bool = True, **more: Any) -> dict[str, Any]:
    resource: dict[str, Any] = {"Type": SECRET, "Properties": {"Name": name}}
    if kept:
        resource["DeletionPolicy"] = "Retain"
    return {"Resources": {"It": resource}, **more}


def import_it(
    cloud: LocalCloud, stack: str, body: dict[str, Any], identifier: dict[str, str], kind: str = SECRET
) -> dict[str, Any]:
    """Make a change set of type IMPORT and carry it out if that is possible; return what it says."""
    cloudformation = cloud.client("cloudformation")
    made = {"StackName": stack, "ChangeSetName": "adopt"}
    cloudformation.create_change_set(
        **made, ChangeSetType="IMPORT", TemplateBody=json.dumps(body),
        ResourcesToImport=[{"ResourceType": kind, "LogicalResourceId": "It", "ResourceIdentifier": identifier}],
    )  # fmt: skip
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**made, WaiterConfig=QUICK)
    except WaiterError:
        return dict(cloudformation.describe_change_set(**made))
    described: dict[str, Any] = cloudformation.describe_change_set(**made)
    cloudformation.execute_change_set(**made)
    cloudformation.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig=QUICK)
    return described


def refusal(cloud: LocalCloud, body: dict[str, Any], identifier: dict[str, str], kind: str = SECRET) -> str:
    with pytest.raises(ClientError) as refused:
        import_it(cloud, f"stack-{uuid.uuid4().hex[:8]}", body, identifier, kind)
    return str(refused.value)


def test_a_secret_is_imported_with_its_value_and_stays_when_the_stack_goes(cloud: LocalCloud) -> None:
    name, arn = a_secret(cloud)
    cloudformation, secrets = cloud.client("cloudformation"), cloud.client("secretsmanager")

    [change] = import_it(cloud, f"stack-{name}", template(name), {"Id": arn})["Changes"]

    assert change["ResourceChange"]["Action"] == "Import"
    [resource] = cloudformation.describe_stack_resources(StackName=f"stack-{name}")["StackResources"]
    assert resource["LogicalResourceId"] == "It"
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "theirs"
    body = template(name)
    body["Resources"]["It"]["Properties"]["Description"] = "ours now"
    cloudformation.update_stack(StackName=f"stack-{name}", TemplateBody=json.dumps(body))
    cloudformation.get_waiter("stack_update_complete").wait(StackName=f"stack-{name}", WaiterConfig=QUICK)
    assert secrets.describe_secret(SecretId=name)["Description"] == "ours now"
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "theirs"
    cloudformation.delete_stack(StackName=f"stack-{name}")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=f"stack-{name}", WaiterConfig=QUICK)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "theirs"


def test_a_resource_without_a_deletion_policy_is_not_imported(cloud: LocalCloud) -> None:
    name, arn = a_secret(cloud)
    assert "[It] must have DeletionPolicy" in refusal(cloud, template(name, kept=False), {"Id": arn})


def test_an_identifier_of_another_kind_is_refused(cloud: LocalCloud) -> None:
    name, _ = a_secret(cloud)
    assert "Invalid resource identifier" in refusal(cloud, template(name), {"Name": name})


def test_an_output_cannot_come_with_an_import(cloud: LocalCloud) -> None:
    name, arn = a_secret(cloud)
    body = template(name, Outputs={"Name": {"Value": name}})
    assert "cannot modify or add [Outputs]" in refusal(cloud, body, {"Id": arn})


def test_nothing_is_made_beside_an_import(cloud: LocalCloud) -> None:
    name, arn = a_secret(cloud)
    body = template(name)
    body["Resources"]["Other"] = {"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain", "Properties": {}}
    assert "[Other] is missing from ResourceToImport" in refusal(cloud, body, {"Id": arn})


def test_what_does_not_exist_is_not_imported(cloud: LocalCloud) -> None:
    name, arn = a_secret(cloud)
    found = import_it(cloud, f"stack-{name}", template(name), {"Id": f"{arn}x"})
    assert found["Status"] == "FAILED"
    assert "was not found" in found["StatusReason"]


def test_what_a_stack_has_belongs_to_no_other(cloud: LocalCloud) -> None:
    name, arn = a_secret(cloud)
    import_it(cloud, f"first-{name}", template(name), {"Id": arn})
    found = import_it(cloud, f"second-{name}", template(name), {"Id": arn})
    assert found["Status"] == "FAILED"
    assert "already exists in stack" in found["StatusReason"]
