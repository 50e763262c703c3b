"""`deploy.sh selftest` as people call it: everything is proven, told and removed, whatever happens on the way."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.deployment.conftest import Keyboard
from tests.waiting import wait_for
from tooling.environments import REPOSITORY

STATE_TABLE = "aurora-restore-state"
POLICY = REPOSITORY / "docs/examples/selftest_policy.json"
PREFIX = "aurora-restore-selftest"
# An hour lasts six seconds here.
DEFAULTS = {"budgets": {"copy_hours": 120, "delete_hours": 120, "restore_hours": 120}}
STEPS = [
    "source cluster", "data and logins", "snapshot", "drill", "data", "logins", "evidence", "clean-up of drill",
    "removal",
]  # fmt: skip


@pytest.fixture(scope="module")
def deployed(keyboard: Keyboard) -> Keyboard:
    """The pipeline, deployed, with a target that no drill touches: there is none yet."""
    keyboard.deploy_sh("bootstrap", "--yes")
    keyboard.deploy_sh("put-secret", "master-credentials", "--generate")
    keyboard.deploy_sh("put-secret", "app-credentials", "--generate")
    keyboard.deploy_sh(
        "deploy", "--yes", "--host", "--set", "TargetClusterId=staging", "--set", "SourceClusterId=shop-production",
        "--set", f"RequestDefaults={json.dumps(DEFAULTS)}",
    )  # fmt: skip
    return keyboard


@pytest.fixture
def tester(cloud: LocalCloud) -> Iterator[dict[str, str]]:
    """Somebody who may do what the documentation's policy says, and nothing else."""
    iam = cloud.client("iam")
    iam.create_user(UserName="tester")
    iam.put_user_policy(UserName="tester", PolicyName="selftest", PolicyDocument=POLICY.read_text())
    key = iam.create_access_key(UserName="tester")["AccessKey"]
    yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    iam.delete_access_key(UserName="tester", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="tester", PolicyName="selftest")
    iam.delete_user(UserName="tester")


