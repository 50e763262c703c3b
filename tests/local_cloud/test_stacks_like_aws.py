"""The local CloudFormation takes over nothing that exists, and goes on with no stack whose creation failed."""

import json
import re
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud
from tests.waiting import wait_for

pytestmark = pytest.mark.local_cloud
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "role": ("AWS::IAM::Role", "RoleName", {"AssumeRolePolicyDocument": TRUST}),
    "bucket": ("AWS::S3::Bucket", "BucketName", {}),
    "topic": ("AWS::SNS::Topic", "TopicName", {}),
    "table": (
        "AWS::DynamoDB::Table",
        "TableName",
        {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    ),
    "log group": ("AWS::Logs::LogGroup", "LogGroupName", {}),
    "queue": ("AWS::SQS::Queue", "QueueName", {}),
    "secret": ("AWS::SecretsManager::Secret", "Name", {"SecretString": "{}"}),
}


def make(cloud: LocalCloud, kind: str, name: str) -> None:
    """Make a resource as somebody with the AWS CLI would."""
    if kind == "role":
        cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    elif kind == "bucket":
        cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    elif kind == "topic":
        cloud.client("sns").create_topic(Name=name)
    elif kind == "log group":
        cloud.client("logs").create_log_group(logGroupName=name)
    elif kind == "queue":
        cloud.client("sqs").create_queue(QueueName=name)
    elif kind == "table":
        cloud.client("dynamodb").create_table(TableName=name, **KINDS["table"][2])
    else:
        cloud.client("secretsmanager").create_secret(Name=name, SecretString="{}")


def template(kind: str, name: str) -> str:
    resource, naming, properties = KINDS[kind]
    return json.dumps({"Resources": {"It": {"Type": resource, "Properties": {naming: name, **properties}}}})


def created(cloud: LocalCloud, stack: str, body: str) -> str:
    """Create a stack; return its last status."""
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])

    def end() -> str | None:
        status = str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        return None if status.endswith("IN_PROGRESS") else status

    return wait_for(end, f"the end of {stack}")


def reasons(cloud: LocalCloud, stack: str) -> list[str]:
    events = cloud.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return [event.get("ResourceStatusReason", "") for event in events]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_stack_does_not_take_over_what_somebody_made(cloud: LocalCloud, kind: str) -> None:
    """CloudFormation User Guide, "Troubleshooting", "already exists": a custom name that is taken."""
    name = f"somebodys-{uuid.uuid4().hex[:8]}"
    make(cloud, kind, name)

    assert created(cloud, f"stack-{name}", template(kind, name)) == "ROLLBACK_COMPLETE"

    # A bucket's name is judged before anything is made, as CloudFormation does today.
    assert any(re.search("already exists|Validation failed", reason) for reason in reasons(cloud, f"stack-{name}"))
    with pytest.raises(ClientError, match=r"(?i)exist|already own"):  # it is still there, as it was
        make_again(cloud, kind, name)


def make_again(cloud: LocalCloud, kind: str, name: str) -> None:
    if kind == "topic":  # CreateTopic is idempotent: look instead
        cloud.client("sns").get_topic_attributes(TopicArn=f"arn:aws:sns:us-west-2:123456789012:{name}")
        raise ClientError({"Error": {"Code": "TopicExists", "Message": "it exists"}}, "CreateTopic")
    if kind == "queue":  # and so is CreateQueue
        cloud.client("sqs").get_queue_url(QueueName=name)
        raise ClientError({"Error": {"Code": "QueueExists", "Message": "it exists"}}, "CreateQueue")
    make(cloud, kind, name)


