"""The door before every cluster's server: TLS, tokens, versions, and connections that go wrong on demand."""

from __future__ import annotations

import io
import socket
import struct
import subprocess
import sys
import urllib.error
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import boto3
import psycopg2
import pytest
from psycopg2 import errors
from psycopg2.extensions import connection as Connection  # noqa: N812

from local_cloud.aurora import Fault, LocalAurora
from local_cloud.aurora.errors import ApiError
from local_cloud.aurora.postgres.proxy import protocol
from local_cloud.aurora.settings import installed_postgres
from tests.local_cloud.aurora.conftest import FunctionsOnPaper
from tests.local_cloud.aurora.story import PASSWORD, Region, query, refused

REFUSED = 'PAM authentication failed for user "clerk"'
BROKEN_OFF = r"closed|reset"


@pytest.fixture(scope="module")
def clerk(prod: Region) -> Region:
    """The production cluster with a user who logs in with a token, and has a password all the same."""
    with prod.psql("prod") as session:
        query(session, "CREATE ROLE clerk LOGIN PASSWORD 'clerk-password'")
        query(session, "GRANT rds_iam TO clerk")
    return prod


def token(region: Region, user: str, *, port: int | None = None, host: str = "127.0.0.1", of: str = "") -> str:
    session = boto3.Session(
        aws_access_key_id=region.account, aws_secret_access_key="irrelevant", region_name=of or region.name
    )
    return session.client("rds").generate_db_auth_token(host, port or region.cluster("prod")["Port"], user)


def test_a_token_lets_a_member_of_rds_iam_in(clerk: Region) -> None:
    with clerk.psql("prod", "clerk", token(clerk, "clerk")) as session:
        assert query(session, "SELECT current_user") == [("clerk",)]


def test_every_other_password_of_theirs_is_refused_as_rds_refuses(clerk: Region) -> None:
    port = clerk.cluster("prod")["Port"]
    wrong = {
        "their password": "clerk-password",
        "nothing that is a token": "127.0.0.1:port/?Action=connect",
        "for another user": token(clerk, "dba"),
        "for another endpoint": token(clerk, "clerk", port=port + 1),
        "for another host": token(clerk, "clerk", host="prod.cluster-x.us-east-1.rds.amazonaws.com"),
        "of another Region": token(clerk, "clerk", of="us-west-2"),
        "unsigned": f"127.0.0.1:{port}/?{urlencode({'Action': 'connect', 'DBUser': 'clerk'})}",
    }
    for what, password in wrong.items():
        with pytest.raises(psycopg2.OperationalError, match=REFUSED), clerk.psql("prod", "clerk", password):
            pytest.fail(what)
    with patch("botocore.auth.get_current_datetime", lambda: datetime.now(UTC) - timedelta(minutes=16)):
        expired = token(clerk, "clerk")
    with pytest.raises(psycopg2.OperationalError, match=REFUSED), clerk.psql("prod", "clerk", expired):
        pytest.fail("expired")


def test_a_token_is_no_password_of_others(clerk: Region) -> None:
    with (
        pytest.raises(psycopg2.OperationalError, match='password authentication failed for user "dba"'),
        clerk.psql("prod", "dba", token(clerk, "dba")),
    ):
        pytest.fail("a token as the master's password")


def test_a_user_who_may_not_log_in_may_not_with_a_token(clerk: Region) -> None:
    with clerk.psql("prod") as session:
        query(session, "CREATE ROLE leaver NOLOGIN")
        query(session, "GRANT rds_iam TO leaver")
    with (
        pytest.raises(psycopg2.OperationalError, match="not permitted to log in"),
        clerk.psql("prod", "leaver", token(clerk, "leaver")),
    ):
        pytest.fail("NOLOGIN")


def test_without_iam_authentication_on_the_cluster_no_token_is_good(clerk: Region) -> None:
    clerk.has_snapshot("clerk-base", of="prod")
    clerk.has_restored("no-iam", "clerk-base")
    clerk.has_instances("no-iam")
    port = clerk.cluster("no-iam")["Port"]
    with (
        pytest.raises(psycopg2.OperationalError, match=REFUSED),
        clerk.psql("no-iam", "clerk", token(clerk, "clerk", port=port)),
    ):
        pytest.fail("IAM is off")


