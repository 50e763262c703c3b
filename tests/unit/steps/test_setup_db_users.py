"""Step 8: first the master's password, then, once that is in force, the users (tests/unit/database has the rest)."""

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.aws import ENVIRONMENT, FakeAws
from tests.fakes.set_up_users import OUTCOME, FakeDatabase
from utils.database.before_opening.scripts import BeforeOpeningOutcome, ComeBack
from utils.database.server.connection import Master
from utils.database.server.tls import Tls
from utils.database.setup import SetupOutcome
from utils.errors import (
    CheckFailed,
    DatabaseLoginRefused,
    DatabaseUnavailable,
    IdentifierTaken,
    InvalidRequest,
    PhaseTimedOut,
    RestoreFailed,
    SecretInvalid,
)
from utils.operation.model import CheckRecord, HealthRecord, ScriptRecord, Verdict
from utils.report.messages import message_for_success
from utils.report.summary import summarise
from utils.request.model import RestoreRequest
from utils.runtime.contract import StepStatus
from utils.steps import setup_db_users as module
from utils.steps.check_restore_status import check_restore_status
from utils.steps.setup_db_users import setup_db_users


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> FakeDatabase:
    fake = FakeDatabase()
    monkeypatch.setattr(module, "set_up_users", fake.set_up_users)
    return fake


@pytest.fixture
def ready(restored: FakeAws) -> FakeAws:
    """The run, when the restore is ready for its users."""
    restored.run(check_restore_status)
    return restored


def test_first_productions_master_password_is_reset(ready: FakeAws, database: FakeDatabase) -> None:
    result = ready.run(setup_db_users)

    assert (result.status, result.details) == (StepStatus.IN_PROGRESS, {"waiting_for": "the new master password"})
    assert ready.west.asked("modify_db_cluster") == [
        {"DBClusterIdentifier": "staging", "MasterUserPassword": "master-password-1", "ApplyImmediately": True}
    ]
    assert database.asked == []


def test_while_the_password_is_reset_nobody_logs_in(ready: FakeAws, database: FakeDatabase) -> None:
    ready.run(setup_db_users)
    assert ready.run(setup_db_users).status is StepStatus.IN_PROGRESS
    assert database.asked == []
    assert len(ready.west.asked("modify_db_cluster")) == 1


def test_when_the_password_is_in_force_the_users_are_set_up(ready: FakeAws, database: FakeDatabase) -> None:
    ready.run(setup_db_users)
    ready.west.settle()

    result = ready.run(setup_db_users)

    assert result.status is StepStatus.READY
    assert result.details == {
        "proofs": OUTCOME.proofs,
        "shut_out": ["prod_app"],
        "kept": ["auditor"],
        "unknown_logins": ["nobody"],
        "left_to_aws": ["rdsadmin"],
        "disarmed": ["shop: event trigger tell"],
        "outbound": ["shop: subscription to_the_warehouse"],
        "outbound_closed": True,
        "scripts": [],
        "checks": [],
        "health": ["closed: prepared transactions: xa-1"],
    }
    assert database.wishes == [([], True)]
    assert database.secrets == {name: f"{name}-password-1" for name in ("app", "reader", "devops")}
    ((master, users),) = database.asked
    assert (master.server.host, master.server.port) == ("staging.cluster-x.us-west-2.rds.amazonaws.com", 5432)
    assert master.name == "postgres", "the name comes with the snapshot, the password from our secret"
    assert master.password.get_secret_value() == "master-password-1"
    assert [(user.profile.value, user.name) for user in users] == [
        ("application", "app"),
        ("readonly", "reader"),
        ("devops", "devops"),
    ]
    record = ready.operation.users
    assert record is not None
    assert (record.databases, record.proofs) == (["shop"], OUTCOME.proofs)


def test_what_the_stack_requires_is_kept_by_the_step_whatever_the_row_says(
    ready: FakeAws, database: FakeDatabase
) -> None:
    mask = {"s3_uri": "s3://scripts/mask.sql", "database": "shop"}
    ready.services = ready.services_with(MANDATORY_REQUEST=json.dumps({"post_restore_sql": [mask]}))
    ready.run(setup_db_users)
    assert [script.s3_uri for script in ready.operation.request.post_restore_sql] == ["s3://scripts/mask.sql"]

    asked_for(ready, close_outbound=False)
    ready.services = ready.services_with(MANDATORY_REQUEST='{"close_outbound": true}')
    with pytest.raises(InvalidRequest, match="as the stack parameter MandatoryRequest says"):
        ready.run(setup_db_users)
    assert database.asked == []


