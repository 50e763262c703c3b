"""Whatever goes wrong, nobody but the master gets in; and what is told to stay, stays."""

import contextlib
import threading
from contextlib import closing
from datetime import timedelta

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812
from pydantic import SecretStr

from local_cloud.aurora.postgres.bootstrap import ADMIN
from tests.unit.database.judge import who_can_log_in
from tests.unit.database.production import LOGINS, MASTER, PASSWORDS, USERS, Restored, create_login
from tests.waiting import wait_for
from utils.database.access.script_login import ScriptWork
from utils.database.roles.profiles import Auth, DatabaseUser, Profile
from utils.database.server.connection import Login
from utils.database.server.setup_lock import setup_lock
from utils.database.setup import SetupOutcome, set_up_users
from utils.errors import CheckFailed, DatabaseChangeRefused, DatabaseLoginRefused, DatabaseUnavailable, UsersNotProven


def set_up(restored: Restored, users: list[DatabaseUser] = USERS, **options: object) -> SetupOutcome:
    return set_up_users(restored.master, users, **options)  # type: ignore[arg-type]


def fails(*_: object) -> None:
    raise CheckFailed("42 names", expected="none", action="mask them")


def test_when_a_check_fails_nobody_but_the_master_can_log_in(restored: Restored) -> None:
    create_login(restored, "reader")
    with pytest.raises(CheckFailed):
        set_up(restored, before_opening=ScriptWork(databases=["shop"], run=fails))
    assert who_can_log_in(restored) == set()
    assert restored.can_log_in(MASTER, "shop")


@pytest.mark.parametrize("work", [None, ScriptWork(databases=["shop"], run=fails)])
def test_a_login_that_is_made_while_others_are_shut_out_is_shut_out_with_them(
    restored: Restored, work: ScriptWork | None
) -> None:
    create_login(restored, "admin", "CREATEROLE")
    told: list[str] = []

    def make_one(names: list[str]) -> None:
        told.extend(names)
        if "late" not in told:
            maker.cursor().execute("CREATE ROLE late LOGIN PASSWORD 'Late-Pa55word'")

    def nobody_is_left() -> None:
        assert not restored.can_log_in("late", "shop", "Late-Pa55word")

    with (
        closing(restored.connect("admin", "postgres")) as maker,
        pytest.raises(CheckFailed) if work else contextlib.nullcontext(),
    ):
        outcome = set_up(restored, before_shutting_out=make_one, after_shutting_out=nobody_is_left, before_opening=work)
        assert outcome.shut_out == ["admin", *sorted(LOGINS)[:2], "late", "shop_owner"]
    assert told == ["admin", *sorted(LOGINS), "late"]
    assert who_can_log_in(restored) == (set() if work else {"app", "reader", "devops"})


def test_a_login_that_cannot_be_shut_out_any_more_keeps_none_open_that_was_made_meanwhile(restored: Restored) -> None:
    create_login(restored, "admin", "CREATEROLE")

    def make_one(names: list[str]) -> None:
        restored.run(ADMIN, "postgres", "ALTER ROLE analyst SUPERUSER")
        if "late" not in names:
            restored.run("admin", "postgres", "CREATE ROLE late LOGIN PASSWORD 'Late-Pa55word'")

    with pytest.raises(DatabaseChangeRefused, match="analyst"):
        set_up(restored, before_shutting_out=make_one)
    assert who_can_log_in(restored) == {"analyst"}


@pytest.mark.parametrize("change", ["DROP ROLE passing", "ALTER ROLE passing RENAME TO passed"])
def test_a_login_that_goes_or_is_renamed_while_others_are_shut_out_stops_no_set_up(
    restored: Restored, change: str
) -> None:
    restored.run(MASTER, "postgres", "CREATE ROLE passing LOGIN PASSWORD 'Theirs-Pa55word'")
    changes = iter([change])

    def change_it(_: list[str]) -> None:
        for statement in changes:
            restored.run(MASTER, "postgres", statement)

    set_up(restored, before_shutting_out=change_it)
    assert who_can_log_in(restored) == {"app", "reader", "devops"}


