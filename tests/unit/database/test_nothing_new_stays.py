"""Whatever came up during the set-up and gives rights or a way in is refused by name, and shut out."""

import re

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from tests.unit.database.judge import who_can_log_in
from tests.unit.database.planted import EVERYWHERE
from tests.unit.database.production import MASTER, USERS, Restored
from utils.database.access.script_login import ScriptWork, name_for
from utils.database.server.connection import Login
from utils.database.setup import set_up_users
from utils.errors import CheckFailed, DatabaseChangeRefused


def as_master(restored: Restored, statement: str) -> ScriptWork:
    def run(_: Login) -> None:
        with restored.master.in_database("shop") as connection:
            connection.cursor().execute(statement)

    return ScriptWork(databases=["shop"], as_master=True, run=run)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE public.people SET name = 'x'", "login backdoor"),
        ("CREATE ROLE late LOGIN PASSWORD 'Late-Pa55word'", "login late"),
        ("GRANT rds_superuser TO shop_owner", "shop_owner as a member of rds_superuser"),
        ("ALTER ROLE analyst CREATEROLE", "attribute CREATEROLE of analyst"),
        (
            "CREATE FUNCTION public.sudo(t text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER "
            "AS 'BEGIN EXECUTE t; END'",
            "shop: routine public.sudo(text), SECURITY DEFINER of dba",
        ),
    ],
)
def test_what_a_script_of_the_masters_brings_up_is_refused_by_name_and_shut_out(
    planted: Restored, statement: str, named: str
) -> None:
    planted.run("shop_owner", "shop", EVERYWHERE)
    planted.run(ADMIN, "shop", "GRANT CREATE ON SCHEMA public TO dba")
    with pytest.raises(DatabaseChangeRefused, match="before the scripts and checks: .*" + re.escape(named)):
        set_up_users(planted.master, USERS, before_opening=as_master(planted, statement))
    assert who_can_log_in(planted) == set()


def test_a_script_that_fails_does_not_hide_what_came_up_with_it(planted: Restored) -> None:
    def make_a_login_and_fail(_: Login) -> None:
        planted.run(MASTER, "postgres", "CREATE ROLE late LOGIN PASSWORD 'Late-Pa55word'")
        raise CheckFailed("42 names", expected="none", action="mask them")

    with pytest.raises(DatabaseChangeRefused, match="login late"):
        set_up_users(planted.master, USERS, before_opening=ScriptWork(databases=["shop"], run=make_a_login_and_fail))
    assert who_can_log_in(planted) == set()


