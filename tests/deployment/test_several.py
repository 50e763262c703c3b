"""Two environments in one Region and one of them in a second Region: deployed, run and taken away side by side."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud
from local_cloud.credentials import ACCOUNT_ID
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.deployment.conftest import PRODUCTION, Keyboard
from tooling.environments import REPOSITORY

RUN = "night-1"  # of all three: each has a table of its own
DEFAULTS = json.dumps({"source": {"max_age_hours": None}, "budgets": dict.fromkeys(
    ("copy_hours", "delete_hours", "restore_hours"), 120
)})  # fmt: skip
# IAM, S3 and dashboards are the same in all Regions of an account.
GLOBAL = {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::S3::Bucket", "AWS::CloudWatch::Dashboard"}
NAMELESS = {"AWS::S3::BucketPolicy", "AWS::SecretsManager::ResourcePolicy", "AWS::SNS::TopicPolicy"}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


@dataclass(frozen=True)
class Place:
    """An environment in a Region."""

    environment: str
    region: str
    prefix: str
    target: str

    @property
    def where(self) -> tuple[str, ...]:
        """What every command is told."""
        return "--env", self.environment, "--region", self.region

    @property
    def mark(self) -> str:
        """The value of the tags of its clusters and snapshots."""
        return "true" if self.prefix == "aurora-restore" else self.environment


DEV = Place("dev", TARGET_REGION, "aurora-restore", "dev-shop")
STAGING = Place("staging", TARGET_REGION, "aurora-restore-staging", "staging-shop")
ABROAD = Place("dev", SOURCE_REGION, "aurora-restore", "dev-shop")
PLACES = (DEV, STAGING, ABROAD)
DRILL = json.dumps({"afterwards": {"action": "delete", "after_hours": 0}})
SECOND_SCHEDULE = ("--set", "ScheduleExpression2=cron(0 4 ? * SUN *)", "--set", f"ScheduleInput2={DRILL}")


def set_up(keyboard: Keyboard, place: Place) -> None:
    """Bring one environment from nothing to its pipeline."""
    beside = ("--beside",) if place is STAGING else ()
    keyboard.deploy_sh("bootstrap", *place.where, *beside, "--yes", "--set", "DataDeletionPolicy=Delete")
    for name in ("master-credentials", "app-credentials"):
        keyboard.deploy_sh("put-secret", name, "--generate", *place.where)
    keyboard.deploy_sh(
        "deploy", *place.where, "--yes", "--host", "--set", f"SourceClusterId={PRODUCTION}",
        "--set", f"TargetClusterId={place.target}", "--set", f"TargetClusterPattern={place.environment}-*",
        "--set", f"RequestDefaults={DEFAULTS}", "--set", "TableDeletionProtection=false",
        "--set", "DataDeletionPolicy=Delete", *(SECOND_SCHEDULE if place is STAGING else ()),
    )  # fmt: skip


@pytest.fixture(scope="module")
def deployed(keyboard: Keyboard) -> Keyboard:
    """All three are there at once."""
    for place in PLACES:
        set_up(keyboard, place)
    return keyboard


def resources(cloud: LocalCloud, place: Place) -> Iterator[tuple[str, str, str]]:
    """Every resource of a place's stacks: where its name counts, type, name."""
    client, todo = cloud.client("cloudformation", place.region), [place.prefix, f"{place.prefix}-prerequisites"]
    for stack in todo:
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack):
            for item in page["StackResourceSummaries"]:
                kind, name = item["ResourceType"], item["PhysicalResourceId"]
                todo += [name] * (kind == "AWS::CloudFormation::Stack")
                if kind not in NAMELESS:
                    yield "everywhere" if kind in GLOBAL else place.region, kind, name


@pytest.mark.usefixtures("deployed")
def test_no_two_have_a_name_in_common(cloud: LocalCloud) -> None:
    found = Counter(item for place in PLACES for item in resources(cloud, place))
    assert len(found) > 200
    assert [item for item, times in found.items() if times > 1] == []
    roles = {name for _, kind, name in found if kind == "AWS::IAM::Role"}
    assert {name for name in roles if "dba-role" in name} == {
        "aurora-restore-dba-role", "aurora-restore-staging-dba-role", f"aurora-restore-dba-role-{SOURCE_REGION}",
    }  # fmt: skip
    assert {name for where, kind, name in found if (where, kind) == (TARGET_REGION, "AWS::DynamoDB::Table")} == {
        f"{place.prefix}-{table}" for place in (DEV, STAGING) for table in ("state", "audit", "approvals")
    }


