"""Break any one prerequisite, and verify fails with that one and no other; repair it, and it passes again."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local_cloud.cloud import LocalCloud
from tests.deployment.conftest import Keyboard

SETUP = "aurora-restore-setup-db-users"
APP_SECRET = "aurora-restore/dev/app-credentials"


@contextlib.contextmanager
def placeholder(cloud: LocalCloud) -> Iterator[None]:
    client = cloud.client("secretsmanager")
    before = client.get_secret_value(SecretId=APP_SECRET)["SecretString"]
    broken = json.loads(before)
    broken["readonly_user"]["password"] = "READONLY_PASSWORD"
    client.put_secret_value(SecretId=APP_SECRET, SecretString=json.dumps(broken))
    yield
    client.put_secret_value(SecretId=APP_SECRET, SecretString=before)


@contextlib.contextmanager
def disabled_key(cloud: LocalCloud) -> Iterator[None]:
    kms = cloud.client("kms")
    key = kms.describe_key(KeyId="alias/aurora-restore-secrets")["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    yield
    kms.enable_key(KeyId=key)


@contextlib.contextmanager
def disabled_evidence_key(cloud: LocalCloud) -> Iterator[None]:
    kms = cloud.client("kms")
    key = kms.describe_key(KeyId="alias/aurora-restore-evidence")["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    yield
    kms.enable_key(KeyId=key)


@contextlib.contextmanager
def open_evidence(cloud: LocalCloud) -> Iterator[None]:
    s3, bucket = cloud.client("s3"), "aurora-restore-evidence-123456789012-us-west-2"
    before = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={**before, "BlockPublicAcls": False})
    yield
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=before)


@contextlib.contextmanager
def no_topic(cloud: LocalCloud) -> Iterator[None]:
    sns = cloud.client("sns")
    [topic] = sns.list_topics()["Topics"]
    sns.delete_topic(TopicArn=topic["TopicArn"])
    yield
    sns.create_topic(Name="aurora-restore-notifications")


@contextlib.contextmanager
def shut_network(cloud: LocalCloud) -> Iterator[None]:
    """Let nothing answer where the function looks for Secrets Manager, as in a subnet without NAT and endpoints."""
    functions = cloud.client("lambda")
    variables = functions.get_function_configuration(FunctionName=SETUP)["Environment"]["Variables"]
    shut = {**variables, "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:9"}
    functions.update_function_configuration(FunctionName=SETUP, Environment={"Variables": shut})
    yield
    functions.update_function_configuration(FunctionName=SETUP, Environment={"Variables": variables})


@contextlib.contextmanager
def no_dba_role(cloud: LocalCloud) -> Iterator[None]:
    iam = cloud.client("iam")
    role = iam.get_role(RoleName="aurora-restore-dba-role")["Role"]
    for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
        iam.delete_role_policy(RoleName=role["RoleName"], PolicyName=name)
    iam.delete_role(RoleName=role["RoleName"])
    yield
    iam.create_role(RoleName=role["RoleName"], AssumeRolePolicyDocument=json.dumps(role["AssumeRolePolicyDocument"]))


@contextlib.contextmanager
def suspended_versioning(cloud: LocalCloud) -> Iterator[None]:
    s3, bucket = cloud.client("s3"), "aurora-restore-lambda-code-123456789012-us-west-2"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    yield
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@contextlib.contextmanager
def mute_alarm(cloud: LocalCloud) -> Iterator[None]:
    cloudwatch, names = cloud.client("cloudwatch"), ["aurora-restore-lock-held-too-long"]
    cloudwatch.disable_alarm_actions(AlarmNames=names)
    yield
    cloudwatch.enable_alarm_actions(AlarmNames=names)


Break = Callable[[LocalCloud], contextlib.AbstractContextManager[None]]
BREAKS: dict[str, Break] = {
    "Secret app-credentials is replaced": placeholder,
    "KMS key": disabled_key,
    "Notification topic": no_topic,
    "Evidence key": disabled_evidence_key,
    "Evidence bucket": open_evidence,
    "Network to AWS services": shut_network,
    "DBA role": no_dba_role,
    "Code bucket": suspended_versioning,
    "Alarms": mute_alarm,
}


@pytest.fixture(scope="module")
def deployed(keyboard: Keyboard) -> Keyboard:
    """The pipeline, deployed, with a production to plan from and no target yet."""
    keyboard.deploy_sh("bootstrap", "--yes")
    placeholders = keyboard.verify(expect=1)
    assert [name for name, outcome in placeholders.items() if outcome == "FAIL"] == ["Pipeline stack"]
    keyboard.deploy_sh("put-secret", "master-credentials", "--generate")
    app = {
        name: {"username": name[:3], "password": f"A-g00d-0ne-for-{name}"}
        for name in ("application_user", "readonly_user", "devops_user")
    }
    printed = keyboard.deploy_sh("put-secret", "app-credentials", "--file", "-", typed=json.dumps(app))
    assert "A-g00d" not in printed
    keyboard.deploy_sh(
        "deploy", "--yes", "--host", "--set", "TargetClusterId=staging", "--set", "SourceClusterId=shop-production",
        "--set", 'RequestDefaults={"source": {"max_age_hours": null}}',
    )  # fmt: skip
    return keyboard


def failed(outcomes: dict[str, str]) -> list[str]:
    return [name for name, outcome in outcomes.items() if outcome == "FAIL"]


@pytest.mark.parametrize("name", BREAKS)
def test_verify_names_exactly_what_is_broken(deployed: Keyboard, cloud: LocalCloud, name: str) -> None:
    with BREAKS[name](cloud):
        assert failed(deployed.verify(expect=1)) == [name]
    assert failed(deployed.verify()) == []


def test_verify_in_a_wrong_region_names_the_right_one(deployed: Keyboard) -> None:
    printed = deployed.deploy_sh("verify", "--region", "eu-west-1", expect=1)
    rows = [line for line in printed.splitlines() if line.startswith(("PASS", "WARN", "FAIL"))]
    assert len(rows) == 1
    assert "but a code bucket for us-west-2" in rows[0]
    assert "pass --region us-west-2" in printed


def test_plan_prints_what_a_run_would_do_and_does_nothing(deployed: Keyboard, cloud: LocalCloud, tmp_path: Any) -> None:
    request = tmp_path / "request.json"
    request.write_text('{"target": {"cluster_id": "elsewhere"}}')
    printed = deployed.deploy_sh("plan", "--input", str(request))
    assert "restore elsewhere from aurora-restore-copy-elsewhere-" in printed
    assert cloud.client("rds").describe_db_clusters()["DBClusters"] == []
    request.write_text('{"target": {"cluster": "elsewhere"}}')
    refused = deployed.deploy_sh("plan", "--input", str(request), expect=1)
    assert "InvalidRequest" in refused
    assert "'cluster_id' perhaps" in refused


def test_a_secret_that_would_be_refused_is_not_put(deployed: Keyboard, cloud: LocalCloud) -> None:
    client = cloud.client("secretsmanager")
    before = client.get_secret_value(SecretId=APP_SECRET)["SecretString"]
    value = '{"application_user": {"username": "app", "password": "short"}}'
    printed = deployed.deploy_sh("put-secret", "app-credentials", "--file", "-", typed=value, expect=1)
    assert "nothing was put" in printed
    assert "short" not in printed.replace("too short", "")
    assert client.get_secret_value(SecretId=APP_SECRET)["SecretString"] == before


def test_somebody_without_permission_is_told_which_is_missing(deployed: Keyboard, cloud: LocalCloud) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="visitor")
    key = iam.create_access_key(UserName="visitor")["AccessKey"]
    variables = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    printed = deployed.deploy_sh("destroy", "--yes", expect=1, **variables)
    assert "no permission for DescribeStacks" in printed
    assert "Traceback" not in printed


def test_another_environment_is_refused_before_anything_is_built(deployed: Keyboard) -> None:
    printed = deployed.deploy_sh("deploy", "--env", "prod", "--yes", expect=1)
    assert "the prerequisites in us-west-2 are for dev, not for prod" in printed


def test_a_schedule_whose_request_would_be_refused_is_not_deployed(deployed: Keyboard) -> None:
    printed = deployed.deploy_sh(
        "deploy", "--yes", "--set", "ScheduleState=ENABLED", "--set", 'ScheduleInput={"keep_copys": 1}', expect=1
    )
    assert "every scheduled run would be refused" in printed
    assert "'keep_copies' perhaps" in printed


def test_a_schedule_of_fleets_with_a_run_that_would_be_refused_is_not_deployed(deployed: Keyboard) -> None:
    fleet = 'FleetScheduleInput={"operations": [{}, {"keep_copys": 1}]}'
    printed = deployed.deploy_sh("deploy", "--yes", "--set", "FleetScheduleState=ENABLED", "--set", fleet, expect=1)
    assert "every scheduled fleet would be refused, or a run of each" in printed
    assert "operations[1]: keep_copys: found an unknown field" in printed