def standing(cloud: LocalCloud) -> set[str]:
    """Name what a selftest could leave: in RDS, secrets, running executions, rows that are no evidence."""
    found: set[str] = set()
    for region in (SOURCE_REGION, TARGET_REGION):
        rds = cloud.client("rds", region)
        found |= {f"cluster {item['DBClusterIdentifier']}" for item in rds.describe_db_clusters()["DBClusters"]}
        found |= {f"instance {item['DBInstanceIdentifier']}" for item in rds.describe_db_instances()["DBInstances"]}
        snapshots = rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
        found |= {f"snapshot {item['DBClusterSnapshotIdentifier']}" for item in snapshots}
        groups = rds.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"]
        found |= {f"parameter group {item['DBClusterParameterGroupName']}" for item in groups}
        secrets = cloud.client("secretsmanager", region).list_secrets()["SecretList"]
        found |= {f"secret {item['Name']}" for item in secrets}
    states = cloud.client("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        running = states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
        found |= {f"execution {item['name']}" for item in running}
    keys = (item["operation_id"]["S"] for item in cloud.client("dynamodb").scan(TableName=STATE_TABLE)["Items"])
    return found | {f"row {key}" for key in keys if "#" in key}


def outcomes(printed: str) -> dict[str, str]:
    """Return the table: how each step ended."""
    table = printed[printed.index("\nstep ") :].splitlines()[2:]
    rows = [line for line in table if any(line.startswith(f"{name:20} ") for name in STEPS)]
    return {line[:20].strip(): line[30:36].strip() for line in rows}


def test_nothing_is_made_before_the_cost_is_known_and_agreed_to(deployed: Keyboard, cloud: LocalCloud) -> None:
    before = standing(cloud)
    printed = deployed.deploy_sh("selftest", typed="no\n", expect=1)
    assert "On AWS that takes about 60 minutes, and costs at most about $0." in printed
    assert "nothing was made; to begin, type yes or pass --yes" in printed
    assert standing(cloud) == before


def test_data_logins_and_evidence_are_proven_and_nothing_is_left(
    deployed: Keyboard, cloud: LocalCloud, tester: dict[str, str], tmp_path: Path
) -> None:
    before = standing(cloud)

    printed = deployed.deploy_sh("selftest", "--yes", who=tester, TMPDIR=str(tmp_path))

    assert outcomes(printed) == dict.fromkeys(STEPS, "PASS"), printed
    assert "the rows of the snapshot, and none written later: 1000" in printed
    assert "selftest_app, selftest_batch shut out" in printed
    assert standing(cloud) == before
    [evidence] = tmp_path.iterdir()
    assert f"The evidence, to keep or to delete: {evidence}" in printed
    assert {"report.json", "report.html", "public_key.pem"} <= {path.name for path in evidence.iterdir()}
    journal = cloud.aurora_control("GET", "journal", {})
    made = next(call for call in journal if PREFIX in str(call["parameters"].get("DBClusterIdentifier", "")))
    asked = {"ManageMasterUserPassword": True, "EnableHttpEndpoint": True, "StorageEncrypted": True}
    assert (made["operation"], made["region"], made["parameters"] | asked) == (
        "CreateDBCluster", SOURCE_REGION, made["parameters"],
    )  # fmt: skip
    rows = cloud.client("dynamodb").scan(TableName=STATE_TABLE)["Items"]
    [drill] = [row for row in rows if row["operation_id"]["S"].startswith("selftest-") and "evidence" in row]
    assert drill["status"]["S"] == "SUCCEEDED", "its row and its evidence stay"


def test_a_drill_that_fails_is_told_and_what_was_kept_is_swept_away(
    deployed: Keyboard, cloud: LocalCloud, tmp_path: Path
) -> None:
    before = standing(cloud)
    fault = {
        "kind": "end-in", "operation": "RestoreDBClusterFromSnapshot", "identifier": "staging-selftest-drill-*",
        "status": "incompatible-restore",
    }  # fmt: skip
    cloud.aurora_control("POST", "faults", fault)

    printed = deployed.deploy_sh("selftest", "--yes", "--keep", expect=1, TMPDIR=str(tmp_path))

    told = outcomes(printed)
    assert [told[name] for name in ("snapshot", "drill", "removal")] == ["PASS", "FAIL", "PASS"], printed
    assert "incompatible-restore" in printed
    assert not list(tmp_path.iterdir()), "nothing was fetched"
    kept = standing(cloud) - before
    assert {name.partition(" ")[0] for name in kept} == {"cluster", "instance", "snapshot", "secret"}, kept
    stranger = f"{PREFIX}-of-somebody"
    rds = cloud.client("rds", SOURCE_REGION)
    rds.create_db_cluster(
        DBClusterIdentifier=stranger, Engine="aurora-postgresql", MasterUsername="a", MasterUserPassword="not-a-secret"
    )
    printed = deployed.deploy_sh("selftest", "--sweep", "--yes")
    assert "Nothing of a selftest stands" in printed
    assert stranger not in printed
    rds.delete_db_cluster(DBClusterIdentifier=stranger, SkipFinalSnapshot=True)
    wait_for(lambda: f"cluster {stranger}" not in standing(cloud), "the end of the stranger")
    assert standing(cloud) == before


def test_ctrl_c_in_the_middle_of_the_drill_stops_and_removes_it(
    deployed: Keyboard, cloud: LocalCloud, tmp_path: Path
) -> None:
    before = standing(cloud)
    output, environment = tmp_path / "printed", {**deployed.variables, "TMPDIR": str(tmp_path)}
    with output.open("w") as printed, subprocess.Popen(
        ["./deploy.sh", "selftest", "--yes"], cwd=REPOSITORY, env=environment, stdout=printed,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        wait_for(lambda: drilled(cloud), "the drill to restore", seconds=200.0, every=0.2)
        process.send_signal(signal.SIGINT)
        process.wait(200)
    told = output.read_text()
    assert process.returncode == 130, told
    assert "Stopped; removing what was made" in told
    assert (outcomes(told)["drill"], outcomes(told)["removal"]) == ("STOP", "PASS"), told
    assert standing(cloud) == before


def drilled(cloud: LocalCloud) -> list[Any]:
    clusters = cloud.client("rds").describe_db_clusters()["DBClusters"]
    return [item for item in clusters if item["DBClusterIdentifier"].startswith("staging-selftest-drill-")]