@pytest.mark.usefixtures("deployed")
def test_a_stack_has_the_schedules_that_it_is_given(cloud: LocalCloud) -> None:
    scheduler = cloud.client("scheduler")
    found = {item["Name"] for item in scheduler.list_schedules()["Schedules"]}
    always = {f"{place.prefix}-{name}" for place in (DEV, STAGING) for name in ("schedule", "fleet-schedule")}
    assert found == always | {"aurora-restore-staging-schedule-2"}
    second = scheduler.get_schedule(Name="aurora-restore-staging-schedule-2")
    assert (second["State"], second["ScheduleExpression"]) == ("DISABLED", "cron(0 4 ? * SUN *)")
    assert second["Target"]["Input"] == DRILL
    assert second["Target"]["Arn"].endswith(":stateMachine:aurora-restore-staging-pipeline")
    assert second["Target"]["RoleArn"].endswith(f":role/aurora-restore-staging-schedule-{TARGET_REGION}")


def restore_sh(keyboard: Keyboard, place: Place, *arguments: str) -> Any:
    """Return the document that restore.sh prints."""
    done = subprocess.run(
        ["./restore.sh", *arguments, *place.where, "--json"], cwd=REPOSITORY, env=keyboard.variables, check=False,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, f"{place}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return json.loads(done.stdout)


def test_each_restores_its_own_target_at_the_same_time_under_the_same_name(
    deployed: Keyboard, cloud: LocalCloud
) -> None:
    with ThreadPoolExecutor(len(PLACES)) as pool:
        list(pool.map(lambda place: restore_sh(deployed, place, "start", "--name", RUN, "--watch"), PLACES))
    for place in PLACES:
        table = f"{place.prefix}-state"
        row = cloud.client("dynamodb", place.region).get_item(TableName=table, Key={"operation_id": {"S": RUN}})
        assert row["Item"]["status"]["S"] == "SUCCEEDED", place
        assert f":execution:{place.prefix}-pipeline:{RUN}" in row["Item"]["execution_arn"]["S"]
        [cluster] = cloud.client("rds", place.region).describe_db_clusters(DBClusterIdentifier=place.target)[
            "DBClusters"
        ]
        tags = {tag["Key"]: tag["Value"] for tag in cluster["TagList"]}
        assert (tags["aurora-restore:managed"], tags["aurora-restore:replaceable"]) == (place.mark, place.mark)
        bucket = f"{place.prefix}-evidence-{ACCOUNT_ID}-{place.region}"
        kept = cloud.client("s3", place.region).list_objects_v2(Bucket=bucket)["Contents"]
        assert {item["Key"].split("/")[1] for item in kept} == {RUN}


class Actor:
    """Lends a function's role to the account's root and makes calls in its name."""

    def __init__(self, cloud: LocalCloud, place: Place, step: str) -> None:
        self._cloud, self._region = cloud, place.region
        iam, role = cloud.client("iam"), f"{place.prefix}-{step}-{place.region}"
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        root = {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
        to_root = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
        wider = {**trust, "Statement": [*trust["Statement"], to_root]}
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(wider))
        arn = f"arn:aws:iam::{ACCOUNT_ID}:role/{role}"
        given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="tried")["Credentials"]
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
        self._session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def is_let_in(self, service: str, call: str, **parameters: Any) -> bool:
        """Make the call; False if IAM refuses it, whatever else becomes of it."""
        endpoint = self._cloud.rds_endpoint if service == "rds" else self._cloud.endpoint
        client: Any = self._session.client(  # type: ignore[call-overload]
            service, region_name=self._region, endpoint_url=endpoint
        )
        try:
            getattr(client, call)(**parameters)
        except ClientError as error:
            return error.response["Error"]["Code"] not in DENIED
        return True