def test_the_master_too_can_be_made_to_log_in_by_token(east: Region) -> None:
    """API reference, ModifyDBCluster, MasterUserAuthenticationType; no description shows it."""
    east.has_cluster("by-token")
    change: Any = {"DBClusterIdentifier": "by-token", "MasterUserAuthenticationType": "iam-db-auth"}
    with refused("InvalidParameterCombination", "needs IAM database authentication"):
        east.rds.modify_db_cluster(**change)
    east.rds.modify_db_cluster(**change, EnableIAMDatabaseAuthentication=True, ApplyImmediately=True)
    east.wait_for_cluster("by-token")
    port = east.cluster("by-token")["Port"]
    with east.psql("by-token", "dba", token(east, "dba", port=port)) as session:
        assert query(session, "SELECT current_user") == [("dba",)]
    refusal = 'PAM authentication failed for user "dba"'
    with pytest.raises(psycopg2.OperationalError, match=refusal), east.psql("by-token"):
        pytest.fail("the password still opens it")
    east.rds.modify_db_cluster(
        DBClusterIdentifier="by-token", MasterUserAuthenticationType="password", MasterUserPassword="An0ther-password"
    )
    east.wait_for_cluster("by-token")
    with east.psql("by-token", password="An0ther-password") as session:
        assert query(session, "SELECT 1") == [(1,)]


def test_without_tls_nobody_gets_further_than_the_first_message(prod: Region) -> None:
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        psycopg2.connect(
            host="127.0.0.1", port=prod.cluster("prod")["Port"], user="dba", password=PASSWORD, sslmode="disable"
        )
    with socket.create_connection(("127.0.0.1", prod.cluster("prod")["Port"]), timeout=10) as raw:
        raw.sendall(struct.pack("!II", 8, protocol.GSS_ENCRYPTION_REQUEST))
        assert raw.recv(1) == b"N"
        raw.sendall(b"\0\0\0\x07rubbish!")
        assert raw.recv(1) == b""


CANCELLER = """
import sys, threading, psycopg2
session = psycopg2.connect(sys.argv[1], password=sys.stdin.readline().strip())
done = threading.Event()
def sleep():
    try:
        session.cursor().execute("SELECT pg_sleep(60)")
    except psycopg2.errors.QueryCanceled:
        print("cancelled")
    done.set()
threading.Thread(target=sleep).start()
while not done.wait(0.05):
    session.cancel()
"""


def test_a_running_statement_can_be_cancelled_through_the_door(prod: Region) -> None:
    # In a process of its own: psycopg2 holds the interpreter's lock while it cancels, and the door is in this one.
    address = f"host=127.0.0.1 port={prod.cluster('prod')['Port']} user=dba dbname=shop sslmode=require"
    done = subprocess.run(
        [sys.executable, "-c", CANCELLER, address],
        input=PASSWORD,
        text=True,
        capture_output=True,
        timeout=50,
        check=True,
    )
    assert done.stdout == "cancelled\n"


def test_large_answers_and_copies_pass_whole(prod: Region) -> None:
    with prod.psql("prod") as session, session.cursor() as cursor:
        cursor.execute("SELECT repeat('x', 30_000_000)")
        ((text,),) = cursor.fetchall()
        assert len(text) == 30_000_000
        cursor.execute("CREATE TEMP TABLE numbers AS SELECT generate_series(1, 200_000) AS n")
        numbers = io.BytesIO()
        cursor.copy_expert("COPY numbers TO STDOUT", numbers)
        numbers.seek(0)
        cursor.execute("TRUNCATE numbers")
        cursor.copy_expert("COPY numbers FROM STDIN", numbers)
        cursor.execute("SELECT count(*), sum(n) FROM numbers")
        assert cursor.fetchall() == [(200_000, 20_000_100_000)]


@pytest.mark.parametrize("major", sorted(installed_postgres()))
def test_a_cluster_of_each_installed_major(east: Region, major: int) -> None:
    version, name = {14: "14.18", 15: "15.13", 16: "16.9", 17: "17.6"}[major], f"major-{major}"
    east.has_cluster(name, EngineVersion=version)
    with east.psql(name) as session:
        query(session, "CREATE TABLE kept AS SELECT 1 AS n")
        assert query(session, "SHOW server_version_num")[0][0].startswith(str(major))
    east.has_snapshot(f"{name}-base", of=name)
    east.has_restored(f"{name}-copy", f"{name}-base", EngineVersion=version)
    east.has_instances(f"{name}-copy")
    with east.psql(f"{name}-copy") as session:
        assert query(session, "SELECT n FROM kept") == [(1,)]