def test_a_stack_whose_creation_failed_can_only_be_deleted(cloud: LocalCloud) -> None:
    """CloudFormation User Guide, "Stack status codes": after ROLLBACK_COMPLETE only a deletion is possible."""
    name = f"somebodys-{uuid.uuid4().hex[:8]}"
    make(cloud, "role", name)
    stack, body = f"stack-{name}", template("role", name)
    assert created(cloud, stack, body) == "ROLLBACK_COMPLETE"
    cloudformation = cloud.client("cloudformation")
    asked: dict[str, Any] = {"StackName": stack, "TemplateBody": body, "Capabilities": ["CAPABILITY_NAMED_IAM"]}

    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        cloudformation.update_stack(**asked)
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        cloudformation.create_change_set(**asked, ChangeSetName="again", ChangeSetType="UPDATE")

    with pytest.raises(ClientError, match="already exists"):
        cloudformation.create_stack(**asked)

    cloudformation.delete_stack(StackName=stack)
    cloud.client("iam").delete_role(RoleName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    assert created(cloud, stack, body) == "CREATE_COMPLETE"


def protected_table(name: str, word: str) -> str:
    """Return a template whose parameter says whether its table is protected."""
    kind, naming, properties = KINDS["table"]
    asked = {naming: name, "DeletionProtectionEnabled": {"Ref": "Protected"}, **properties}
    parameters = {"Protected": {"Type": "String", "Default": word}}
    return json.dumps({"Parameters": parameters, "Resources": {"It": {"Type": kind, "Properties": asked}}})


def test_a_stack_with_a_protected_table_is_not_deleted(cloud: LocalCloud) -> None:
    """DynamoDB Developer Guide, "Using deletion protection": nobody deletes such a table, CloudFormation neither."""
    name = f"protected-{uuid.uuid4().hex[:8]}"
    assert created(cloud, name, protected_table(name, "true")) == "CREATE_COMPLETE"

    cloudformation, tables = cloud.client("cloudformation"), cloud.client("dynamodb")
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=name)

    def status() -> str | None:
        found = str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        return found if found.startswith("DELETE_") and not found.endswith("IN_PROGRESS") else None

    assert wait_for(status, "the end of the deletion") == "DELETE_FAILED"
    assert any("protected against deletion" in reason for reason in reasons(cloud, stack))
    assert tables.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"

    tables.update_table(TableName=name, DeletionProtectionEnabled=False)
    assert tables.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"] is False
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


@pytest.mark.parametrize("word", ["true", "false"])
def test_a_parameter_says_whether_a_table_is_protected(cloud: LocalCloud, word: str) -> None:
    name = f"table-{uuid.uuid4().hex[:8]}"
    assert created(cloud, name, protected_table(name, word)) == "CREATE_COMPLETE"
    table = cloud.client("dynamodb").describe_table(TableName=name)["Table"]
    assert table["DeletionProtectionEnabled"] is (word == "true")


@pytest.mark.parametrize(("word", "added"), [("yes", ["Always", "Perhaps"]), ("no", ["Always"])])
def test_a_change_set_lists_only_what_its_conditions_let_be_made(
    cloud: LocalCloud, word: str, added: list[str]
) -> None:
    """CloudFormation User Guide, "Conditions": whether a resource is created is decided before any is."""
    name = f"perhaps-{uuid.uuid4().hex[:8]}"
    topic = {"Type": "AWS::SNS::Topic"}
    body = {
        "Parameters": {"Wanted": {"Type": "String"}},
        "Conditions": {"IsWanted": {"Fn::Equals": [{"Ref": "Wanted"}, "yes"]}},
        "Resources": {"Always": topic, "Perhaps": {**topic, "Condition": "IsWanted"}},
    }
    cloudformation, made = cloud.client("cloudformation"), {"StackName": name, "ChangeSetName": "first"}
    cloudformation.create_change_set(
        **made,
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": "Wanted", "ParameterValue": word}],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(**made, WaiterConfig={"Delay": 1})

    changes = cloudformation.describe_change_set(**made)["Changes"]

    assert [change["ResourceChange"]["LogicalResourceId"] for change in changes] == added
    cloudformation.delete_stack(StackName=name)