def snapshots_of(cloud: LocalCloud, place: Place) -> list[str]:
    found = cloud.client("rds", place.region).describe_db_cluster_snapshots(SnapshotType="manual")
    return [
        item["DBClusterSnapshotIdentifier"]
        for item in found["DBClusterSnapshots"]
        if {"Key": "aurora-restore:target-cluster-id", "Value": place.target} in item["TagList"]
    ]


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(("mine", "theirs"), [(DEV, STAGING), (STAGING, DEV)], ids=["dev", "staging"])
def test_no_function_of_one_gets_at_what_is_the_others(cloud: LocalCloud, mine: Place, theirs: Place) -> None:
    member = f"{theirs.target}-1"
    [copy] = snapshots_of(cloud, theirs)
    row = {"operation_id": {"S": RUN}}
    secret = f"aurora-restore/{theirs.environment}/app-credentials"
    machine = f"arn:aws:states:{theirs.region}:{ACCOUNT_ID}:execution:{theirs.prefix}-pipeline:{RUN}"
    tried: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
        "delete-rds": [
            ("rds", "delete_db_cluster", {"DBClusterIdentifier": theirs.target, "SkipFinalSnapshot": True}),
            ("rds", "delete_db_instance", {"DBInstanceIdentifier": member}),
            ("rds", "delete_db_cluster_snapshot", {"DBClusterSnapshotIdentifier": copy}),
            ("rds", "modify_db_cluster", {"DBClusterIdentifier": theirs.target, "DeletionProtection": False}),
            ("rds", "stop_db_cluster", {"DBClusterIdentifier": theirs.target}),
            ("dynamodb", "get_item", {"TableName": f"{theirs.prefix}-state", "Key": row}),
            ("dynamodb", "put_item", {"TableName": f"{theirs.prefix}-audit", "Item": row}),
            ("stepfunctions", "describe_execution", {"executionArn": machine}),
        ],
        "archive-snapshot": [("rds", "delete_db_cluster_snapshot", {"DBClusterSnapshotIdentifier": copy})],
        "swap-clusters": [
            ("rds", "modify_db_cluster", {"DBClusterIdentifier": theirs.target, "NewDBClusterIdentifier": "x"}),
            ("rds", "modify_db_instance", {"DBInstanceIdentifier": member, "NewDBInstanceIdentifier": "x"}),
        ],
        "setup-db-users": [
            ("rds", "modify_db_cluster", {"DBClusterIdentifier": theirs.target, "MasterUserPassword": "long-enough"}),
            ("secretsmanager", "get_secret_value", {"SecretId": secret}),
            ("secretsmanager", "get_secret_value", {"SecretId": secret.replace("app-", "master-")}),
        ],
        "sns-notification": [
            ("lambda", "invoke", {"FunctionName": f"{theirs.prefix}-write-evidence"}),
            ("dynamodb", "delete_item", {"TableName": f"{theirs.prefix}-state", "Key": row}),
        ],
    }  # fmt: skip
    actors = {step: Actor(cloud, mine, step) for step in tried}
    let_in = [
        (step, call, parameters)
        for step, calls in tried.items()
        for service, call, parameters in calls
        if actors[step].is_let_in(service, call, **parameters)
    ]
    assert let_in == []
    # What it does with its own shows that the roles are lent and the calls well formed.
    own = {"TableName": f"{mine.prefix}-state", "Key": row}
    assert actors["delete-rds"].is_let_in("dynamodb", "get_item", **own)
    assert actors["setup-db-users"].is_let_in("secretsmanager", "get_secret_value", SecretId=secret.replace(
        theirs.environment, mine.environment
    ))  # fmt: skip


def test_neither_may_take_the_others_targets(deployed: Keyboard) -> None:
    printed = deployed.deploy_sh(
        "deploy", *STAGING.where, "--yes", "--host", "--set", "TargetClusterPattern=*-shop", expect=1
    )
    assert "TargetClusterPattern *-shop, and dev-* of stack aurora-restore in us-west-2: some name fits both" in printed
    printed = deployed.deploy_sh("bootstrap", "--env", "prod", "--region", TARGET_REGION, "--yes", expect=1)
    assert "make prod beside it: ./deploy.sh bootstrap --env prod --region us-west-2 --beside" in printed


def test_each_is_verified_by_itself_and_one_that_goes_leaves_the_others(deployed: Keyboard, cloud: LocalCloud) -> None:
    others = {place: set(resources(cloud, place)) for place in (DEV, ABROAD)}
    for place in PLACES:
        deployed.deploy_sh("verify", *place.where)

    printed = deployed.deploy_sh("destroy", *STAGING.where, "--yes")

    assert "deleted stack aurora-restore-staging\n" in printed
    assert all(name in printed for name in snapshots_of(cloud, STAGING))
    assert not any(name in printed for name in snapshots_of(cloud, DEV))
    functions = {item["FunctionName"] for item in cloud.client("lambda").list_functions()["Functions"]}
    assert not any("staging" in name for name in functions)
    assert {place: set(resources(cloud, place)) for place in others} == others
    deployed.deploy_sh("verify", *DEV.where)