def test_a_server_says_that_it_is_aurora_of_its_clusters_version_and_has_tls(east: Region) -> None:
    """Aurora User Guide, "aurora_version" and "Using SSL/TLS": what scripts and checks of people ask."""
    east.has_cluster("asked", EngineVersion="17.4")
    with east.psql("asked") as session:
        query(session, "CREATE DATABASE later")
        assert query(session, "SHOW ssl") == [("on",)]
    for database in ("postgres", "later"):
        with east.psql("asked", database=database) as session:
            assert query(session, "SELECT aurora_version()") == [("17.4.1",)]
            ((text,),) = query(session, "SELECT version()")
            assert text.startswith("PostgreSQL 17.4 on aarch64-unknown-linux-gnu, compiled by ")
    east.has_snapshot("asked-base", of="asked")
    east.has_restored("asked-copy", "asked-base", EngineVersion="17.5")
    east.has_instances("asked-copy")
    with east.psql("asked-copy") as session:
        assert query(session, "SELECT aurora_version()") == [("17.5.1",)]


@pytest.fixture
def hit(aurora: LocalAurora, prod: Region) -> Callable[..., None]:
    def add(kind: str, statement: str, **how: Any) -> None:
        aurora.control.add_fault(Fault(kind=f"sql-{kind}", operation=statement, identifier="prod", **how))

    with prod.psql("prod") as session:
        query(session, "DROP TABLE IF EXISTS victim")
        query(session, "CREATE TABLE victim (n int)")
    return add


@pytest.fixture
def session(hit: object, prod: Region) -> Iterator[Connection]:  # noqa: ARG001 - its table comes first
    with prod.psql("prod") as opened:
        yield opened


def victims(prod: Region) -> int:
    with prod.psql("prod") as fresh:
        return int(query(fresh, "SELECT count(*) FROM victim")[0][0])


def test_a_statement_that_never_arrives(hit: Callable[..., None], session: Connection, prod: Region) -> None:
    hit("drop", "INSERT *", skip=1)
    query(session, "INSERT INTO victim VALUES (1)")
    with pytest.raises(psycopg2.OperationalError, match=BROKEN_OFF):
        query(session, "INSERT INTO victim VALUES (2)")
    assert victims(prod) == 1


def test_a_commit_whose_answer_is_lost(hit: Callable[..., None], session: Connection, prod: Region) -> None:
    hit("drop-after", "COMMIT")
    session.autocommit = False
    query(session, "INSERT INTO victim VALUES (1)")
    with pytest.raises(psycopg2.OperationalError, match=BROKEN_OFF):
        session.commit()
    assert victims(prod) == 1


def test_a_function_is_killed_once_its_statement_took_effect(
    hit: Callable[..., None], session: Connection, prod: Region, functions: FunctionsOnPaper
) -> None:
    functions.asked, functions.look = [], lambda: victims(prod)
    hit("kill", "INSERT *", operation_id="nightly")
    with pytest.raises(psycopg2.OperationalError, match=BROKEN_OFF):
        query(session, "INSERT INTO victim VALUES (1)")
    assert functions.asked == [("kill", "nightly", 1)]


def test_a_function_runs_once_more_before_the_answer_of_its_statement(
    hit: Callable[..., None], session: Connection, prod: Region, functions: FunctionsOnPaper
) -> None:
    functions.asked, functions.look = [], lambda: victims(prod)
    hit("twice", "INSERT *", operation_id="nightly")
    query(session, "INSERT INTO victim VALUES (1)")
    assert functions.asked == [("run again", "nightly", 1)]
    hit("twice", "LOGIN", operation_id="nightly")
    assert victims(prod) == 1
    assert len(functions.asked) == 2


def test_whose_function_it_is_about_must_be_said(hit: Callable[..., None]) -> None:
    with pytest.raises(ApiError, match="operation_id"):
        hit("kill", "*")


def test_an_error_leaves_the_transaction_failed_on_both_sides(
    hit: Callable[..., None], session: Connection, prod: Region
) -> None:
    hit("error", "INSERT INTO victim*", code="40001", message="it's 100% unlucky", user="dba")
    session.autocommit = False
    query(session, "SELECT 1")
    with pytest.raises(errors.SerializationFailure, match="it's 100% unlucky"):
        query(session, "INSERT INTO victim VALUES (1)")
    with pytest.raises(errors.InFailedSqlTransaction):
        query(session, "SELECT 1")
    session.rollback()
    query(session, "INSERT INTO victim VALUES (2)")
    session.commit()
    assert victims(prod) == 1