@pytest.mark.parametrize(
    "part", ["setup.arrangement.arrange", "opening.logins.open_logins", "opening.by_statement.prove"]
)
def test_when_a_later_part_fails_nobody_but_the_master_can_log_in(
    restored: Restored, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def breaks(*_: object) -> None:
        raise DatabaseUnavailable("a broken connection", expected="none", action="wait")

    with monkeypatch.context() as patched:
        patched.setattr(f"utils.database.{part}", breaks)
        with pytest.raises(DatabaseUnavailable, match="a broken connection"):
            set_up(restored)
    assert who_can_log_in(restored) == set()
    set_up(restored)
    assert who_can_log_in(restored) == {"app", "reader", "devops"}


def test_a_user_whose_proof_fails_is_closed_again(restored: Restored) -> None:
    # The master cannot take rights on what belongs to a superuser; AWS would not give them to everybody.
    restored.run(ADMIN, "shop", "CREATE SCHEMA hole; GRANT ALL ON SCHEMA hole TO PUBLIC")
    with pytest.raises(UsersNotProven, match="app in database shop that can create objects in schema hole"):
        set_up(restored)
    assert who_can_log_in(restored) == set()
    assert not restored.can_log_in("app", "shop")


def test_a_second_set_up_at_the_same_time_is_refused_at_once(restored: Restored) -> None:
    told: list[list[str]] = []
    with setup_lock(restored.master), pytest.raises(DatabaseUnavailable, match="another set-up"):
        set_up(restored, before_shutting_out=told.append)
    assert told == []
    assert restored.can_log_in("api", "shop"), "nothing was touched"


def test_the_lock_outlives_the_limits_of_every_other_session(
    restored: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "utils.database.server.connection._SESSION_LIMITS",
        "-c idle_in_transaction_session_timeout=100 -c idle_session_timeout=100",
    )
    state = "SELECT state FROM pg_stat_activity WHERE pid = {} AND clock_timestamp() > state_change + interval '0.3 s'"
    with setup_lock(restored.master) as lock:
        wait_for(
            lambda: restored.run(MASTER, "postgres", state.format(lock.pid)) == [("idle",)],
            "the session to be idle for longer",
        )
        lock.check()


def test_the_end_of_the_locks_session_replaces_no_error(restored: Restored) -> None:
    def fails_when_the_session_is_gone() -> None:
        with setup_lock(restored.master) as lock:
            restored.run(ADMIN, "postgres", f"SELECT pg_terminate_backend({lock.pid}, 5000)")
            with pytest.raises(DatabaseUnavailable, match="no lock of this set-up any more"):
                lock.check()
            fails()

    with pytest.raises(CheckFailed):
        fails_when_the_session_is_gone()


def test_a_set_up_whose_lock_was_lost_does_not_go_on(restored: Restored) -> None:
    def lose_it(_: Login) -> None:
        end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
        restored.run(ADMIN, "postgres", end)

    with pytest.raises((DatabaseUnavailable, psycopg2.InterfaceError)):
        set_up(restored, before_opening=ScriptWork(databases=["shop"], run=lose_it))
    assert who_can_log_in(restored) == set()


def test_logins_to_be_kept_are_kept_and_may_connect_as_before(restored: Restored) -> None:
    outcome = set_up(restored, keep_logins=["api", "nobody_of_this_name"])
    assert (outcome.kept, outcome.unknown_logins) == (["api"], ["nobody_of_this_name"])
    assert outcome.shut_out == sorted(set(LOGINS) - {"api"})
    for database in ("shop", "crm", "postgres"):
        assert restored.can_log_in("api", database)


def test_a_login_that_the_master_cannot_shut_out_stops_the_run(restored: Restored) -> None:
    restored.run(ADMIN, "postgres", "CREATE ROLE rds_root SUPERUSER LOGIN")
    with pytest.raises(DatabaseChangeRefused, match="may not shut out: rds_root") as refused:
        set_up(restored)
    assert "may be a new login of AWS: keep_logins lets it pass" in str(refused.value)
    assert who_can_log_in(restored) == {"rds_root"}, "the others are shut out all the same"
    assert set_up(restored, keep_logins=["rds_root"]).kept == ["rds_root"]


def test_very_many_logins_that_the_master_cannot_shut_out_are_named_in_a_short_message(restored: Restored) -> None:
    many = "CREATE ROLE stuck_%s SUPERUSER LOGIN"
    restored.run(ADMIN, "postgres", f"DO $$ BEGIN FOR n IN 1 .. 500 LOOP EXECUTE format('{many}', n); END LOOP; END $$")
    with pytest.raises(DatabaseChangeRefused, match=r"may not shut out: stuck_1, .*and 480 more; expected") as refused:
        set_up(restored)
    assert len(str(refused.value)) < 1_500


def test_a_user_of_ours_that_is_a_superuser_stops_the_run(restored: Restored) -> None:
    restored.run(ADMIN, "postgres", "CREATE ROLE app SUPERUSER")
    with pytest.raises(DatabaseChangeRefused, match="role app that came with the snapshot, a superuser"):
        set_up(restored)
    assert who_can_log_in(restored) == set()


def test_productions_session_as_the_master_is_ended(restored: Restored) -> None:
    with closing(restored.connect(MASTER, "shop")) as session, session.cursor() as cursor:
        set_up(restored)
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")


def test_a_user_of_iam_has_no_password_and_is_proven_with_its_token(restored: Restored) -> None:
    # The server here knows no tokens: the proof logs in with what it is given.
    user = DatabaseUser(profile=Profile.READONLY, name="analyst_iam", password=None, auth=Auth.IAM)
    asked: list[str] = []

    def token(of: DatabaseUser) -> SecretStr:
        asked.append(of.name)
        return SecretStr("not-a-token")

    with pytest.raises((DatabaseUnavailable, DatabaseLoginRefused), match="analyst_iam"):
        set_up(restored, [user], login_secret=token)
    assert asked == ["analyst_iam"]
    member = "SELECT pg_has_role('analyst_iam', 'rds_iam', 'MEMBER')"
    assert restored.run(MASTER, "postgres", member) == [(True,)]
    assert who_can_log_in(restored) == set()


def test_limits_of_a_user_are_its_roles(restored: Restored) -> None:
    user = DatabaseUser(
        profile=Profile.READONLY, name="reader", password=SecretStr(PASSWORDS["reader"]), connection_limit=3,
        statement_timeout=timedelta(seconds=90),
    )  # fmt: skip
    set_up(restored, [user])
    query = "SELECT rolconnlimit, rolconfig FROM pg_roles WHERE rolname = 'reader'"
    expected = [(3, ["default_transaction_read_only=on", "statement_timeout=90000"])]
    assert restored.run(MASTER, "postgres", query) == expected
    assert restored.run("reader", "shop", "SHOW statement_timeout") == [("90s",)]


def test_what_a_users_role_cannot_be_freed_of_stays_with_the_old_role(restored: Restored) -> None:
    create_login(restored, "app")
    restored.run("shop_owner", "shop", "GRANT ALL ON customers TO app")
    restored.run(ADMIN, "postgres", "ALTER ROLE app BYPASSRLS; ALTER ROLE app SET log_statement = 'none'")
    set_up(restored)
    query = "SELECT rolcanlogin, rolbypassrls FROM pg_roles WHERE rolname LIKE 'of\\_production\\_%' OR rolname = 'app'"
    assert sorted(restored.run(MASTER, "postgres", query)) == [(False, True), (True, False)]
    assert not restored.is_allowed("app", "shop", "TRUNCATE customers")


OUTBOUND = """
    CREATE EXTENSION postgres_fdw; CREATE EXTENSION dblink;
    CREATE SERVER legacy FOREIGN DATA WRAPPER postgres_fdw;
    CREATE USER MAPPING FOR shop_owner SERVER legacy OPTIONS (user 'prod', password 'Planted-Pa55');
    SET allow_system_table_mods = on;
    CREATE SCHEMA cron; GRANT USAGE ON SCHEMA cron TO dba;
    CREATE TABLE cron.job (jobid bigint, active boolean, command text);
    GRANT SELECT, UPDATE ON cron.job TO dba;
    INSERT INTO cron.job VALUES (7, true, 'SELECT pay()'), (8, false, 'SELECT 1');
    INSERT INTO pg_extension SELECT 9999, 'pg_cron', extowner, extnamespace, false, '1.6' FROM pg_extension
        WHERE extname = 'plpgsql';
    INSERT INTO pg_depend VALUES ('pg_class'::regclass, 'cron.job'::regclass, 0, 'pg_extension'::regclass, 9999, 0, 'e')
"""
WAYS = ["shop: user mapping of shop_owner for foreign server legacy", "shop: extension dblink", "shop: pg_cron job 7"]


def test_ways_out_that_cannot_be_closed_stop_the_run_before_anybody_gets_in(restored: Restored) -> None:
    restored.run(ADMIN, "shop", OUTBOUND)
    told: list[list[str]] = []
    with pytest.raises(DatabaseChangeRefused, match=r"may not close: .*extension dblink") as refused:
        set_up(restored, before_closing_outbound=told.append)
    assert told == [WAYS]
    assert "Planted" not in str(refused.value)
    assert who_can_log_in(restored) == set()


def test_ways_out_are_left_open_and_reported_when_the_request_says_so(restored: Restored) -> None:
    restored.run(ADMIN, "shop", OUTBOUND)
    outcome = set_up(restored, close_outbound=False)
    assert (outcome.outbound, outcome.outbound_closed) == (WAYS, False)
    assert restored.run(ADMIN, "shop", "SELECT count(*) FROM pg_user_mappings") == [(1,)]
    assert restored.run(ADMIN, "shop", "SELECT count(*) FROM cron.job WHERE active") == [(1,)]


def test_jobs_of_pg_cron_do_not_run_any_more(restored: Restored) -> None:
    restored.run(ADMIN, "shop", OUTBOUND + "; ALTER SERVER legacy OWNER TO dba; DROP EXTENSION dblink")
    outcome = set_up(restored)
    assert (outcome.outbound, outcome.outbound_closed) == ([WAYS[0], WAYS[2]], True)
    assert restored.run(ADMIN, "shop", "SELECT count(*) FROM cron.job WHERE active") == [(0,)]


# The parts of pglogical that the set-up touches: its subscriptions, and the function that stops one.
PGLOGICAL = """
    SET allow_system_table_mods = on;
    CREATE SCHEMA pglogical;
    CREATE TABLE pglogical.subscription (sub_name name, sub_enabled boolean);
    INSERT INTO pglogical.subscription VALUES ('from "production"', true), ('stopped', false);
    CREATE FUNCTION pglogical.alter_subscription_disable(name, immediate boolean) RETURNS boolean LANGUAGE sql
        SECURITY DEFINER AS 'UPDATE pglogical.subscription SET sub_enabled = false WHERE sub_name = $1 RETURNING true';
    INSERT INTO pg_extension SELECT 9998, 'pglogical', extowner, extnamespace, false, '2.4.2' FROM pg_extension
        WHERE extname = 'plpgsql';
    INSERT INTO pg_depend VALUES ('pg_class'::regclass, 'pglogical.subscription'::regclass, 0,
        'pg_extension'::regclass, 9998, 0, 'e')
"""
READABLE = "GRANT USAGE ON SCHEMA pglogical TO rds_superuser; GRANT SELECT ON pglogical.subscription TO rds_superuser"


def test_subscriptions_of_pglogical_are_stopped_and_told(restored: Restored) -> None:
    restored.run(ADMIN, "shop", f"{PGLOGICAL}; {READABLE}")
    assert set_up(restored).outbound == ['shop: pglogical subscription from "production"']
    assert restored.run(ADMIN, "shop", "SELECT 1 FROM pglogical.subscription WHERE sub_enabled") == []
    assert set_up(restored).outbound == []


def test_subscriptions_of_pglogical_that_the_master_may_not_look_at_stop_the_run(restored: Restored) -> None:
    restored.run(ADMIN, "shop", PGLOGICAL)
    with pytest.raises(
        DatabaseChangeRefused, match="may not close: shop: subscriptions of pglogical, which the master"
    ):
        set_up(restored)
    assert who_can_log_in(restored) == set()
    assert len(set_up(restored, close_outbound=False).outbound) == 1


def test_a_relation_that_is_called_as_pglogicals_is_not_looked_at(restored: Restored) -> None:
    look_alike = "CREATE SCHEMA pglogical; CREATE VIEW pglogical.subscription AS SELECT 1 / 0 AS sub_name"
    restored.run("shop_owner", "shop", look_alike)
    assert set_up(restored).outbound == []


def test_a_right_that_may_be_passed_on_does_not_hide_whose_grant_is_taken(restored: Restored) -> None:
    # The master, a member of both, would revoke as `app` what the owner has granted: nothing.
    create_login(restored, "app")
    grants = "ALTER FUNCTION sales.total() SECURITY DEFINER"
    passed = "GRANT EXECUTE ON FUNCTION sales.total() TO PUBLIC; GRANT EXECUTE ON FUNCTION sales.total() TO app"
    restored.run(ADMIN, "shop", f"{grants}; {passed} WITH GRANT OPTION")
    set_up(restored)
    assert not restored.is_allowed("reader", "shop", "SELECT sales.total()")
    assert restored.is_allowed("app", "shop", "SELECT sales.total()")


def test_a_session_outlives_neither_the_login_nor_the_role_that_it_began_with(restored: Restored) -> None:
    create_login(restored, "service", "CREATEROLE")
    create_login(restored, "admin")
    with (
        closing(restored.connect("service", "shop")) as of_no_login,
        closing(restored.connect("admin", "shop")) as gone,
    ):
        restored.run(MASTER, "postgres", "ALTER ROLE service NOLOGIN; DROP ROLE admin")
        set_up(restored)
        for session in (of_no_login, gone):
            with pytest.raises(psycopg2.OperationalError):
                session.cursor().execute("SELECT 1")


def test_logins_of_productions_that_stand_in_line_for_the_lock_do_not_get_it(restored: Restored) -> None:
    with contextlib.ExitStack() as in_line:
        sessions = [in_line.enter_context(closing(restored.connect("api", "postgres"))) for _ in range(5)]
        sessions[0].cursor().execute("SELECT pg_advisory_lock(4702394921427289)")
        threads = [threading.Thread(target=_wait_for_the_lock, args=(session,)) for session in sessions[1:]]
        for thread in threads:
            thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_for(lambda: restored.run(ADMIN, "postgres", waiting) == [(4,)], "all to stand in line")
        set_up(restored)
        for thread in threads:
            thread.join()
    assert who_can_log_in(restored) == {"app", "reader", "devops"}


def _wait_for_the_lock(session: Connection) -> None:
    with contextlib.suppress(psycopg2.Error):
        session.cursor().execute("SELECT pg_advisory_lock(4702394921427289)")


def test_a_login_that_changes_itself_all_the_time_is_shut_out_like_any_other(restored: Restored) -> None:
    threads = [threading.Thread(target=_change_itself, args=(restored,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    changing = "SELECT 1 FROM pg_stat_activity WHERE usename = 'api' AND wait_event = 'PgSleep'"
    wait_for(lambda: restored.run(ADMIN, "postgres", changing) != [], "a change that is not committed")
    set_up(restored)
    for thread in threads:
        thread.join()
    assert who_can_log_in(restored) == {"app", "reader", "devops"}


def _change_itself(restored: Restored) -> None:
    """Change the own password for as long as that lets in, a new session for each that is ended."""
    while restored.can_log_in("api", "shop"):
        with contextlib.suppress(psycopg2.Error):
            change = f"ALTER ROLE api PASSWORD '{PASSWORDS['api']}'"
            restored.run("api", "shop", f"BEGIN; {change}; SELECT pg_sleep(0.3); COMMIT")


def test_a_role_that_is_locked_keeps_no_other_one_open(restored: Restored) -> None:
    with closing(restored.connect(ADMIN, "shop")) as in_the_way:
        in_the_way.cursor().execute("BEGIN; ALTER ROLE analyst PASSWORD 'Held-Pa55word'")
        with pytest.raises(DatabaseUnavailable, match="55P03 from PostgreSQL to the shutting out of analyst"):
            set_up(restored)
    assert who_can_log_in(restored) == {"analyst"}


def test_of_a_session_that_does_not_end_is_said_what_ends_it(
    restored: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.database.access.logins._END_SESSIONS", "SELECT 1")
    with (
        closing(restored.connect("api", "shop")),
        pytest.raises(DatabaseUnavailable, match=r"\d+ session\(s\) of logins that were shut out.* reboot the writer"),
    ):
        set_up(restored)


def test_a_login_of_productions_cannot_keep_the_set_up_waiting(restored: Restored) -> None:
    with closing(restored.connect("api", "postgres")) as in_the_way, closing(restored.connect("api", "shop")) as other:
        in_the_way.cursor().execute("SELECT pg_advisory_lock(4702394921427289)")
        other.cursor().execute("BEGIN; ALTER ROLE api PASSWORD 'Held-Pa55word'")
        set_up(restored)
    assert who_can_log_in(restored) == {"app", "reader", "devops"}
