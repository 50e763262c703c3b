"""The notifications, word for word: `UPDATE_GOLDEN=1 pytest` writes the files anew; read the difference."""

import json
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name

from tests.fakes import away_from_default
from tests.fakes.aws import FakeAws
from tests.unit.operations import AT, OLD_TARGET, REQUEST, an_operation
from tests.unit.steps.rebuild import settings_now
from utils.aws.notifier import Notification
from utils.cluster_settings.comparison import Comparison, Difference, Severity
from utils.cluster_settings.model import Member
from utils.cluster_settings.values import ServerlessV2
from utils.operation.after_restore import SettingsRecord
from utils.operation.model import (
    CheckRecord,
    HealthRecord,
    Operation,
    OperationStatus,
    ScriptRecord,
    UsersRecord,
    Verdict,
)
from utils.operation.records import (
    ArchiveRecord,
    Begun,
    CopyRecord,
    DeletionRecord,
    ExposureRecord,
    OperationError,
    RestoreRecord,
)
from utils.report.advice import advice_after
from utils.report.commands import commands_to_bring_back
from utils.report.messages import message_for_failure, message_for_success
from utils.report.summary import summarise
from utils.request.model import RestoreRequest

GOLDEN = Path(__file__).parent / "golden"
SNAPSHOT = "arn:aws:rds:us-west-2:123456789012:cluster-snapshot"
FINAL = "found status failed; expected status available; what to do: look at the RDS events, then start a new run"


def after(minutes: float) -> Any:
    return AT + timedelta(minutes=minutes)


def a_finished_operation(**other: Any) -> Operation:
    done: dict[str, Any] = {
        "status": OperationStatus.SUCCEEDED,
        "old_target": OLD_TARGET,
        "copied": CopyRecord(started_at=AT, finished_at=after(20.1), arn=f"{SNAPSHOT}:copy-1"),
        "deletion": DeletionRecord(
            started_at=after(20.2),
            finished_at=after(26.9),
            final_snapshot_arn=f"{SNAPSHOT}:final-1",
            destroying_since=after(25),
            deleted_members=["staging-1", "staging-2"],
        ),
        "restore": RestoreRecord(
            started_at=after(27),
            finished_at=after(44.8),
            endpoint="staging.cluster-abc.us-west-2.rds.amazonaws.com",
            port=5432,
            engine_version="17.4",
            instance_ids=["staging-1", "staging-2"],
            settings=SettingsRecord(
                comparison=Comparison(
                    as_before=37,
                    changed=["port", "tags"],
                    changed_count=2,
                    differences=[
                        Difference(path="data_api", wanted="True", found="False", severity=Severity.TOLD),
                    ],
                    not_put_back=["the database activity stream"],
                )
            ),
        ),
        "exposure": ExposureRecord(since=after(43.9), ended_at=after(46.2)),
        "users": UsersRecord(
            master_reset_at=after(45),
            finished_at=after(65.2),
            proofs={"app_user": ["shop: logs in, can read and write"], "readonly_user": ["shop: logs in, can read"]},
            shut_out=["analyst", "shop_app"],
            kept=["auditor"],
            unknown_logins=["nobody"],
            disarmed=["shop: event trigger tell"],
            outbound=["shop: subscription to_the_warehouse"],
            outbound_closed=True,
            health=[
                HealthRecord(
                    verdict=Verdict.FOR_A_PERSON,
                    what="invalid indexes",
                    names=["public.a", "public.b"],
                    count=5,
                    database="shop",
                ),
                HealthRecord(
                    verdict=Verdict.CLOSED, what="prepared transactions, rolled back", names=["xa-1"], count=1
                ),
            ],
            scripts=[
                ScriptRecord(
                    s3_uri="s3://code/post-restore-sql/mask.sql",
                    version_id="v1",
                    sha256="s",
                    database="shop",
                    user="postgres",
                    statements=3,
                    seconds=2.5,
                )
            ],
            checks=[CheckRecord(name="no real e-mail", database="shop", expected="0", found="0", holds=True)],
        ),
        "archive": ArchiveRecord(archived="copy-1", pruned_copies=["copy-0"], pruned_final_snapshots=["final-0"]),
        "finished_at": after(66),
    }
    return an_operation(**(done | other))


def failure(error: OperationError, **other: Any) -> Notification:
    nothing_yet = {"archive": None, "users": None, "exposure": ExposureRecord()}
    operation = a_finished_operation(status=OperationStatus.FAILED, error=error, **(nothing_yet | other))
    return message_for_failure(
        operation.operation_id,
        operation.execution_arn,
        error,
        summarise(operation),
        advice_after(error.name, operation),
    )