def test_a_script_as_the_master_that_the_stack_forbids_never_reaches_the_database(
    ready: FakeAws, database: FakeDatabase
) -> None:
    asked_for(ready, post_restore_sql=[{"s3_uri": "s3://scripts/mask.sql", "database": "shop", "as_master": True}])
    ready.services = ready.services_with(MANDATORY_REQUEST='{"may_use_master": false}')
    with pytest.raises(InvalidRequest, match=r"as_master for s3://scripts/mask\.sql; expected no script as the master"):
        ready.run(setup_db_users)
    assert database.asked == []


def test_the_requests_wishes_reach_the_database_and_everybody_who_is_told(
    ready: FakeAws, database: FakeDatabase
) -> None:
    asked_for(
        ready,
        keep_logins=["auditor"],
        close_outbound=False,
        user_limits={"readonly": {"statement_timeout_seconds": 60, "connection_limit": 5}},
    )
    ready.run(setup_db_users)
    ready.west.settle()
    ready.run(setup_db_users)

    assert database.wishes == [(["auditor"], False)]
    limits = {user.profile.value: (user.statement_timeout, user.connection_limit) for user in database.asked[0][1]}
    assert limits == {"application": (None, None), "readonly": (timedelta(seconds=60), 5), "devops": (None, None)}
    text = message_for_success(summarise(ready.operation)).text
    assert "Logins kept       auditor\nNot found         nobody, of keep_logins\n" in text
    assert "Ways out OPEN     shop: subscription to_the_warehouse\n" in text


def test_a_user_of_iam_logs_in_with_a_token_for_the_writer(ready: FakeAws, database: FakeDatabase) -> None:
    users = json.loads(ready.secrets.values[ENVIRONMENT["APP_SECRET_NAME"]])
    users["reports"] = {"username": "reports", "profile": "readonly", "auth": "iam"}
    ready.secrets.values[ENVIRONMENT["APP_SECRET_NAME"]] = json.dumps(users)
    ready.run(setup_db_users)
    ready.west.settle()
    ready.run(setup_db_users)
    endpoint = "staging.cluster-x.us-west-2.rds.amazonaws.com"
    assert database.secrets["reports"] == f"a token for reports at {endpoint}:5432"
    assert "a token" not in ready.operation.model_dump_json()


def test_who_was_shut_out_is_known_although_the_call_that_did_it_failed(ready: FakeAws, database: FakeDatabase) -> None:
    ready.run(setup_db_users)
    ready.west.settle()
    database.breaks = True
    with pytest.raises(DatabaseUnavailable):
        ready.run(setup_db_users)
    assert ready.operation.users is not None
    assert ready.operation.users.shut_out == ["prod_app"]
    assert ready.operation.users.outbound == ["shop: subscription to_the_warehouse"]


