"""deploy.sh selftest, piece by piece: what it refuses before it costs anything, how it judges, what it removes."""

import signal
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from deployment import stacks
from deployment.account import Account, Refused
from deployment.selftest import leftovers
from deployment.selftest.command import selftest
from deployment.selftest.content import LOGINS, after_the_snapshot, checks, statements
from deployment.selftest.judgement import judge_data, judge_evidence, judge_logins
from deployment.selftest.setting import Setting, setting_of
from deployment.selftest.table import StepFailed, Table
from deployment.stacks import Stack
from deployment.throwaway.clusters import Clusters
from deployment.throwaway.removals import Removals
from deployment.throwaway.waiting import NotReached, until
from restore_command.pipeline import Pipeline
from tests.unit.evidence.runs import a_restore, at
from utils.operation.model import CheckRecord, Operation, UsersRecord
from utils.operation.records import EvidenceRecord
from utils.request.parsing import find_problems
from utils.validate_request import StackDefaults

TARGET_REGION, SOURCE_REGION = "us-west-2", "us-east-1"
Stacked = Callable[..., Account]


@pytest.fixture
def stacked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stacked]:
    """An account whose pipeline has these parameters."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    def stack(**parameters: str) -> Account:
        outputs = {"StateMachineArn": "arn:aws:states:us-west-2:123456789012:stateMachine:aurora-restore-pipeline"}
        made = Stack("aurora-restore", "CREATE_COMPLETE", {"SourceRegion": SOURCE_REGION, **parameters}, outputs)
        monkeypatch.setattr(stacks, "find_stack", lambda _account, _name: made)
        return an_account(TARGET_REGION)

    with mock_aws():
        yield stack


def an_account(region: str) -> Account:
    session = boto3.session.Session(region_name=region)
    return Account(region, "123456789012", "arn:aws:iam::123456789012:user/ops", session)


def options(**given: Any) -> Namespace:
    chosen = {
        "env": "dev",
        "source_region": None,
        "target": None,
        "engine_version": "17.4",
        "source_subnet_group": None,
    }
    return Namespace(**(chosen | given))


def a_setting(source_region: str = SOURCE_REGION) -> Setting:
    return Setting(
        run="0a1b2c3d",
        pipeline=Pipeline(an_account(TARGET_REGION)),
        source=an_account(source_region),
        target_cluster_id="staging-selftest",
        network={},
        engine_version="17.4",
        subnet_group=None,
        remarks=(),
    )


# Before anything is made


def test_minutes_and_cost_are_told_and_are_less_within_one_region() -> None:
    assert "about 60 minutes, and costs at most about $0.29" in a_setting().announcement()
    assert "about 45 minutes, and costs at most about $0.23" in a_setting(TARGET_REGION).announcement()


def test_the_drill_is_taken_whatever_the_stack_fills_in_for_production() -> None:
    defaults = (
        '{"source": {"account_id": "210987654321", "fast_clone": true, "max_age_hours": 1}, "strategy": "swap", '
        '"checks": [], "keep_logins": ["shop_app"], "start_window": {"from": "22:00", "to": "04:00"}}'
    )
    stack = StackDefaults(
        source_cluster_id="shop", source_region=SOURCE_REGION, target_cluster_id="staging",
        request_defaults=defaults, mandatory_request="{}",
    )  # fmt: skip
    assert find_problems(a_setting().request, stack) == []


def test_a_region_that_the_pipeline_does_not_copy_from_is_refused(stacked: Stacked) -> None:
    with pytest.raises(Refused, match="copies from us-east-1 and us-west-2 only"):
        setting_of(stacked(), options(source_region="eu-west-1"))


def test_a_stack_without_a_state_machine_is_refused_before_it_costs_anything(
    stacked: Stacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = stacked()
    failed = Stack("aurora-restore", "ROLLBACK_COMPLETE", {"SourceRegion": SOURCE_REGION, "Environment": "prod"}, {})
    monkeypatch.setattr(stacks, "find_stack", lambda _account, _name: failed)
    told = (
        "aurora-restore in us-west-2 is in ROLLBACK_COMPLETE and has no state machine.*deploy --env prod --region us-"
    )
    with pytest.raises(Refused, match=told):
        setting_of(account, options())


def test_a_name_that_no_drill_may_have_is_refused_before_it_costs_anything(stacked: Stacked) -> None:
    account = stacked(TargetClusterPattern="staging-*")
    with pytest.raises(Refused, match="TargetClusterPattern is staging-"):
        setting_of(account, options())
    assert setting_of(account, options(target="staging-shop")).target_cluster_id == "staging-shop-selftest"


def test_the_drill_is_where_the_target_is_with_its_version_and_under_a_name_of_its_own(stacked: Stacked) -> None:
    account = stacked(TargetClusterId="staging")
    made = account.client("rds").create_db_cluster(
        DBClusterIdentifier="staging", Engine="aurora-postgresql", EngineVersion="15.8", MasterUsername="dba",
        MasterUserPassword="not-a-secret", VpcSecurityGroupIds=["sg-0a1b"],
    )["DBCluster"]  # fmt: skip
    found = setting_of(account, options(engine_version=None))
    assert (found.engine_version, found.target_cluster_id) == ("15.8", "staging-selftest")
    assert found.network == {"subnet_group": made["DBSubnetGroup"], "security_group_ids": ["sg-0a1b"]}
    assert found.request["target"] | found.network == found.request["target"]
    assert "sg-0a1b of the target" in found.announcement()
    elsewhere = setting_of(account, options(target="absent"))
    assert (elsewhere.target_cluster_id, elsewhere.network) == ("absent-selftest", {})


def test_what_will_keep_the_drill_waiting_or_meet_other_data_is_said_before(stacked: Stacked) -> None:
    mandatory = '{"checks": [{"name": "customers", "database": "shop", "sql": "SELECT 1", "expect": 1}]}'
    said = setting_of(stacked(RequireApproval="true", MandatoryRequest=mandatory), options()).announcement()
    assert "Note: RequireApproval is on: the drill waits for ./restore.sh approve" in said
    assert "Note: MandatoryRequest has checks" in said


def test_no_password_is_in_the_sql_that_fills_the_source() -> None:
    logins = [statement for statement in statements() if statement.startswith("CREATE ROLE")]
    assert len(logins) == len(LOGINS)
    assert all("PASSWORD 'SCRAM-SHA-256$4096:" in statement for statement in logins)
    assert statements()[2:4] != statements()[2:4], "salts and keys are new each time"
    assert ";" not in "".join([*statements(), after_the_snapshot()]), "the Data API takes one statement"


# Judging


def a_drill(**users: Any) -> Operation:
    asked = [
        CheckRecord(name=check["name"], database="selftest", expected=str(check["expect"]), found="7", holds=True)
        for check in checks()
    ]
    told: dict[str, Any] = {
        "master_reset_at": at(1),
        "finished_at": at(2),
        "checks": asked,
        "shut_out": list(LOGINS),
        "proofs": {"app_user": ["selftest: logs in"]},
    }
    return a_restore("selftest-0a1b2c3d", users=UsersRecord(**(told | users)))


def test_a_copy_with_all_rows_and_proven_logins_is_right() -> None:
    assert judge_data(a_drill())[0]
    assert judge_logins(a_drill()) == (True, "app_user proven; selftest_app, selftest_batch shut out")


def test_a_check_that_does_not_hold_or_was_not_asked_is_told() -> None:
    [first, second] = a_drill().users.checks  # type: ignore[union-attr]
    wrong = judge_data(a_drill(checks=[first.model_copy(update={"holds": False, "found": "999"}), second]))
    assert wrong == (False, f"{first.name}: 999")
    assert judge_data(a_drill(checks=[first])) == (False, f"not asked: {second.name}")
    assert not judge_data(a_restore(users=None))[0]


def test_a_login_that_is_still_open_or_unproven_is_told() -> None:
    assert judge_logins(a_drill(shut_out=["selftest_app"])) == (False, "not shut out: selftest_batch")
    assert judge_logins(a_drill(proofs={"app_user": []})) == (False, "nothing is proven of app_user")
    assert judge_logins(a_drill(proofs={})) == (False, "nothing is proven of any user")
    assert judge_logins(a_drill(finished_at=None)) == (False, "the users were not set up")


def test_a_drill_without_evidence_is_not_right(tmp_path: Path) -> None:
    assert judge_evidence(a_setting(), a_drill(), tmp_path) == (False, "none was kept: the row has none")
    lost = a_drill().model_copy(update={"evidence": EvidenceRecord(error="AccessDenied", signed_by="")})
    assert judge_evidence(a_setting(), lost, tmp_path) == (False, "none was kept: AccessDenied")


# Removing


def test_the_last_made_is_removed_first_and_what_cannot_be_is_told_and_tried_again() -> None:
    said: list[str] = []
    removed: list[str] = []
    removals = Removals(said.append)
    refuses = iter([True, False])

    def refuse_once() -> None:
        if next(refuses):
            raise NotReached("it is incompatible-restore: delete it in the console")
        removed.append("cluster")

    removals.note("cluster", refuse_once)
    removals.note("snapshot", lambda: removed.append("snapshot"))
    assert removals.all() == ["cluster: it is incompatible-restore: delete it in the console"]
    assert said == ["Removing snapshot", "Removing cluster"]
    assert removals.all() == []
    assert removed == ["snapshot", "cluster"]


@pytest.mark.parametrize("surprise", [Refused("no answer from AWS"), KeyError("MasterUserSecret")])
def test_whatever_the_removal_of_one_thing_meets_the_others_are_removed(surprise: Exception) -> None:
    removed: list[str] = []
    removals = Removals(str)

    def fail() -> None:
        raise surprise

    removals.note("cluster", lambda: removed.append("cluster"))
    removals.note("snapshot", fail)
    assert removals.all() == [f"snapshot: {surprise}"]
    assert removed == ["cluster"]


def test_a_snapshot_in_the_making_at_ctrl_c_is_removed_once_it_is_made() -> None:
    rds = boto3.client("rds", region_name=SOURCE_REGION)
    request = {"DBClusterSnapshotIdentifier": a_setting().snapshot}
    with Stubber(rds) as stub:
        refused = "InvalidDBClusterSnapshotStateFault"
        stub.add_client_error("delete_db_cluster_snapshot", refused, expected_params=request)
        stub.add_response("delete_db_cluster_snapshot", {}, request)
        Clusters(rds, until).remove_snapshot(a_setting().snapshot)
        stub.assert_no_pending_responses()


def test_an_instance_in_the_making_at_ctrl_c_is_removed_once_it_is_made() -> None:
    rds, name = boto3.client("rds", region_name=SOURCE_REGION), a_setting().cluster
    cluster = {"Status": "available", "DBClusterMembers": [{"DBInstanceIdentifier": f"{name}-1"}]}
    request: dict[str, Any] = {"DBInstanceIdentifier": f"{name}-1", "SkipFinalSnapshot": True}
    with Stubber(rds) as stub:
        for _ in ("settled?", "its members?"):
            stub.add_response("describe_db_clusters", {"DBClusters": [cluster]}, {"DBClusterIdentifier": name})
        stub.add_client_error("delete_db_instance", "InvalidDBInstanceState", expected_params=request)
        stub.add_response("delete_db_instance", {}, request)
        stub.add_response("delete_db_cluster", {}, {"DBClusterIdentifier": name, "SkipFinalSnapshot": True})
        Clusters(rds, until).remove_cluster(name)
        stub.assert_no_pending_responses()


def test_what_a_second_ctrl_c_interrupts_is_still_to_be_removed() -> None:
    removed: list[str] = []
    removals = Removals(str)
    interrupts = iter([True, False])

    def remove() -> None:
        if next(interrupts):
            raise KeyboardInterrupt
        removed.append("cluster")

    removals.note("cluster", remove)
    with pytest.raises(KeyboardInterrupt):
        removals.all()
    assert removals.all() == []
    assert removed == ["cluster"]


def test_what_does_not_come_in_time_is_told() -> None:
    with pytest.raises(NotReached, match=r"waited 0\.01 minutes for the cluster"):
        until(lambda: None, "the cluster", minutes=0.01, minute=1.0)
    answers = iter([None, "", "available"])
    assert until(lambda: next(answers), "the cluster", minutes=1) == "available"


@mock_aws
def test_only_what_has_name_and_tag_of_a_selftest_counts_as_left_behind() -> None:
    account, setting = an_account(SOURCE_REGION), a_setting()
    rds = account.client("rds")
    common: Any = {"Engine": "aurora-postgresql", "MasterUsername": "dba", "MasterUserPassword": "not-a-secret"}
    rds.create_db_cluster(DBClusterIdentifier=setting.cluster, Tags=setting.tags, **common)
    rds.create_db_cluster(DBClusterIdentifier="aurora-restore-selftest-untagged", **common)
    rds.create_db_cluster(DBClusterIdentifier="tagged-only", Tags=setting.tags, **common)
    rds.create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier=setting.snapshot, DBClusterIdentifier=setting.cluster, Tags=setting.tags
    )
    left = [("cluster", setting.cluster), ("snapshot", setting.snapshot)]
    assert leftovers.own_leftovers(account) == left
    assert leftovers.own_leftovers(account, setting.run) == left
    assert leftovers.own_leftovers(account, "another") == []


def test_a_sweep_names_what_goes_and_asks_since_somebody_s_selftest_may_be_at_work(
    stacked: Stacked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account, setting = stacked(SourceRegion=TARGET_REGION), a_setting()
    monkeypatch.setattr(Pipeline, "refuse_unless_of", lambda *_: None)
    rds = account.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier=setting.cluster, Engine="aurora-postgresql", MasterUsername="dba",
        MasterUserPassword="not-a-secret", Tags=setting.tags,
    )  # fmt: skip
    with pytest.raises(Refused, match="nothing was removed"):
        selftest(account, options(sweep=True, yes=False), ask=lambda _: "")
    assert f"still at work included:\n  cluster {setting.cluster}\n" in capsys.readouterr().out
    assert len(rds.describe_db_clusters()["DBClusters"]) == 1
    assert selftest(account, options(sweep=True, yes=False), ask=lambda _: "yes") == 0
    assert rds.describe_db_clusters()["DBClusters"] == []


def test_a_sweep_leaves_what_a_drill_made_to_the_pipeline_and_names_it(
    stacked: Stacked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = stacked(SourceRegion=TARGET_REGION)
    monkeypatch.setattr(Pipeline, "refuse_unless_of", lambda *_: None)
    for name, operation_id in (("staging-selftest-drill-1", "selftest-0a1b2c3d"), ("staging", "selftest-of-ours")):
        account.client("rds").create_db_cluster(
            DBClusterIdentifier=name, Engine="aurora-postgresql", MasterUsername="dba",
            MasterUserPassword="not-a-secret", Tags=[{"Key": "aurora-restore:operation-id", "Value": operation_id}],
        )  # fmt: skip
    assert selftest(account, options(sweep=True, yes=True)) == 3
    printed = capsys.readouterr().out
    assert "Still there:\n  cluster staging-selftest-drill-1, of a drill, which the pipeline removes: " in printed
    assert printed.endswith("./restore.sh show selftest-0a1b2c3d-afterwards\n")
    assert len(account.client("rds").describe_db_clusters()["DBClusters"]) == 2


def test_a_termination_removes_what_was_made_as_ctrl_c_does(stacked: Stacked, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", taken.__setitem__)
    monkeypatch.setattr(Pipeline, "refuse_unless_of", lambda *_: None)
    assert selftest(stacked(SourceRegion=TARGET_REGION), options(sweep=True, yes=True)) == 0
    assert taken == dict.fromkeys((signal.SIGINT, signal.SIGTERM), signal.default_int_handler)


@mock_aws
def test_what_a_drill_left_is_known_by_the_tag_of_its_operation() -> None:
    account = an_account(TARGET_REGION)
    tags = [{"Key": "aurora-restore:operation-id", "Value": "selftest-0a1b2c3d"}]
    account.client("rds").create_db_cluster(
        DBClusterIdentifier="staging-drill-1", Engine="aurora-postgresql", MasterUsername="dba",
        MasterUserPassword="not-a-secret", Tags=tags,
    )  # fmt: skip
    assert leftovers.of_drill(account, "selftest-0a1b2c3d") == ["cluster staging-drill-1"]
    assert leftovers.of_drill(account, "selftest-other") == []


# Telling


def test_the_table_has_the_minutes_of_each_step_and_why_one_failed() -> None:
    said: list[str] = []
    table = Table(said.append)
    with table.step("snapshot") as step:
        step.found = "selftest-snapshot"
    with pytest.raises(StepFailed), table.step("drill"):
        raise NotReached("waited 5 minutes for the end")
    with pytest.raises(KeyboardInterrupt), table.step("evidence"):
        raise KeyboardInterrupt
    assert table.failed
    assert said == ["snapshot …", "drill …", "evidence …"]
    heading, *rows = table.lines()
    assert heading.split() == ["step", "minutes", "result"]
    assert [row.split(maxsplit=2)[2] for row in rows] == [
        "PASS  selftest-snapshot",
        "FAIL  waited 5 minutes for the end",
        "STOP  stopped by Ctrl-C",
    ]