def failed_before_the_deletion() -> Notification:
    error = OperationError(name="CopyFailed", message=FINAL, step="Check Copy Status")
    return failure(
        error, copied=CopyRecord(started_at=AT), begun=Begun(copy_requested=True), deletion=None, restore=None
    )


def failed_after_the_deletion() -> Notification:
    return failure(OperationError(name="RestoreFailed", message=FINAL, step="Check Restore Status"), restore=None)


def refused() -> Notification:
    error = OperationError(
        name="InvalidRequest", message="sourc: found an unknown field; expected 'source' perhaps", step="Snapshot Check"
    )
    return message_for_failure("nightly-1", an_operation().execution_arn, error, None)


MESSAGES = {
    "success": lambda: message_for_success(summarise(a_finished_operation())),
    "success_without_an_old_target": lambda: message_for_success(
        summarise(
            a_finished_operation(
                old_target=None, deletion=None, copied=None, users=UsersRecord(), archive=ArchiveRecord()
            )
        )
    ),
    "success_without_a_final_snapshot": lambda: message_for_success(
        summarise(
            a_finished_operation(deletion=DeletionRecord(started_at=AT, destroying_since=AT, finished_at=after(5)))
        )
    ),
    "dry_run": lambda: message_for_success(
        summarise(
            an_operation(
                status=OperationStatus.SUCCEEDED, request=RestoreRequest.model_validate(REQUEST | {"dry_run": True})
            )
        )
    ),
    "failure_before_the_deletion": failed_before_the_deletion,
    "failure_after_the_deletion": failed_after_the_deletion,
    "refusal": refused,
}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_message_reads(name: str) -> None:
    message = MESSAGES[name]()
    written = f"Subject: {message.subject}\n\n{message.text}\n"
    golden = GOLDEN / f"{name}.txt"
    if "UPDATE_GOLDEN" in os.environ:
        golden.write_text(written)
    assert written == golden.read_text()


@pytest.mark.parametrize("name", ["success", "failure_after_the_deletion"])
def test_the_same_for_programs_and_for_chat_reads(name: str) -> None:
    message = MESSAGES[name]()
    written = (
        json.dumps({"attributes": message.labels, "detail": message.detail, "chat": message.chat}, indent=2) + "\n"
    )
    golden = GOLDEN / f"{name}.json"
    if "UPDATE_GOLDEN" in os.environ:
        golden.write_text(written)
    assert written == golden.read_text()


def test_there_is_no_golden_file_that_nothing_reads() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(MESSAGES)


@pytest.mark.parametrize("name", ["x" * 63, "y" * 80])
@pytest.mark.parametrize("error", ["EngineVersionNotRestorable", "InvalidRequest"])
def test_the_subject_of_a_long_name_still_says_how_it_ended(name: str, error: str) -> None:
    problem = OperationError(name=error, message="found it", step="Snapshot Check")
    subject = message_for_failure(name, "", problem, None).subject
    assert len(subject) <= 100
    assert re.fullmatch(rf"Aurora restore of [xy]+(\.\.\.)? FAILED: {error}", subject)


def test_a_step_that_was_called_by_hand_has_no_execution_to_look_at_or_to_go_on_with() -> None:
    problem = OperationError(name="CopyFailed", message="found it", step="")
    message = message_for_failure("nightly-1", "", problem, summarise(an_operation(execution_arn="")))
    assert "Execution:" not in message.text
    assert "start a new run." in message.text
    assert message.detail["console_url"] is message.detail["resume"] is None


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "us-west-2", "us-west-2.console.aws.amazon.com"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
    ],
)
def test_the_link_leads_to_the_partitions_own_console(partition: str, region: str, host: str) -> None:
    arn = f"arn:{partition}:states:{region}:123456789012:execution:aurora-restore-pipeline:nightly-1"
    url = f"https://{host}/states/home?region={region}#/v2/executions/details/{arn}"
    assert summarise(an_operation(execution_arn=arn)).console_url == url


def test_what_is_unknown_of_a_script_is_left_out_of_the_summary() -> None:
    operation = a_finished_operation()
    assert operation.users is not None
    (script,) = operation.users.scripts
    operation.users.scripts = [script, script.model_copy(update={"version_id": None})]
    versioned, unversioned = summarise(operation).as_json()["scripts"]
    assert versioned["version_id"] == "v1"
    assert "version_id" not in unversioned


def test_a_script_that_ran_as_the_master_is_said_to_have() -> None:
    operation = a_finished_operation()
    assert operation.users is not None
    (script,) = operation.users.scripts
    assert "mask.sql in shop, as the master user" not in message_for_success(summarise(operation)).text
    operation.users.scripts = [script.model_copy(update={"as_master": True})]
    assert "mask.sql in shop, as the master user" in " ".join(message_for_success(summarise(operation)).text.split())


