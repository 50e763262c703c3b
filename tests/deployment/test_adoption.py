"""Somebody followed the guide by hand: all is adopted, nothing is lost, and destroy leaves what the guide made."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local_cloud.aws_environment import command_environment
from local_cloud.cloud import LocalCloud
from local_cloud.credentials import ACCOUNT_ID
from local_cloud.regions import TARGET_REGION
from tests.deployment.conftest import PRODUCTION, Keyboard
from tests.waiting import wait_for

BUCKET = f"aurora-restore-lambda-code-{ACCOUNT_ID}-{TARGET_REGION}"
MASTER = {"username": "master", "password": "A-g00d-0ne-for-master"}
USERS = {
    f"{name}": {"username": name.replace("application", "app"), "password": f"A-g00d-0ne-for-{name}"}
    for name in ("application_user", "readonly_user", "devops_user")
}
# The guide's commands, word for word, but for what no AWS takes. `list-keys --query "Keys[?contains(KeyId, 'Aurora')]"`
# finds nothing there: the key's id is taken from create-key's answer. And two tags have a space between, not a comma.
# The Region is the reader's, as the guide asks ("change to your preferred region").
GUIDE = (Path(__file__).parent / "guide_steps_1_to_6.txt").read_text()
VERIFY = (Path(__file__).parent / "guide_verify.txt").read_text()
DEFAULTS = {"source": {"max_age_hours": None}, "budgets": {"copy_hours": 120, "restore_hours": 120}}
PIPELINE = (
    "--set", f"SourceClusterId={PRODUCTION}", "--set", "TargetClusterId=shop-staging",
    "--set", f"RequestDefaults={json.dumps(DEFAULTS)}",
)  # fmt: skip


@pytest.fixture(scope="module")
def key_id(keyboard: Keyboard, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The guide was followed, and something is in each of what it made; the id of its key."""
    printed = type_in(keyboard, f"{GUIDE}\necho ${{KMS_KEY_ID}}\n", tmp_path_factory.mktemp("guide"))
    cloud = keyboard.cloud
    for name, value in (("master-credentials", MASTER), ("app-credentials", USERS)):
        cloud.client("secretsmanager").put_secret_value(
            SecretId=f"aurora-restore/dev/{name}", SecretString=json.dumps(value)
        )
    cloud.client("s3").put_object(Bucket=BUCKET, Key="theirs.txt", Body=b"kept")
    for table, more in (("aurora-restore-state", {}), ("aurora-restore-audit", {"timestamp": {"S": "2026-01-01"}})):
        cloud.client("dynamodb").put_item(TableName=table, Item={"operation_id": {"S": "theirs"}, **more})
    topic = f"arn:aws:sns:{TARGET_REGION}:{ACCOUNT_ID}:aurora-restore-notifications"
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="dba@example.com")
    return printed.split()[-1]


def type_in(keyboard: Keyboard, commands: str, folder: Path) -> str:
    environment = command_environment(keyboard.cloud.environment())
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=folder, env=environment, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def nothing_is_lost(cloud: LocalCloud, key_id: str) -> None:
    """Look at everything that the guide made and that was put into it since."""
    secrets, topics = cloud.client("secretsmanager"), cloud.client("sns")
    values = {
        name: json.loads(secrets.get_secret_value(SecretId=f"aurora-restore/dev/{name}")["SecretString"])
        for name in ("app-credentials", "kms-key")
    }
    assert values == {"app-credentials": USERS, "kms-key": {"key_id": key_id}}
    versions = secrets.describe_secret(SecretId="aurora-restore/dev/master-credentials")["VersionIdsToStages"]
    assert sorted(versions.values()) == [["AWSCURRENT"], ["AWSPREVIOUS"]]  # the guide's, theirs, and none since
    assert cloud.client("s3").get_object(Bucket=BUCKET, Key="theirs.txt")["Body"].read() == b"kept"
    for table in ("aurora-restore-state", "aurora-restore-audit"):
        rows = cloud.client("dynamodb").scan(TableName=table)["Items"]
        assert [row for row in rows if row["operation_id"] == {"S": "theirs"}], table
    [topic] = [t["TopicArn"] for t in topics.list_topics()["Topics"]]
    subscribed = topics.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [item["Endpoint"] for item in subscribed] == ["dba@example.com"]
    key = cloud.client("kms").describe_key(KeyId="alias/aurora-restore-secrets")["KeyMetadata"]
    assert (key["KeyId"], key["KeyState"]) == (key_id, "Enabled")
    cloud.client("iam").get_role(RoleName="aurora-restore-dba-role")


def status_of(cloud: LocalCloud, stack: str) -> str:
    return str(cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])


def test_what_the_guide_made_is_adopted_runs_and_outlives_the_pipeline(
    keyboard: Keyboard, cloud: LocalCloud, key_id: str, tmp_path: Path
) -> None:
    assert "type yes or pass --yes" in keyboard.deploy_sh("bootstrap", "--env", "dev", typed="no\n", expect=1)
    assert not cloud.client("cloudformation").list_stacks()["StackSummaries"]

    printed = keyboard.deploy_sh("bootstrap", "--env", "dev", "--yes")

    for title in (f"bucket {BUCKET}", f"key {key_id}", "secret aurora-restore/dev/master-credentials"):
        assert f"  {title}\n    stays: " in printed
    assert "rotation each year: off -> on" in printed
    assert "has 8 that were here" in printed
    assert status_of(cloud, "aurora-restore-prerequisites") == "UPDATE_COMPLETE"
    nothing_is_lost(cloud, key_id)
    assert cloud.client("kms").get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"] is True
    verify = f"AWS_ACCOUNT_ID={ACCOUNT_ID} AWS_REGION={TARGET_REGION}\n{VERIFY}"
    assert "alias/aurora-restore-secrets" in type_in(keyboard, verify, tmp_path)

    printed = keyboard.deploy_sh("deploy", "--env", "dev", "--yes", "--host", *PIPELINE)

    assert "  table aurora-restore-state\n    stays: every row\n    billing: provisioned -> on demand" in printed
    nothing_is_lost(cloud, key_id)
    table = cloud.client("dynamodb").describe_table(TableName="aurora-restore-state")["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSEDescription"]["KMSMasterKeyArn"].endswith(key_id)
    assert set(keyboard.verify().values()) <= {"PASS", "WARN"}
    assert run(cloud)["status"] == "SUCCEEDED"
    # Later deployments change nothing of it either, and ask nothing.
    assert "Here already" not in keyboard.deploy_sh("bootstrap", "--env", "dev", "--yes")
    nothing_is_lost(cloud, key_id)

    keyboard.deploy_sh("destroy", "--env", "dev", "--yes")

    nothing_is_lost(cloud, key_id)
    cloudformation = cloud.client("cloudformation")
    cloudformation.delete_stack(StackName="aurora-restore-prerequisites")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="aurora-restore-prerequisites", WaiterConfig={"Delay": 1}
    )
    nothing_is_lost(cloud, key_id)


def run(cloud: LocalCloud) -> Mapping[str, Any]:
    """Restore once, with the logins that were there before; return how it ended."""
    states = cloud.client("stepfunctions")
    machines = {item["name"]: item["stateMachineArn"] for item in states.list_state_machines()["stateMachines"]}
    started = states.start_execution(stateMachineArn=machines["aurora-restore-pipeline"], name="first", input="{}")

    def end() -> dict[str, Any] | None:
        found: dict[str, Any] = states.describe_execution(executionArn=started["executionArn"])
        return found if found["status"] != "RUNNING" else None

    return wait_for(end, "the end of the run", seconds=180, every=0.5)
