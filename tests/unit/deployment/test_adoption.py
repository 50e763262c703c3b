"""What was there before is told as it is; what cannot be adopted is refused with what to do; no value is written."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from deployment.account import Account, Refused
from deployment.adoption import prerequisites
from deployment.adoption.access import find_dba_role, find_key, find_secrets
from deployment.adoption.existing import Existing
from deployment.adoption.importing import import_into, template_of
from deployment.adoption.prerequisites import adopt_prerequisites, parameters_kept, refuse_deletion_of_adopted
from deployment.adoption.storage import find_buckets, find_topic
from deployment.adoption.tables import _obstacle, adopt_tables, find_tables, mend
from deployment.stacks import Stack
from tests.conventions.cfn_yaml import load_template
from tests.unit.operation.tables import make_table

REGION, ACCOUNT = "us-west-2", "123456789012"
PREFIX, STACK, DEV = "aurora-restore", "aurora-restore-prerequisites", {"Environment": "dev"}
ROLE = "aurora-restore-dba-role"
BUCKET = f"aurora-restore-lambda-code-{ACCOUNT}-{REGION}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
PREREQUISITES = load_template("infrastructure/prerequisites.yaml")


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account(REGION, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/dba", boto3.session.Session())


def make_bucket(account: Account) -> Any:
    client = account.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


def make_key(account: Account, usage: str = "ENCRYPT_DECRYPT", spec: str = "SYMMETRIC_DEFAULT") -> str:
    client = account.client("kms")
    key = str(client.create_key(KeyUsage=usage, KeySpec=spec)["KeyMetadata"]["KeyId"])
    client.create_alias(AliasName="alias/aurora-restore-secrets", TargetKeyId=key)
    return key


def make_role(account: Account, path: str = "/") -> Any:
    client = account.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [ROOT]})
    client.create_role(RoleName=ROLE, Path=path, AssumeRolePolicyDocument=trust)
    return client


def everything(account: Account) -> list[Existing]:
    return [
        *find_buckets(account, PREFIX),
        *find_key(account, PREFIX),
        *find_secrets(account, "dev"),
        *find_topic(account, PREFIX),
        *find_dba_role(account, ROLE, f"{PREFIX}-dba-secrets-policy"),
    ]


def make_everything(account: Account) -> None:
    make_bucket(account)
    make_key(account)
    make_role(account)
    account.client("sns").create_topic(Name="aurora-restore-notifications")
    for name in ("master-credentials", "app-credentials", "kms-key"):
        account.client("secretsmanager").create_secret(Name=f"aurora-restore/dev/{name}", SecretString="theirs")


def test_an_empty_account_has_nothing_to_adopt(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert everything(account) == []
    adopt_prerequisites(account, STACK, DEV, ask=None)
    assert adopt_tables(account, PREFIX, KEY, protect=True, ask=None) == ("none", [])
    assert capsys.readouterr().out == ""


def test_all_that_the_guide_made_is_found_with_the_template_s_types(account: Account) -> None:
    make_everything(account)
    found = everything(account)
    assert len(found) == 8
    for one in found:
        assert PREREQUISITES["Resources"][one.logical_id]["Type"] == one.type
        assert one.obstacle is None, one


def test_what_is_imported_is_retained_as_it_is_without_outputs_and_without_any_secret(account: Account) -> None:
    make_everything(account)
    found = everything(account)
    template = template_of(found, {"Environment": "dev"})
    assert "Outputs" not in template
    assert {resource["DeletionPolicy"] for resource in template["Resources"].values()} == {"Retain"}
    assert "theirs" not in json.dumps(template)
    assert all("SecretString" not in resource["Properties"] for resource in template["Resources"].values())


def test_the_parameters_that_keep_values_are_the_template_s(account: Account) -> None:
    make_everything(account)
    parameters = parameters_kept(everything(account))
    assert parameters == {
        "MasterCredentialsValue": "kept",
        "AppCredentialsValue": "kept",
        "KmsKeySecretValue": "kept",
        "AccessDeletionPolicy": "Retain",
    }
    assert set(parameters) <= set(PREREQUISITES["Parameters"])


@pytest.mark.parametrize("logical_id", ["MasterCredentials", "AppCredentials", "KmsKeySecret"])
def test_the_template_names_no_value_of_a_secret_that_is_kept(logical_id: str) -> None:
    condition, kept, _ = PREREQUISITES["Resources"][logical_id]["Properties"]["SecretString"]["Fn::If"]
    assert kept == {"Ref": "AWS::NoValue"}
    assert PREREQUISITES["Conditions"][condition] == {"Fn::Equals": [{"Ref": f"{logical_id}Value"}, "kept"]}


def test_the_template_can_retain_all_that_is_adopted(account: Account) -> None:
    make_everything(account)
    deciding = {"Ref": "AccessDeletionPolicy"}, {"Ref": "DataDeletionPolicy"}
    adopted = {one.logical_id for one in everything(account)} | {"DbaPolicy"}
    assert all(PREREQUISITES["Resources"][name]["DeletionPolicy"] in deciding for name in adopted)
    assert PREREQUISITES["Parameters"]["DataDeletionPolicy"]["Default"] == "Retain"


def test_a_secret_that_is_missing_gets_its_placeholder(account: Account) -> None:
    account.client("secretsmanager").create_secret(Name="aurora-restore/dev/app-credentials", SecretString="theirs")
    parameters = parameters_kept(everything(account))
    assert parameters == {"AppCredentialsValue": "kept", "AccessDeletionPolicy": "Retain"}


def test_what_differs_from_the_template_is_said(account: Account) -> None:
    make_everything(account)
    changes = {line for one in everything(account) for line in one.changes}
    assert {
        "versioning: off -> Enabled",
        "public access blocked: off -> on",
        "rotation each year: off -> on",
        "display name: none -> Aurora Restore",
        "encryption: none -> the pipeline's key",
        "key: aws/secretsmanager -> the pipeline's",
    } <= changes


def test_what_the_template_does_not_speak_of_and_ends_all_the_same_is_said(account: Account) -> None:
    make_everything(account)
    account.client("iam").update_role(RoleName=ROLE, MaxSessionDuration=43200)
    client = boto3.client("secretsmanager", region_name=REGION)
    with Stubber(client) as stub:
        name = "aurora-restore/dev/master-credentials"
        secret = {"Name": name, "ARN": f"arn:aws:secretsmanager:{REGION}", "RotationEnabled": True}
        stub.add_response("describe_secret", secret)
        stub.add_response("get_resource_policy", {})
        for _ in ("app-credentials", "kms-key"):
            stub.add_client_error("describe_secret", "ResourceNotFoundException")
        [rotated] = find_secrets(Importing(client), "dev")
    assert "policy: none -> only the DBA role and setup-db-users, and not the function that rotates it" in (
        rotated.changes
    )
    [role] = find_dba_role(account, ROLE, f"{PREFIX}-dba-secrets-policy")
    assert "longest session, in seconds: 43200 -> 3600" in role.changes


def test_a_bucket_with_a_policy_of_its_own_is_not_adopted(account: Account) -> None:
    client = make_bucket(account)
    client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    with pytest.raises(Refused, match=f"bucket {BUCKET} has a policy of its own.*delete-bucket-policy --bucket"):
        adopt_prerequisites(account, STACK, DEV, ask=None)


def test_the_evidence_that_an_earlier_stack_left_is_adopted_with_its_lock(account: Account) -> None:
    name = f"aurora-restore-evidence-{ACCOUNT}-{REGION}"
    client = account.client("s3")
    where: Any = {"LocationConstraint": REGION}
    client.create_bucket(Bucket=name, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    [found] = find_buckets(account, PREFIX)
    assert (found.logical_id, found.obstacle) == ("EvidenceBucket", None)
    assert found.properties == {"BucketName": name, "ObjectLockEnabled": True}
    client.delete_bucket(Bucket=name)
    client.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    with pytest.raises(Refused, match=r"has no Object Lock.*put-object-lock-configuration"):
        adopt_prerequisites(account, STACK, DEV, ask=None)


def test_a_disabled_key_and_one_under_deletion_are_told_how_to_mend(account: Account) -> None:
    key = make_key(account)
    account.client("kms").disable_key(KeyId=key)
    with pytest.raises(Refused, match=f"is Disabled: aws kms enable-key --key-id {key} --region us-west-2"):
        adopt_prerequisites(account, STACK, DEV, ask=None)
    account.client("kms").schedule_key_deletion(KeyId=key)
    with pytest.raises(Refused, match=f"aws kms cancel-key-deletion --key-id {key} --region us-west-2"):
        adopt_prerequisites(account, STACK, DEV, ask=None)


def test_an_alias_of_another_kind_of_key_is_refused(account: Account) -> None:
    make_key(account, usage="SIGN_VERIFY", spec="RSA_2048")
    with pytest.raises(Refused, match=r"another kind of key \(CUSTOMER, RSA_2048, SIGN_VERIFY, AWS_KMS\)"):
        adopt_prerequisites(account, STACK, DEV, ask=None)


def test_a_role_with_a_path_is_refused_as_cloudformation_would_make_it_anew(account: Account) -> None:
    make_role(account, path="/team/")
    with pytest.raises(Refused, match="role aurora-restore-dba-role has the path /team/, expected /"):
        adopt_prerequisites(account, STACK, DEV, ask=None)


def test_a_role_that_keeps_another_region_s_secrets_is_left_to_it(account: Account) -> None:
    client = make_role(account)
    elsewhere = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:aurora-restore/dev/master-credentials-*"
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": [elsewhere]}]}
    name = "aurora-restore-dba-secrets-policy"
    client.put_role_policy(RoleName=ROLE, PolicyName=name, PolicyDocument=json.dumps(policy))
    with pytest.raises(Refused, match=rf"role {ROLE} keeps the secrets of eu-west-1, not of us-west-2.*{name}"):
        adopt_prerequisites(account, STACK, DEV, ask=None)


def test_a_master_secret_with_a_policy_of_its_own_is_refused(account: Account) -> None:
    client = account.client("secretsmanager")
    name = "aurora-restore/dev/master-credentials"
    client.create_secret(Name=name, SecretString="theirs")
    policy = {"Version": "2012-10-17", "Statement": [{**ROOT, "Action": "secretsmanager:*", "Resource": "*"}]}
    client.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy))
    with pytest.raises(Refused, match=f"delete-resource-policy --secret-id {name} --region us-west-2"):
        adopt_prerequisites(account, STACK, DEV, ask=None)


def test_a_secret_that_is_another_region_s_replica_is_refused_as_cloudformation_could_not_change_it(
    account: Account,
) -> None:
    name = "aurora-restore/dev/app-credentials"
    elsewhere = boto3.client("secretsmanager", region_name="eu-west-1")
    elsewhere.create_secret(Name=name, SecretString="theirs", AddReplicaRegions=[{"Region": REGION}])
    with pytest.raises(Refused, match=f"replica of eu-west-1's.*stop-replication-to-replica --secret-id {name}"):
        adopt_prerequisites(account, STACK, DEV, ask=None)


def test_what_was_there_before_is_not_given_to_a_stack_that_would_delete_it(account: Account) -> None:
    make_bucket(account)
    with pytest.raises(Refused, match=rf"would delete with the stack what was here before it \(bucket {BUCKET}\)"):
        adopt_prerequisites(account, STACK, {**DEV, "DataDeletionPolicy": "Delete"}, ask=None)


def test_nor_at_any_later_deployment() -> None:
    adopted = Stack(STACK, "UPDATE_COMPLETE", {"AccessDeletionPolicy": "Retain"}, {})
    refuse_deletion_of_adopted(adopted, DEV)
    with pytest.raises(Refused, match=rf"what was here before it \(adopted by stack {STACK}\)"):
        refuse_deletion_of_adopted(adopted, {**DEV, "DataDeletionPolicy": "Delete"})
    made = Stack(STACK, "UPDATE_COMPLETE", {"AccessDeletionPolicy": "Delete"}, {})
    refuse_deletion_of_adopted(made, {**DEV, "DataDeletionPolicy": "Delete"})


@pytest.mark.parametrize("answer", ["", "y", "no", "Yes"])
def test_nothing_is_adopted_without_a_yes(account: Account, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_bucket(account)
    imported: list[object] = []
    monkeypatch.setattr(prerequisites, "import_into", lambda *request: imported.append(request))
    with pytest.raises(Refused, match="nothing was changed"):
        adopt_prerequisites(account, STACK, DEV, ask=lambda _: answer)
    assert imported == []
    adopt_prerequisites(account, STACK, DEV, ask=lambda _: "yes")
    assert len(imported) == 1


class Importing(Account):
    """An account with one client, CloudFormation's unless it is given another."""

    def __init__(self, client: Any = None) -> None:
        super().__init__(REGION, ACCOUNT, "arn:aws:iam", boto3.session.Session())
        client = client or boto3.client("cloudformation", region_name=REGION)
        object.__setattr__(self, "_only", client)
        object.__setattr__(self, "stub", Stubber(client))

    def client(self, _: str) -> Any:
        return self.__dict__["_only"]


