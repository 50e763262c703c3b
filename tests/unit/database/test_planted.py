"""What an ordinary owner of production's planted never runs with the master's rights in the copy."""

from typing import Any

import pytest
from psycopg2.errors import InsufficientPrivilege

from local_cloud.aurora.postgres.bootstrap import ADMIN
from tests.unit.database.judge import nothing_was_gained, version, who_can_log_in
from tests.unit.database.planted import (
    CRON_VIEW,
    DEFINERS,
    EVERYWHERE,
    FIRES,
    KINDS,
    LEAD_ASTRAY,
    OF_OWNER,
    ON_DDL,
    ON_LOGIN,
    PLANT,
    TOUCHES,
)
from tests.unit.database.production import MASTER, USERS, Restored, create_login
from utils.database.access.script_login import ScriptWork
from utils.database.server.connection import Login
from utils.database.setup import set_up_users
from utils.errors import DatabaseChangeRefused


def event_trigger(restored: Restored, event: str, *, owned: bool = True, database: str = "shop") -> None:
    # In one session: the superuser's next one would run it.
    made = f"{ON_DDL}; ALTER FUNCTION on_ddl() OWNER TO shop_owner; {FIRES.format(event)}"
    restored.run(ADMIN, database, made + (f"; {OF_OWNER}" if owned else ""))


def test_what_is_switched_off_is_told_before_it_is(planted: Restored) -> None:
    event_trigger(planted, "ddl_command_end")
    told: list[tuple[list[str], list[tuple[Any, ...]]]] = []

    def remember(lines: list[str]) -> None:
        told.append((list(lines), planted.run(ADMIN, "shop", "SELECT evtenabled FROM pg_event_trigger")))

    set_up_users(planted.master, USERS, before_disarming=remember)
    assert told[0] == (["shop: event trigger e on ddl_command_end, runs public.on_ddl() of shop_owner"], [("O",)])


@pytest.mark.parametrize("event", ["ddl_command_start", "ddl_command_end", "login"])
def test_an_event_trigger_is_switched_off_before_it_could_run(planted: Restored, event: str) -> None:
    if event == "login" and version(planted) < 170000:
        pytest.skip("login triggers came with PostgreSQL 17")
    event_trigger(planted, event)
    outcome = planted.set_up()
    assert outcome.disarmed == [f"shop: event trigger e on {event}, runs public.on_ddl() of shop_owner"]
    nothing_was_gained(planted)
    assert planted.run(ADMIN, "shop", "SELECT evtenabled FROM pg_event_trigger") == [("D",)]
    assert planted.set_up().disarmed == []


def test_an_event_trigger_of_the_template_is_switched_off_before_it_could_run(planted: Restored) -> None:
    if version(planted) < 150000:
        # As in production.py: the superuser's here, the master's on RDS.
        planted.run(ADMIN, "template1", "ALTER SCHEMA public OWNER TO dba")
    event_trigger(planted, "ddl_command_end", database="template1")
    outcome = planted.set_up()
    line = "template1: event trigger e on ddl_command_end, runs public.on_ddl() of shop_owner"
    assert outcome.disarmed == [line]
    nothing_was_gained(planted)
    assert not planted.is_allowed("reader", "template1", "CREATE TABLE public.inherited (id int)")


def test_a_masters_routine_of_an_event_trigger_that_stays_on_runs_as_who_does_the_ddl(planted: Restored) -> None:
    if version(planted) < 170000:
        pytest.skip("before PostgreSQL 17 the set-up's own DDL would set it off")
    planted.run(ADMIN, "shop", "CREATE SCHEMA of_aws; GRANT USAGE ON SCHEMA of_aws TO PUBLIC")
    plants = f"CREATE FUNCTION of_aws.help() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {PLANT}; END $$"
    planted.run(ADMIN, "shop", f"{plants}; ALTER FUNCTION of_aws.help() OWNER TO shop_owner")
    # In one session: the superuser's next one would run it.
    planted.run(
        ADMIN,
        "shop",
        "CREATE FUNCTION of_aws.on_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS "
        "'BEGIN PERFORM of_aws.help(); END'; ALTER FUNCTION of_aws.on_ddl() OWNER TO dba; "
        + "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION of_aws.on_ddl()",
    )
    outcome = planted.set_up()
    assert "shop: routine of_aws.on_ddl(), SECURITY DEFINER of dba" in outcome.disarmed
    assert not planted.is_allowed("devops", "shop", "CREATE TABLE public.of_devops (id int)")
    nothing_was_gained(planted)