def test_who_was_shut_out_in_an_earlier_call_is_remembered(
    ready: FakeAws, database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.run(setup_db_users)
    ready.west.settle()
    ready.run(setup_db_users)
    again = SetupOutcome(databases=["shop"], proofs={}, shut_out=[])
    monkeypatch.setattr(module, "set_up_users", lambda *_, **__: again)
    ready.run(setup_db_users)
    assert ready.operation.users is not None
    assert ready.operation.users.shut_out == ["prod_app"]
    assert len(database.asked) == 1


def test_a_password_that_takes_a_moment_longer_is_waited_for(ready: FakeAws, database: FakeDatabase) -> None:
    ready.run(setup_db_users)
    ready.west.settle()
    database.refuses = True
    ready.clock.advance(minutes=14)
    assert ready.run(setup_db_users).status is StepStatus.IN_PROGRESS

    ready.clock.advance(minutes=2)
    with pytest.raises(DatabaseLoginRefused):
        ready.run(setup_db_users)


def test_a_reset_that_never_ends_uses_the_budget_up(ready: FakeAws, database: FakeDatabase) -> None:
    ready.run(setup_db_users)
    ready.clock.advance(hours=12, seconds=1)
    with pytest.raises(PhaseTimedOut, match="the new master password"):
        ready.run(setup_db_users)
    assert database.asked == []


def test_a_placeholder_stops_the_run_before_anything_is_changed(ready: FakeAws, database: FakeDatabase) -> None:
    placeholder = json.dumps({"username": "master", "password": "PLACEHOLDER"})
    ready.secrets.values[ENVIRONMENT["MASTER_SECRET_NAME"]] = placeholder
    with pytest.raises(SecretInvalid):
        ready.run(setup_db_users)
    assert "modify_db_cluster" not in ready.west.changes
    assert database.asked == []


RDS_SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:rds!cluster-1"


def asked_for(aws: FakeAws, **request: Any) -> FakeAws:
    """The run, with something else in its request."""
    operation = aws.operation
    operation.request = RestoreRequest.model_validate(operation.request.model_dump() | request)
    aws.operations.save(operation)
    return aws


def rds_keeps_the_password(aws: FakeAws) -> None:
    """The run, with a plan in which RDS keeps the master user's password."""
    operation = aws.operation
    settings = operation.plan.settings.model_copy(update={"manage_master_user_password": True})
    operation.plan = operation.plan.model_copy(update={"settings": settings})
    aws.operations.save(operation)


def test_a_password_that_rds_keeps_is_read_from_its_secret_once_that_is_active(
    ready: FakeAws, database: FakeDatabase
) -> None:
    rds_keeps_the_password(ready)
    del ready.secrets.values[ENVIRONMENT["MASTER_SECRET_NAME"]]
    ready.secrets.values[RDS_SECRET] = json.dumps({"username": "postgres", "password": "made-by-rds-1"})

    assert ready.run(setup_db_users).status is StepStatus.IN_PROGRESS
    assert ready.west.asked("modify_db_cluster") == [
        {
            "DBClusterIdentifier": "staging",
            "ManageMasterUserPassword": True,
            "MasterUserSecretKmsKeyId": "alias/aurora-restore-secrets",
            "ApplyImmediately": True,
        }
    ]
    ready.west.clusters["staging"]["Status"] = "available"
    assert ready.run(setup_db_users).status is StepStatus.IN_PROGRESS, "the secret is still being created"

    ready.west.settle()
    assert ready.run(setup_db_users).status is StepStatus.READY
    assert database.asked[0][0].password.get_secret_value() == "made-by-rds-1"
    assert "made-by-rds-1" not in ready.operation.model_dump_json()


def test_rds_is_told_once_even_if_our_row_was_lost(ready: FakeAws, database: FakeDatabase) -> None:
    rds_keeps_the_password(ready)
    ready.run(setup_db_users)
    operation = ready.operation
    operation.users = None
    ready.operations.save(operation)
    assert ready.run(setup_db_users).status is StepStatus.IN_PROGRESS
    assert len(ready.west.asked("modify_db_cluster")) == 1
    assert database.asked == []


def test_a_secret_that_vanished_is_waited_for_and_an_impaired_one_stops_the_run(
    ready: FakeAws, database: FakeDatabase
) -> None:
    rds_keeps_the_password(ready)
    ready.run(setup_db_users)
    ready.west.settle()
    secret = ready.west.clusters["staging"].pop("MasterUserSecret")
    assert ready.run(setup_db_users).status is StepStatus.IN_PROGRESS
    ready.west.clusters["staging"]["MasterUserSecret"] = secret | {"SecretStatus": "impaired"}
    with pytest.raises(RestoreFailed, match="the master user's secret of cluster staging as impaired"):
        ready.run(setup_db_users)
    assert database.asked == []


def test_the_database_is_trusted_as_the_stack_says(ready: FakeAws, database: FakeDatabase) -> None:
    ready.run(setup_db_users)
    ready.west.settle()
    ready.services = ready.services_with(DATABASE_CA_FILE="/local/ca.pem")
    ready.run(setup_db_users)
    assert database.asked[0][0].server.tls == Tls(ca_file=Path("/local/ca.pem"))


SCRIPTS = {
    "post_restore_sql": [
        {"s3_uri": "s3://bucket/1.sql", "database": "shop", "user": "app_owner"},
        {"s3_uri": "s3://bucket/2.sql", "database": "shop", "as_master": True},
    ],
    "checks": [{"name": "nobody", "database": "shop", "sql": "SELECT 0", "expect": 0}],
}
RAN = [
    ScriptRecord(
        s3_uri=f"s3://bucket/{n}.sql",
        version_id="v",
        sha256="s",
        database="shop",
        user="master",
        statements=n,
        seconds=1,
    )
    for n in (1, 2)
]
HELD = CheckRecord(name="nobody", database="shop", expected="0", found="0", holds=True)


def test_scripts_and_checks_are_in_row_audit_and_summary_and_no_script_runs_twice(
    ready: FakeAws, database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[list[str]] = []

    def run_before_opening(*_: Any, **how: Any) -> BeforeOpeningOutcome:
        done.append([record.s3_uri for record in how["done"]])
        how["remember"](RAN[len(how["done"])])
        if len(done) == 1:
            raise ComeBack
        how["remember_checks"]([HELD])
        return BeforeOpeningOutcome(scripts=RAN, checks=[HELD])

    monkeypatch.setattr(module, "run_before_opening", run_before_opening)
    asked_for(ready, **SCRIPTS)
    ready.run(setup_db_users)
    ready.west.settle()

    result = ready.run(setup_db_users)
    assert result.status is StepStatus.IN_PROGRESS
    assert "post_restore_sql" in result.details["waiting_for"]
    record = ready.operation.users
    assert record is not None
    assert [script.s3_uri for script in record.scripts] == ["s3://bucket/1.sql"]

    result = ready.run(setup_db_users)
    assert done == [[], ["s3://bucket/1.sql"]]
    assert database.work is not None
    assert (database.work.databases, database.work.roles, database.work.as_master) == (["shop"], ["app_owner"], True)
    assert database.work.changed == {"shop"}
    assert result.details["checks"] == [HELD.model_dump()]
    assert [script["sha256"] for script in result.details["scripts"]] == ["s", "s"]
    summary = summarise(ready.operation)
    assert summary.checks == [HELD]
    assert [script.s3_uri for script in summary.scripts] == ["s3://bucket/1.sql", "s3://bucket/2.sql"]


def test_a_database_with_checks_alone_is_not_taken_for_one_that_scripts_change(
    ready: FakeAws, database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "run_before_opening", lambda *_, **__: None)
    asked_for(ready, checks=SCRIPTS["checks"])
    ready.run(setup_db_users)
    ready.west.settle()
    ready.run(setup_db_users)
    assert database.work is not None
    assert (database.work.databases, database.work.changed) == (["shop"], set())


@pytest.mark.usefixtures("database")
def test_what_a_check_found_is_in_the_row_although_it_stops_the_run(
    ready: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = HELD.model_copy(update={"found": "7", "holds": False})

    def run_before_opening(*_: Any, **how: Any) -> BeforeOpeningOutcome:
        how["remember_checks"]([found])
        raise CheckFailed("nobody: 7", field="checks", expected="nobody: 0", action="correct it")

    monkeypatch.setattr(module, "run_before_opening", run_before_opening)
    asked_for(ready, **SCRIPTS)
    ready.run(setup_db_users)
    ready.west.settle()
    with pytest.raises(CheckFailed):
        ready.run(setup_db_users)
    assert ready.operation.users is not None
    assert ready.operation.users.checks == [found]


def loses_its_endpoint(aws: FakeAws) -> None:
    del aws.west.clusters["staging"]["Endpoint"]


def vanishes(aws: FakeAws) -> None:
    aws.west.clusters.clear()


@pytest.mark.parametrize("it", [loses_its_endpoint, vanishes])
def test_a_cluster_that_rds_does_not_show_is_waited_for_until_answers_have_settled(
    ready: FakeAws, database: FakeDatabase, it: Callable[[FakeAws], Any]
) -> None:
    shown = copy.deepcopy(ready.west.clusters)
    it(ready)
    assert ready.run(setup_db_users).status is StepStatus.IN_PROGRESS
    ready.clock.advance(minutes=9)
    ready.west.clusters.update(shown)
    ready.run(setup_db_users)
    assert ready.west.changes[-1] == "modify_db_cluster"
    it(ready)
    ready.clock.advance(minutes=9)
    assert ready.run(setup_db_users).status is StepStatus.IN_PROGRESS
    ready.clock.advance(minutes=11)
    with pytest.raises(RestoreFailed, match="no endpoint of cluster staging"):
        ready.run(setup_db_users)
    assert database.asked == []


@pytest.mark.parametrize("it", [loses_its_endpoint, vanishes])
def test_what_is_not_shown_any_more_is_waited_for_from_then_on_however_long_the_restore_took(
    ready: FakeAws, it: Callable[[FakeAws], Any]
) -> None:
    ready.clock.advance(hours=13)
    it(ready)
    assert ready.run(setup_db_users).status is StepStatus.IN_PROGRESS


def test_no_password_is_reset_on_somebody_elses_cluster(ready: FakeAws, database: FakeDatabase) -> None:
    ready.west.clusters["staging"]["TagList"] = []
    with pytest.raises(IdentifierTaken):
        ready.run(setup_db_users)
    assert "modify_db_cluster" not in ready.west.changes
    assert database.asked == []


def test_no_password_is_in_the_row(ready: FakeAws, database: FakeDatabase) -> None:
    ready.run(setup_db_users)
    ready.west.settle()
    ready.run(setup_db_users)
    assert database.asked
    assert "password-1" not in ready.operation.model_dump_json()


def test_a_production_of_thousands_of_names_fits_into_answers_and_rows(ready: FakeAws, database: FakeDatabase) -> None:
    tenants = [f"tenant_{number:053d}" for number in range(6_000)]
    databases = [f"database_{number:050d}" for number in range(300)]
    finding = HealthRecord(verdict=Verdict.HARMLESS, what="settings", names=[f"{'n' * 120}"] * 10, count=10)
    urgent = HealthRecord(verdict=Verdict.FOR_A_PERSON, what="invalid indexes", names=["i"], count=1)
    database.outcome = SetupOutcome(
        databases=databases,
        proofs={user: [f"{name}: {'can read, ' * 400}" for name in databases] for user in ("app", "reader", "devops")},
        shut_out=tenants,
        left_to_aws=["rdsadmin"],
        outbound=[f"{name}: subscription to_the_warehouse" for name in databases],
        health=[*(finding.model_copy(update={"database": name}) for name in databases), urgent],
    )
    ready.run(setup_db_users)
    ready.west.settle()

    result = ready.run(setup_db_users)

    assert len(json.dumps(result.model_dump(mode="json"))) < 150_000, "AWS takes 262,144 bytes"
    assert len(ready.operation.model_dump_json()) < 200_000, "AWS takes 409,600 bytes"
    summary = summarise(ready.operation)
    assert summary.shut_out[-1] == "and 5950 more"
    assert summary.users["app"][-1] == "and 287 more"
    assert str(summary.health[0]) == "for a person: invalid indexes: i"
    assert "261 more findings" in str(summary.health[-1])
    assert len(json.dumps(summary.as_json())) < 200_000
    message = message_for_success(summary)
    assert "and 5950 more" in message.text


@pytest.mark.usefixtures("database")
def test_amcheck_looks_where_the_request_wants_it_and_is_told_with_the_rest_of_the_health(
    ready: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[tuple[list[str], float]] = []
    damaged = HealthRecord(verdict=Verdict.FOR_A_PERSON, what="damaged indexes", names=["i"], count=1, database="shop")

    def run_amcheck(_: Master, databases: list[str], seconds: float) -> list[HealthRecord]:
        looked.append((databases, seconds))
        return [damaged]

    monkeypatch.setattr(module, "run_amcheck", run_amcheck)
    asked_for(ready, health={"amcheck": ["shop"], "amcheck_seconds": 7})
    ready.run(setup_db_users)
    ready.west.settle()
    ready.run(setup_db_users)

    assert looked == [(["shop"], 7)]
    assert ready.operation.users is not None
    assert ready.operation.users.health == [damaged, *OUTCOME.health]


def test_what_a_first_call_has_mended_is_told_after_a_second_as_well(
    ready: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled_back = HealthRecord(verdict=Verdict.CLOSED, what="prepared transactions", names=["xa-1"], count=1)
    calls: list[list[HealthRecord]] = [[rolled_back], []]

    def set_up_users(*_: object, put_right: Callable[[list[HealthRecord]], None], **__: object) -> SetupOutcome:
        found = calls.pop(0)
        put_right(found)
        if calls:
            raise ComeBack
        return OUTCOME

    monkeypatch.setattr(module, "set_up_users", set_up_users)
    for _ in range(3):
        ready.run(setup_db_users)
        ready.west.settle()

    assert calls == []
    assert ready.operation.users is not None
    assert rolled_back in ready.operation.users.health
    assert all(finding in ready.operation.users.health for finding in OUTCOME.health)