def test_a_serverless_target_comes_back_with_its_capacity() -> None:
    operation = a_finished_operation()
    assert operation.old_target is not None
    settings = operation.old_target.settings.model_copy(
        update={
            "serverless_v2": ServerlessV2(min_capacity=0.5, max_capacity=8),
            "members": [Member(identifier="staging-1", instance_class="db.serverless")],
        }
    )
    operation.old_target = operation.old_target.model_copy(update={"settings": settings})
    restore, _, instance = commands_to_bring_back(operation)
    assert "--serverless-v2-scaling-configuration MinCapacity=0.5,MaxCapacity=8" in restore
    assert "--db-instance-class db.serverless" in instance


def test_the_name_to_come_back_under_is_a_name_that_rds_takes() -> None:
    operation = a_finished_operation()
    operation.identifiers.target_cluster_id = "a" * 53 + "-" + "b" * 9
    _, wait, instance = commands_to_bring_back(operation)
    assert wait.endswith(f"--db-cluster-identifier {'a' * 53}-before")
    assert f"--db-instance-identifier {'a' * 53}-before-1 " in instance


def test_a_cluster_without_groups_comes_back_without_groups() -> None:
    bare = OLD_TARGET | {"subnet_group": None, "port": None, "security_group_ids": []}
    restore, *_ = commands_to_bring_back(a_finished_operation(old_target=bare))
    assert not any(option in restore for option in ("subnet", "security", "--port"))


def test_a_cluster_comes_back_with_every_instance_and_every_setting() -> None:
    commands = commands_for_everything()
    verbs = [command.split()[2] for command in commands]
    assert verbs == [
        "restore-db-cluster-from-snapshot",
        "wait",
        *["create-db-instance"] * 3,
        "wait",
        "modify-db-cluster",
        "enable-http-endpoint",
    ]
    restore, writer, changes = commands[0], commands[2], commands[-2]
    for option in (
        "--storage-type aurora-iopt1",
        "--enable-iam-database-authentication",
        "--enable-cloudwatch-logs-exports iam-db-auth-error postgresql",
        "--tags Key=team,Value=data Key=cost-centre,Value=42",
        "--kms-key-id",
        "--associated-roles RoleArn=arn:aws:iam::123456789012:role/import,FeatureName=s3Import",
        "--backup-retention-period 14",
        "--no-copy-tags-to-snapshot",
    ):
        assert option in restore, option
    assert "--db-instance-class db.r8g.8xlarge" in writer
    assert "--no-publicly-accessible" in writer
    assert all(option in changes for option in ("--deletion-protection", "--apply-immediately"))
    assert "--manage-master-user-password" in changes


def test_the_cli_knows_every_option_of_these_commands() -> None:
    model = boto3.client("rds", region_name="us-west-2").meta.service_model
    for command in commands_for_everything():
        verb = command.split()[2]
        if verb == "wait":
            continue
        (name,) = [name for name in model.operation_names if xform_name(name, "-") == verb]
        shape = model.operation_model(name).input_shape
        assert shape is not None
        known = {xform_name(member, "-") for member in shape.members} | {"region"}
        asked = {word.removeprefix("--") for word in command.split() if word.startswith("--")}
        assert {option if option in known else option.removeprefix("no-") for option in asked} <= known


def commands_for_everything() -> list[str]:
    """The commands for an old target with every setting away from its default."""
    aws, operation = FakeAws(), a_finished_operation()
    away_from_default.stands(aws)
    assert operation.old_target is not None
    settings = settings_now(aws).model_copy(update={"manage_master_user_password": True})
    operation.old_target = operation.old_target.model_copy(update={"settings": settings})
    return commands_to_bring_back(operation)


def test_more_tags_than_a_message_holds_are_left_out_of_the_commands() -> None:
    operation = a_finished_operation()
    assert operation.old_target is not None
    tags = {f"{number:03}{'k' * 120}": "v" * 256 for number in range(45)}
    members = [Member(identifier=f"staging-{number}", instance_class="db.r8g.large", tags=tags) for number in range(16)]
    settings = operation.old_target.settings.model_copy(update={"tags": tags, "members": members})
    operation.old_target = operation.old_target.model_copy(update={"settings": settings})
    commands = commands_to_bring_back(operation)
    assert sum(map(len, commands)) <= 20_000
    assert len([command for command in commands if "create-db-instance" in command]) == 16
    assert "--tags" not in " ".join(commands)