def test_an_event_trigger_that_the_master_may_not_switch_off_stops_the_run_before_any_change(
    planted: Restored,
) -> None:
    event_trigger(planted, "ddl_command_start", owned=False)
    with pytest.raises(DatabaseChangeRefused, match=r"may not switch off: shop: event trigger e .* of shop_owner"):
        planted.set_up()
    assert who_can_log_in(planted) == set()
    assert planted.run(ADMIN, "postgres", "SELECT 1 FROM pg_roles WHERE rolname = 'backdoor'") == []


def test_a_login_trigger_stops_the_run_where_the_master_may_not_silence_it(planted: Restored) -> None:
    if version(planted) < 170000:
        pytest.skip("login triggers came with PostgreSQL 17")
    event_trigger(planted, "login")
    planted.run(ADMIN, "postgres", "REVOKE SET ON PARAMETER event_triggers FROM rds_superuser")
    with pytest.raises(DatabaseChangeRefused, match="event triggers on login in database shop") as refused:
        planted.set_up()
    assert "event_triggers to 0" in str(refused.value)
    assert planted.run(ADMIN, "postgres", "SELECT 1 FROM pg_roles WHERE rolname = 'backdoor'") == []
    assert who_can_log_in(planted) == set()


def test_a_login_trigger_does_not_run_for_the_end_of_a_prepared_transaction(planted: Restored) -> None:
    if version(planted) < 170000:
        pytest.skip("login triggers came with PostgreSQL 17")
    planted.allow_prepared_transactions()
    planted.run(MASTER, "shop", "BEGIN; PREPARE TRANSACTION 'xa'")
    planted.run(ADMIN, "postgres", "REVOKE SET ON PARAMETER event_triggers FROM rds_superuser")
    planted.run(ADMIN, "shop", ON_LOGIN)
    with pytest.raises(DatabaseChangeRefused, match="event triggers on login in database shop"):
        planted.set_up()
    assert planted.run(ADMIN, "postgres", "SELECT 1 FROM pg_roles WHERE rolname LIKE 'backdoor%'") == []


@pytest.mark.parametrize("database", ["postgres", "crm"])
def test_a_login_trigger_of_the_first_database_that_ran_lets_nobody_in_with_what_it_made(
    planted: Restored, database: str
) -> None:
    if version(planted) < 170000:
        pytest.skip("login triggers came with PostgreSQL 17")
    planted.run(ADMIN, "shop", "REVOKE SET ON PARAMETER event_triggers FROM rds_superuser")
    if database != "postgres":
        planted.run(ADMIN, "shop", "ALTER DATABASE postgres ALLOW_CONNECTIONS false")
    planted.run(ADMIN, database, ON_LOGIN)
    with pytest.raises(DatabaseChangeRefused, match=f"trigger on login in database {database}, which ran") as refused:
        planted.set_up()
    assert "event_triggers to 0" in str(refused.value)
    roles = planted.run(ADMIN, "shop", "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname <> 'rdsadmin'")
    assert [name for name, can_log_in in roles if can_log_in] == [MASTER]
    assert [name for name, _ in roles if name.startswith("backdoor_")], "it ran"
    assert not planted.can_log_in(MASTER, "shop", "Back-door-1")
    assert planted.can_log_in(MASTER, "shop"), "the master's password is the one that was set for it"