def test_what_came_up_during_the_proof_closes_everybody_again(
    planted: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prove(*_: object) -> list[str]:
        planted.run(MASTER, "postgres", "CREATE ROLE late LOGIN PASSWORD 'Late-Pa55word'")
        return []

    monkeypatch.setattr("utils.database.opening.by_statement.prove", prove)
    users = USERS[:1]
    with pytest.raises(DatabaseChangeRefused, match=r"before the proof: .*login late"):
        set_up_users(planted.master, users)
    assert who_can_log_in(planted) == set()


NOTHING_TO_DO = ScriptWork(login=name_for("nightly-1"), databases=["shop"], run=lambda _: None)


def test_a_login_of_scripts_that_was_left_behind_is_removed_and_keeps_nothing(planted: Restored) -> None:
    name = NOTHING_TO_DO.login
    planted.set_up()
    planted.run(MASTER, "shop", f"CREATE ROLE {name} LOGIN PASSWORD 'Left-Pa55word'; GRANT {name} TO dba")
    planted.run(ADMIN, "shop", f"CREATE TABLE public.kept (id int); ALTER TABLE public.kept OWNER TO {name}")
    outcome = set_up_users(planted.master, USERS, before_opening=NOTHING_TO_DO)
    assert outcome.shut_out == [], "it is the pipeline's own"
    assert planted.run(ADMIN, "shop", f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'") == []
    owner = "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'kept'"
    assert planted.run(ADMIN, "shop", owner) == [("aurora_restore_owner",)]


@pytest.mark.parametrize(
    "work", [None, ScriptWork(login=name_for("nightly-1"), databases=["shop"], run=lambda _: None)]
)
def test_a_login_of_productions_with_a_name_like_a_scripts_is_shut_out_and_reported(
    planted: Restored, work: ScriptWork | None
) -> None:
    logins = ["aurora_restore_script", "aurora_restore_script_0123456789abcdef"]
    for name in logins:
        planted.run(MASTER, "postgres", f"CREATE ROLE {name} LOGIN PASSWORD 'Theirs-Pa55word'")
    outcome = set_up_users(planted.master, USERS, before_opening=work)
    assert outcome.shut_out == ["analyst", "api", *logins, "shop_owner"]
    assert not [name for name in logins if planted.can_log_in(name, "shop", "Theirs-Pa55word")]
    roles = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'aurora_restore_script%' ORDER BY rolname"
    assert [name for (name,) in planted.run(ADMIN, "shop", roles)] == logins, "a role of production's is not dropped"


@pytest.mark.parametrize("more", ["GRANT rds_superuser, shop_owner TO rdstopmgr", "SELECT 1"])
def test_a_login_with_a_name_of_awss_lets_nobody_in(planted: Restored, more: str) -> None:
    planted.run(MASTER, "postgres", f"CREATE ROLE rdstopmgr LOGIN PASSWORD 'Pa55wordX'; {more}")
    assert planted.can_log_in("rdstopmgr", "shop", "Pa55wordX")
    planted.set_up()
    assert not planted.can_log_in("rdstopmgr", "shop", "Pa55wordX")


ON_UPDATE = """
    CREATE FUNCTION acts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN {}; RETURN NEW; EXCEPTION WHEN duplicate_object THEN RETURN NEW; END $$;
    CREATE TRIGGER acts BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION acts()
"""


def mask(login: Login) -> None:
    with login.in_database("shop") as connection:
        connection.cursor().execute("UPDATE public.customers SET name = 'x'")


MASKING = ScriptWork(databases=["shop"], run=mask)


def test_a_masked_tables_trigger_cannot_give_a_kept_login_another_password(planted: Restored) -> None:
    planted.run("shop_owner", "shop", "GRANT CREATE ON SCHEMA sales TO api")
    planted.run("api", "shop", "CREATE TABLE sales.of_api (id int)")
    acts = "SET LOCAL ROLE api; ALTER ROLE api PASSWORD 'Late-Pa55word'; RESET ROLE"
    planted.run("shop_owner", "shop", ON_UPDATE.format(acts))
    with pytest.raises(DatabaseChangeRefused, match='permission denied to set role "api"'):
        set_up_users(planted.master, USERS, keep_logins=["api"], before_opening=MASKING)
    assert planted.can_log_in("api", "shop")
    assert not planted.can_log_in("api", "shop", "Late-Pa55word")


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        ("dba", "shop: routine of_aws.sudo(text), SECURITY DEFINER of dba"),
        ("devops", "role devops, CREATEROLE"),
        ("app", "role app, CREATEROLE"),
    ],
)
def test_a_masked_tables_trigger_cannot_give_the_master_another_password(
    planted: Restored, owner: str, told: str
) -> None:
    create = "" if owner == "dba" else f"CREATE ROLE {owner} LOGIN CREATEROLE; GRANT rds_superuser TO {owner};"
    planted.run(MASTER, "postgres", f"{create} SELECT 1")
    planted.run(
        ADMIN,
        "shop",
        # Where the owner role may not create, the routine cannot get a weak owner.
        f"CREATE SCHEMA of_aws; GRANT USAGE ON SCHEMA of_aws TO PUBLIC; GRANT CREATE ON SCHEMA of_aws TO {owner}; "
        f"SET ROLE {owner}; CREATE FUNCTION of_aws.sudo(t text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER "
        "AS 'BEGIN EXECUTE t; END'",
    )
    acts = "PERFORM of_aws.sudo($s$ALTER ROLE dba PASSWORD 'Back-door-1'$s$)"
    planted.run("shop_owner", "shop", ON_UPDATE.format(acts))
    seen: list[str] = []
    with pytest.raises(DatabaseChangeRefused, match=r"permission denied.* \(by of_aws.sudo\(text\), called by"):
        set_up_users(planted.master, USERS, before_opening=MASKING, before_disarming=seen.extend)
    assert told in seen
    assert planted.can_log_in(MASTER, "shop")
    assert not planted.can_log_in(MASTER, "shop", "Back-door-1")
    assert who_can_log_in(planted) == set()


def test_ways_out_that_come_up_with_the_scripts_are_closed_too(planted: Restored) -> None:
    foreign = "CREATE EXTENSION postgres_fdw; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO shop_owner"
    planted.run(ADMIN, "shop", foreign)
    acts = """
        SET LOCAL ROLE shop_owner; CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw;
        CREATE USER MAPPING FOR PUBLIC SERVER away OPTIONS (user 'u', password 'p'); RESET ROLE
    """
    planted.run("shop_owner", "shop", ON_UPDATE.format(acts))
    outcome = set_up_users(planted.master, USERS, before_opening=MASKING)
    assert outcome.outbound == ["shop: user mapping of everybody for foreign server away"]
    assert planted.run(ADMIN, "shop", "SELECT 1 FROM pg_user_mappings") == []


@pytest.mark.parametrize(
    ("acts", "owner"),
    [
        ("CREATE PUBLICATION late FOR TABLE public.customers", "SELECT pubowner FROM pg_publication"),
        ("CREATE SERVER late FOREIGN DATA WRAPPER postgres_fdw", "SELECT srvowner FROM pg_foreign_server"),
    ],
)
def test_what_a_script_makes_that_reaches_out_of_schemas_does_not_stop_every_later_run(
    planted: Restored, acts: str, owner: str
) -> None:
    foreign = "CREATE EXTENSION postgres_fdw; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO shop_owner"
    planted.run(ADMIN, "shop", foreign)
    planted.run("shop_owner", "shop", ON_UPDATE.format(acts))
    set_up_users(planted.master, USERS, before_opening=MASKING, close_outbound=False)
    assert planted.run(ADMIN, "shop", f"SELECT owner::regrole::text FROM ({owner}) AS made (owner)") == [(MASTER,)]
    assert planted.run(ADMIN, "shop", "SELECT 1 FROM pg_roles WHERE rolname LIKE 'aurora_restore_script%'") == []