A_TOPIC = Existing(
    title="topic", stays="all", logical_id="NotificationTopic", type="AWS::SNS::Topic",
    identifier={"TopicArn": "arn:topic"}, properties={"TopicName": "topic"},
)  # fmt: skip


def described(status: str, reason: str = "") -> dict[str, Any]:
    return {"ChangeSetName": "adopt", "Status": status, "StatusReason": reason}


def stack_in(status: str) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "s", "StackStatus": status, "CreationTime": datetime(2026, 11, 26, tzinfo=UTC)}]}


def test_an_import_names_each_resource_by_its_identifier() -> None:
    account = Importing()
    stub: Stubber = account.__dict__["stub"]
    [wanted] = [{"ResourceType": A_TOPIC.type, "LogicalResourceId": "NotificationTopic",
                 "ResourceIdentifier": {"TopicArn": "arn:topic"}}]  # fmt: skip
    request = {
        "StackName": "s", "ChangeSetName": ANY, "ChangeSetType": "IMPORT", "TemplateBody": ANY,
        "Parameters": [{"ParameterKey": "Environment", "ParameterValue": "dev"}],
        "ResourcesToImport": [wanted], "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }  # fmt: skip
    stub.add_response("create_change_set", {"Id": "arn:aws:change-set", "StackId": "arn"}, request)
    stub.add_response("describe_change_set", described("CREATE_COMPLETE"))
    stub.add_response("execute_change_set", {}, {"StackName": "s", "ChangeSetName": ANY})
    stub.add_response("describe_stacks", stack_in("IMPORT_COMPLETE"), {"StackName": "s"})
    with stub:
        import_into(account, "s", [A_TOPIC], {"Environment": "dev"})
        stub.assert_no_pending_responses()


def test_an_import_that_cloudformation_refuses_says_its_reasons_and_leaves_no_change_set() -> None:
    account = Importing()
    stub: Stubber = account.__dict__["stub"]
    stub.add_response("create_change_set", {"Id": "arn:aws:change-set", "StackId": "arn"})
    stub.add_response("describe_change_set", described("FAILED", "arn:topic already exists in stack arn:other"))
    stub.add_response("describe_change_set", described("FAILED", "arn:topic already exists in stack arn:other"))
    events = [{"ValidationPath": "/Resources/NotificationTopic", "ValidationStatusReason": "early validation says no"}]
    stub.add_response("describe_events", {"OperationEvents": events})
    stub.add_response("delete_change_set", {}, {"StackName": "s", "ChangeSetName": ANY})
    with stub:
        with pytest.raises(Refused, match=r"nothing was changed.*already exists in stack arn:other") as refused:
            import_into(account, "s", [A_TOPIC], {})
        assert "/Resources/NotificationTopic: early validation says no" in str(refused.value)
        stub.assert_no_pending_responses()


def test_tables_of_before_are_told_and_mended_and_keep_their_rows(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    client = account.client("dynamodb")
    for name, keys in (("state", ["operation_id"]), ("audit", ["operation_id", "timestamp"])):
        client.create_table(
            TableName=f"aurora-restore-{name}",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        )
    client.put_item(TableName="aurora-restore-state", Item={"operation_id": {"S": "theirs"}})

    existing, tables = adopt_tables(account, PREFIX, KEY, protect=True, ask=None)

    assert existing == "state-and-audit"
    assert "table aurora-restore-audit\n    stays: every row\n    billing: provisioned -> on demand" in (
        capsys.readouterr().out
    )
    requests: list[dict[str, Any]] = []
    client.meta.events.register(
        "provide-client-params.dynamodb.UpdateTable", lambda params, **_: requests.append(params)
    )
    for table in tables:
        mend(account, table, KEY, protect=True)
    encrypted = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    assert [{name: value for name, value in one.items() if name != "TableName"} for one in requests] == [
        {"BillingMode": "PAY_PER_REQUEST"}, {"SSESpecification": encrypted}, {"DeletionProtectionEnabled": True},
    ] * 2  # fmt: skip
    for table in find_tables(account, PREFIX):
        assert (table.on_demand, table.recoverable, table.expires_by, table.protected) == (True, True, "ttl", True)
    assert client.scan(TableName="aurora-restore-state")["Items"] == [{"operation_id": {"S": "theirs"}}]


def test_rows_whose_ttl_is_over_are_not_expired_by_the_adoption(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    make_table("aurora-restore-state", "operation_id")
    client = account.client("dynamodb")
    client.put_item(TableName="aurora-restore-state", Item={"operation_id": {"S": "theirs"}, "ttl": {"N": "1"}})
    existing, [table] = adopt_tables(account, PREFIX, KEY, protect=False, ask=None)
    assert existing == "state"
    assert "expiry of rows by ttl: off, left so" in capsys.readouterr().out
    mend(account, table, KEY, protect=False)
    expiry = client.describe_time_to_live(TableName="aurora-restore-state")["TimeToLiveDescription"]
    assert expiry["TimeToLiveStatus"] == "DISABLED"


def test_a_table_whose_rows_expire_by_another_attribute_is_left_so_and_that_is_said(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    make_table("aurora-restore-state", "operation_id")
    client = account.client("dynamodb")
    by_theirs = {"AttributeName": "expires_at", "Enabled": True}
    client.update_time_to_live(TableName="aurora-restore-state", TimeToLiveSpecification=by_theirs)
    _, [table] = adopt_tables(account, PREFIX, KEY, protect=False, ask=None)
    assert "expiry of rows by expires_at: on, left so (a table has one such attribute" in capsys.readouterr().out
    mend(account, table, KEY, protect=False)
    expiry = client.describe_time_to_live(TableName="aurora-restore-state")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_a_table_with_replicas_is_refused_before_its_key_is_changed(account: Account) -> None:
    keys = {"AttributeName": "operation_id", "KeyType": "HASH"}, {"AttributeName": "operation_id", "AttributeType": "S"}
    described = {"KeySchema": keys[:1], "AttributeDefinitions": keys[1:], "TableStatus": "ACTIVE"}
    assert _obstacle(account, "aurora-restore-state", [("operation_id", "HASH", "S")], described) is None
    replicated = described | {"Replicas": [{"RegionName": "eu-west-1", "ReplicaStatus": "ACTIVE"}]}
    found = _obstacle(account, "aurora-restore-state", [("operation_id", "HASH", "S")], replicated)
    assert found is not None
    assert found.startswith("has replicas in eu-west-1, expected a table of one Region")


def test_a_table_with_another_key_is_refused_with_what_keeps_its_rows(account: Account) -> None:
    make_table("aurora-restore-audit", "operation_id")
    with pytest.raises(Refused, match=r"expected operation_id \(HASH, S\) and timestamp \(RANGE, S\).*create-backup"):
        adopt_tables(account, PREFIX, KEY, protect=True, ask=None)


def test_tables_are_not_touched_without_a_yes(account: Account) -> None:
    make_table("aurora-restore-state", "operation_id")
    with pytest.raises(Refused, match="nothing was changed"):
        adopt_tables(account, PREFIX, KEY, protect=True, ask=lambda _: "no")