def test_a_server_that_shuts_down_and_a_login_that_fails(
    hit: Callable[..., None], session: Connection, prod: Region
) -> None:
    hit("error", "SELECT", code="57P01", message="terminating connection due to administrator command")
    with pytest.raises(psycopg2.OperationalError) as on_demand:
        query(session, "SELECT 1")
    with prod.psql("prod") as other, pytest.raises(psycopg2.OperationalError) as real:
        query(other, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert str(on_demand.value) == str(real.value)
    assert session.closed
    for kind, said in (("error", "the house is full"), ("drop", BROKEN_OFF), ("drop-after", BROKEN_OFF)):
        hit(kind, "LOGIN", code="53300", message="the house is full")
        with pytest.raises(psycopg2.OperationalError, match=said), prod.psql("prod"):
            pytest.fail(kind)
    assert victims(prod) == 0


def test_a_late_statement_runs_into_the_clients_patience(hit: Callable[..., None], session: Connection) -> None:
    before = datetime.now(UTC)
    hit("delay", "SELECT", seconds=0.3)
    query(session, "SELECT 1")
    assert datetime.now(UTC) - before >= timedelta(seconds=0.3)


def test_a_fault_for_another_user_or_cluster_waits(hit: Callable[..., None], session: Connection, prod: Region) -> None:
    hit("drop", "*", user="somebody")
    assert query(session, "SELECT 1") == [(1,)]
    assert [fault["user"] for fault in prod.control("GET", "faults")] == ["somebody"]


def test_a_fault_at_a_path_hits_the_statement_that_follows_these_in_its_transaction(
    hit: Callable[..., None], session: Connection, prod: Region
) -> None:
    hit("error", "*", code="40001", path=["BEGIN", "INSERT INTO victim VALUES", "SELECT"])
    for statement in ("SELECT 1", "BEGIN", "SELECT 1", "INSERT INTO victim VALUES (1)", "SELECT 1", "COMMIT"):
        query(session, statement)  # read before it changed anything
    for statement in ("BEGIN", "INSERT INTO victim VALUES (2)", "INSERT INTO victim VALUES (3)"):
        query(session, statement)
    with pytest.raises(psycopg2.errors.SerializationFailure):
        query(session, "SELECT 1")
    query(session, "ROLLBACK")
    assert victims(prod) == 1


def test_some_of_the_faults_that_wait_can_be_forgotten(prod: Region) -> None:
    faults = [{"kind": "sql-drop", "application_name": name} for name in ("somebody", "somebody-else")]
    [first, _] = [prod.control("POST", "faults", fault)["id"] for fault in faults]
    prod.control("DELETE", "faults", {"ids": [first]})
    assert [fault["application_name"] for fault in prod.control("GET", "faults")] == ["somebody-else"]
    with prod.psql("prod") as session:
        assert query(session, "SELECT 1") == [(1,)]
    prod.control("DELETE", "faults")
    assert prod.control("GET", "faults") == []


def test_the_journal_tells_what_kind_of_statements_came_but_no_value(prod: Region, aurora: LocalAurora) -> None:
    with prod.psql("prod") as session:
        query(session, "SELECT 'Planted-secret-2', 7")
        query(session, "/* why */ CREATE ROLE journalled PASSWORD 'Planted-secret-3' NOLOGIN")
    mine = aurora.control.sql_journal("prod")[-3:]
    assert [(entry.number, entry.statement) for entry in mine] == [
        (0, "LOGIN"),
        (1, "SELECT"),
        (2, "CREATE ROLE journalled PASSWORD"),
    ]
    assert {(entry.user, entry.database, entry.region) for entry in mine} == {("dba", "shop", "us-east-1")}
    assert "Planted" not in str(prod.control("GET", "sql-journal"))


def test_what_only_a_superuser_can_plant(prod: Region) -> None:
    arn = prod.arn("cluster", "prod")
    prod.control("POST", "admin-sql", {"arn": arn, "database": "shop", "sql": "CREATE SCHEMA of_aws"})
    with prod.psql("prod") as session:
        owner = query(session, "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'of_aws'")
        assert owner == [("rdsadmin",)]
    for body in (
        {"arn": arn, "database": "shop", "sql": "CREATE SCHEMA of_aws"},
        {"arn": prod.arn("cluster", "nowhere"), "database": "shop", "sql": "SELECT 1"},
    ):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            prod.control("POST", "admin-sql", body)
        refusal.value.close()
        assert refusal.value.code == 400


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select 1", "select"),
        ('GRANT SELECT ON "a b" TO c', "GRANT SELECT ON"),
        ("SET LOCAL statement_timeout = 5", "SET LOCAL statement_timeout"),
        ("  -- note\n/* a\nb */ BEGIN", "BEGIN"),
        ("DO $$BEGIN END$$", "DO"),
        ("a b c d e f", "a b c d"),
        ("", ""),
    ],
)
def test_first_words_are_bare_words(sql: str, words: str) -> None:
    assert protocol.first_words(sql) == words