@pytest.mark.parametrize(
    "look_alike",
    [
        CRON_VIEW,
        "CREATE SCHEMA cron; CREATE TABLE cron.job (id int, name text)",
        "CREATE SCHEMA cron; CREATE TABLE cron.job (jobid int, active boolean); INSERT INTO cron.job VALUES (1, true)",
    ],
    ids=["a view", "an application's own table", "a table like pg_cron's"],
)
def test_a_relation_that_is_called_cron_job_is_not_looked_at(planted: Restored, look_alike: str) -> None:
    planted.run("shop_owner", "shop", look_alike)
    assert planted.set_up().outbound == []
    nothing_was_gained(planted)


@pytest.mark.parametrize("role", [None, "shop_owner"])
def test_what_a_script_touches_runs_with_nothing_of_the_masters(planted: Restored, role: str | None) -> None:
    planted.run("shop_owner", "shop", EVERYWHERE)

    def mask(login: Login) -> None:
        for statement in TOUCHES:
            with login.in_database("shop") as connection, connection.cursor() as cursor:
                cursor.execute("SET LOCAL row_security = off")
                if role is not None:
                    cursor.execute(f"SET LOCAL ROLE {role}")
                cursor.execute(statement)

    set_up_users(planted.master, USERS, before_opening=ScriptWork(databases=["shop"], roles=["shop_owner"], run=mask))
    nothing_was_gained(planted)
    ran = planted.run(ADMIN, "shop", "SELECT DISTINCT kind, login FROM seen")
    assert {kind for kind, _ in ran} >= KINDS, "the attacks were tried"
    assert not [kind for kind, login in ran if login == MASTER]
    assert planted.run(ADMIN, "shop", "SELECT 1 FROM pg_roles WHERE rolname LIKE 'aurora_restore_script%'") == []


@pytest.mark.parametrize("owner", [MASTER, "role_maker"])
def test_a_routine_of_a_strong_owner_has_no_right_of_its_owners_any_more(planted: Restored, owner: str) -> None:
    may_create = "GRANT CREATE ON DATABASE shop TO dba, role_maker"
    made = f"CREATE ROLE role_maker CREATEROLE BYPASSRLS; {may_create}; SET ROLE {owner}"
    planted.run(ADMIN, "shop", f"{made}; {DEFINERS}")
    if version(planted) >= 160000:
        planted.run(ADMIN, "shop", "GRANT role_maker TO dba WITH ADMIN TRUE")
    outcome = planted.set_up()
    assert f"shop: routine adm.new_login(), SECURITY DEFINER of {owner}" in outcome.disarmed
    for user in ("app", "devops", "reader"):
        for act in (
            "SELECT adm.new_login()",
            f"SELECT adm.sudo($run$DO $x$ BEGIN {PLANT}; END $x$ $run$)",
            f"{LEAD_ASTRAY}; SELECT adm.note('x')",
            f"{LEAD_ASTRAY}; INSERT INTO adm.watched VALUES (1)",
        ):
            assert not planted.is_allowed(user, "shop", act), (user, act)
    assert not planted.is_allowed("reader", "shop", "SELECT adm.bumps(1)")
    assert planted.is_allowed("app", "shop", "SELECT adm.sudo('SELECT 1')"), "production let everybody"
    assert planted.is_allowed("app", "shop", "INSERT INTO adm.audit_log VALUES ('x'); SELECT adm.bumps(1)")
    nothing_was_gained(planted)
    assert planted.set_up().disarmed == []


def test_a_routine_that_production_kept_from_the_application_is_kept_from_it(planted: Restored) -> None:
    planted.run(
        "shop_owner",
        "shop",
        "CREATE SCHEMA own; CREATE FUNCTION own.run(t text) RETURNS void "
        "LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE t; END'; "
        "REVOKE ALL ON FUNCTION own.run(text) FROM PUBLIC; CREATE TABLE own.kept (id int)",
    )
    for _ in range(2):
        planted.set_up()
        assert not planted.is_allowed("app", "shop", "SELECT own.run('DROP TABLE own.kept')")
    assert planted.is_allowed("devops", "shop", "SELECT own.run('SELECT 1')"), "it acts for the owner"


def test_a_users_routine_does_not_become_the_masters(planted: Restored) -> None:
    # A superuser's schema, in which the owner role may not create: what app owned there goes to the master.
    create_login(planted, "app")
    planted.run(
        ADMIN,
        "shop",
        "CREATE SCHEMA of_aws; GRANT USAGE ON SCHEMA of_aws TO PUBLIC; GRANT CREATE ON SCHEMA of_aws TO dba",
    )
    planted.run(
        ADMIN,
        "shop",
        f"CREATE FUNCTION of_aws.new_login() RETURNS void LANGUAGE plpgsql SECURITY DEFINER "
        f"AS $$ BEGIN {PLANT}; END $$; ALTER FUNCTION of_aws.new_login() OWNER TO app",
    )
    planted.set_up()
    for user in ("app", "devops", "reader"):
        assert not planted.is_allowed(user, "shop", "SELECT of_aws.new_login()")
    nothing_was_gained(planted)


# What a user with rights on a strong owner's tables could have run as that owner, were it by a foreign key.
ON_CASCADE = f"""
    CREATE FUNCTION public.runs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {PLANT}; RETURN OLD; END $$;
    CREATE TRIGGER runs BEFORE DELETE ON {{}} FOR EACH ROW EXECUTE FUNCTION public.runs()
"""
ON_CHECK = f"""
    CREATE TYPE public.number AS ENUM ('1');
    CREATE FUNCTION public.to_int(n public.number) RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN {PLANT}; RETURN 1; END $$;
    CREATE CAST (public.number AS int) WITH FUNCTION public.to_int(public.number) AS IMPLICIT;
    CREATE TABLE public.refers (n public.number REFERENCES {{}});
    INSERT INTO public.refers VALUES ('1')
"""


def test_nothing_of_a_users_runs_as_a_strong_owner_or_as_the_master_by_way_of_a_table(planted: Restored) -> None:
    planted.run(
        ADMIN,
        "shop",
        # Up to PostgreSQL 15 the master takes every power but that one, and what an owner without any runs is harmless.
        "CREATE ROLE role_maker CREATEROLE REPLICATION; GRANT rds_superuser TO role_maker; "
        # What shop_owner has, devops has: a later table of the master's is granted to it with everything.
        "ALTER DEFAULT PRIVILEGES FOR ROLE dba GRANT ALL ON TABLES TO shop_owner; "
        "GRANT CREATE ON DATABASE shop TO role_maker; SET ROLE role_maker; CREATE SCHEMA made; "
        "CREATE TABLE made.parent (id int PRIMARY KEY); INSERT INTO made.parent VALUES (1); "
        "CREATE TABLE made.child (id int REFERENCES made.parent ON DELETE CASCADE); INSERT INTO made.child VALUES (1)",
    )
    if version(planted) >= 160000:
        planted.run(ADMIN, "shop", "GRANT role_maker TO dba WITH ADMIN TRUE")

    def be_a_script(login: Login) -> None:
        with login.in_database("shop") as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE made.parent SET id = 1")
            connection.commit()
            for attack in (ON_CASCADE.format("made.child"), ON_CHECK.format("made.parent")):
                with pytest.raises(InsufficientPrivilege):
                    cursor.execute(attack)
                connection.rollback()

    set_up_users(planted.master, USERS, before_opening=ScriptWork(databases=["shop"], run=be_a_script))
    planted.run(MASTER, "shop", "CREATE TABLE public.later (id int PRIMARY KEY); INSERT INTO public.later VALUES (1)")
    for user in ("app", "devops"):
        assert planted.is_allowed(user, "shop", "UPDATE made.parent SET id = 1; UPDATE public.later SET id = 1")
        for table in ("made.child", "public.later"):
            assert not planted.is_allowed(user, "shop", f"{ON_CASCADE.format(table)}; DELETE FROM made.parent")
        for table in ("made.parent", "public.later"):
            assert not planted.is_allowed(user, "shop", ON_CHECK.format(table)), (user, table)
    nothing_was_gained(planted)
    assert planted.set_up().disarmed == []
