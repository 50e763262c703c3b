"""Scripts change the restored data one transaction each, or the run stops and says where, without saying what."""

from itertools import count

import pytest

from tests.unit.database.before_opening.world import ROUTINES, World, check, script
from utils.database.before_opening.scripts import ComeBack, Invocation
from utils.errors import CheckFailed, DatabaseChangeRefused, DatabaseUnavailable, PostRestoreSqlFailed
from utils.operation.model import ScriptRecord


def test_scripts_run_in_order_and_are_recorded(world: World) -> None:
    world.scripts |= {
        "1.sql": "UPDATE scratch.people SET name = 'x';",
        "2.sql": "UPDATE scratch.people SET name = name || id",
    }
    remembered: list[ScriptRecord] = []

    world.run("GRANT ALL ON SCHEMA scratch TO app_owner; GRANT ALL ON scratch.people TO app_owner")
    outcome = world.before_opening(script("1.sql"), script("2.sql", user="app_owner"), remember=remembered.append)

    assert world.people() == ["x1", "x2"]
    assert [(record.s3_uri, record.user, record.statements) for record in outcome.scripts] == [
        ("s3://scripts/1.sql", "aurora_restore_script", 1),
        ("s3://scripts/2.sql", "app_owner", 1),
    ]
    assert remembered == outcome.scripts
    assert outcome.scripts[0].version_id == "v1"
    assert len(outcome.scripts[0].sha256) == 64


def test_a_script_may_hold_functions_and_percent_signs(world: World) -> None:
    update = "UPDATE scratch.people SET name = '100 %s %' WHERE name LIKE 'Anna%'"
    world.scripts["all.sql"] = f"{ROUTINES}; {update}"
    outcome = world.before_opening(script("all.sql"))
    assert outcome.scripts[0].statements == 6
    assert world.people() == ["100 %s %", "Ben Planted"]


def test_unicode_reaches_the_database_as_it_is(world: World) -> None:
    world.scripts["names.sql"] = "UPDATE scratch.people SET name = 'Žofie 名前 🎈'"
    world.before_opening(script("names.sql"))
    assert world.people() == ["Žofie 名前 🎈"] * 2


def test_a_failure_rolls_its_script_back_and_names_the_statement(world: World) -> None:
    world.scripts |= {
        "1.sql": "UPDATE scratch.people SET name = 'masked'",
        "2.sql": "DELETE FROM scratch.people;\nINSERT INTO scratch.people VALUES (1, 'Clara Planted');\n"
        "INSERT INTO scratch.people VALUES (1, 'Dora Planted');",
        "3.sql": "DROP TABLE scratch.people",
    }
    with pytest.raises(PostRestoreSqlFailed) as failed:
        world.before_opening(script("1.sql"), script("2.sql"), script("3.sql"))
    assert "s3://scripts/2.sql: found 23505 UniqueViolation from PostgreSQL" in str(failed.value)
    assert "(table people of constraint people_pkey) for line 3 (INSERT INTO scratch.people ...)" in str(failed.value)
    assert "the users are still locked out" in str(failed.value)
    assert "Planted" not in str(failed.value)
    assert world.people() == ["masked", "masked"]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT name::int FROM scratch.people",
        "DO $$ BEGIN RAISE EXCEPTION 'look at %', (SELECT name FROM scratch.people LIMIT 1); END $$",
        "SELECT date (SELECT name FROM scratch.people LIMIT 1)::date",
        "ALTER TABLE scratch.people ADD CHECK (name < 'B')",
    ],
)
def test_no_data_is_in_the_message(world: World, statement: str) -> None:
    world.scripts["bad.sql"] = statement
    with pytest.raises(PostRestoreSqlFailed) as failed:
        world.before_opening(script("bad.sql"))
    assert "Planted" not in str(failed.value)
    assert failed.value.__cause__ is None


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("SELECT * FROM people", 'relation "people" does not exist'),
        ("UPDATE scratch.people SET nam = ''", 'column "nam" of relation "people" does not exist'),
        ("SELEC 1", "SyntaxError"),
        ("VACUUM scratch.people", "cannot run inside a transaction block"),
        ("CREATE ROLE x SUPERUSER", "permission denied to create role"),
        ("COMMIT", "transaction control"),
        ("DO $$ BEGIN COMMIT; END $$", "InvalidTransactionTermination"),
    ],
)
def test_what_people_get_wrong_is_explained(world: World, statement: str, why: str) -> None:
    world.scripts["wrong.sql"] = statement
    with pytest.raises(PostRestoreSqlFailed, match=why):
        world.before_opening(script("wrong.sql"))


def test_a_constraint_that_is_checked_at_the_end_fails_the_script(world: World) -> None:
    world.run("ALTER TABLE scratch.people ADD UNIQUE (name) DEFERRABLE INITIALLY DEFERRED")
    world.scripts["same.sql"] = "UPDATE scratch.people SET name = 'same'"
    with pytest.raises(PostRestoreSqlFailed, match=r"UniqueViolation .* for the end of the transaction"):
        world.before_opening(script("same.sql"))
    assert world.people() == ["Anna Planted", "Ben Planted"]


def test_a_script_ends_in_time_or_not_at_all(world: World) -> None:
    world.scripts["slow.sql"] = (
        "DELETE FROM scratch.people; SET statement_timeout = 0;\nSELECT pg_sleep(0.7); SELECT pg_sleep(9)"
    )
    with pytest.raises(PostRestoreSqlFailed, match=r"no end in time of line 2 \(SELECT pg_sleep ...\)"):
        world.before_opening(script("slow.sql", timeout_seconds=1))
    assert world.people() == ["Anna Planted", "Ben Planted"]


def test_a_script_whose_time_is_up_between_statements_stops(world: World) -> None:
    world.scripts["slow.sql"] = "SELECT pg_sleep(0.99);" + "SELECT 1;" * 2000
    with pytest.raises(PostRestoreSqlFailed, match="no end in time of line 1"):
        world.before_opening(script("slow.sql", timeout_seconds=1))


def test_rows_that_a_policy_hides_are_not_left_out_unseen(world: World) -> None:
    world.run(
        "ALTER TABLE scratch.people ENABLE ROW LEVEL SECURITY; ALTER TABLE scratch.people FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY first_only ON scratch.people USING (id = 1)"
    )
    world.scripts["mask.sql"] = "UPDATE scratch.people SET name = 'masked'"
    with pytest.raises(PostRestoreSqlFailed, match="query would be affected by row-level security policy"):
        world.before_opening(script("mask.sql"))
    with pytest.raises(CheckFailed, match="42501 InsufficientPrivilege"):
        world.before_opening(checks=[check("SELECT count(*) FROM scratch.people WHERE name <> 'masked'", expect=0)])


def test_a_role_that_the_master_may_not_be_stops_the_run(world: World) -> None:
    world.scripts["1.sql"] = "SELECT 1"
    for user, why in (
        ("nobody", "22023 InvalidParameterValue from PostgreSQL for SET ROLE nobody"),
        ("rdsadmin", "permission denied to set role"),
    ):
        with pytest.raises(PostRestoreSqlFailed, match=why):
            world.before_opening(script("1.sql", user=user))


def test_a_database_that_is_not_there_stops_the_run(world: World) -> None:
    world.scripts["1.sql"] = "SELECT 1"
    with pytest.raises(DatabaseChangeRefused, match="does not exist"):
        world.before_opening(script("1.sql", database="nowhere"))


def test_what_may_pass_is_tried_again(world: World) -> None:
    world.scripts["1.sql"] = "DO $$ BEGIN RAISE deadlock_detected; END $$"
    with pytest.raises(DatabaseUnavailable):
        world.before_opening(script("1.sql"))
    with pytest.raises(DatabaseUnavailable):
        world.before_opening(checks=[check("SELECT pg_terminate_backend(pg_backend_pid())", expect=True)])


ENDS_ITS_SESSION = """
    CREATE FUNCTION scratch.end_it() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END';
    CREATE TRIGGER ends BEFORE UPDATE ON scratch.people FOR EACH ROW {} EXECUTE FUNCTION scratch.end_it()
"""


def test_a_statement_that_ends_its_session_is_named(world: World) -> None:
    world.run(ENDS_ITS_SESSION.format(""))
    world.scripts["mask.sql"] = "SELECT 1;\nUPDATE scratch.people SET name = 'masked'"
    with pytest.raises(PostRestoreSqlFailed, match=r"end of its session, twice, for line 2 \(UPDATE scratch\.people"):
        world.before_opening(script("mask.sql"))
    assert world.people() == ["Anna Planted", "Ben Planted"]


def test_a_script_whose_session_was_ended_once_is_run_again(world: World) -> None:
    # A sequence remembers what a transaction that ended in nothing has taken from it.
    world.run("CREATE SEQUENCE scratch.times; GRANT ALL ON scratch.times TO PUBLIC")
    world.run(ENDS_ITS_SESSION.format("WHEN (nextval('scratch.times') = 1)"))
    world.scripts["mask.sql"] = "UPDATE scratch.people SET name = 'masked'"
    world.before_opening(script("mask.sql"))
    assert world.people() == ["masked", "masked"]


@pytest.mark.usefixtures("without_temporary_files")
def test_a_limit_of_productions_on_temporary_files_is_said_at_once(world: World) -> None:
    sort = "SELECT count(*) FROM (SELECT n FROM generate_series(1, 200000) AS n ORDER BY n::text DESC) AS sorted"
    world.scripts["1.sql"] = sort
    with pytest.raises(PostRestoreSqlFailed, match=r"53400 .*temporary file size exceeds .?temp_file_limit.? \(0kB\)"):
        world.before_opening(script("1.sql"))
    with pytest.raises(CheckFailed, match="53400 ConfigurationLimitExceeded"):
        world.before_opening(checks=[check(sort, expect=200_000)])


def test_a_later_invocation_goes_on_behind_what_is_done(world: World) -> None:
    world.scripts |= {
        "1.sql": "INSERT INTO scratch.people VALUES (3, 'C')",
        "2.sql": "INSERT INTO scratch.people VALUES (4, 'D')",
    }
    scripts = (script("1.sql"), script("2.sql"))
    done: list[ScriptRecord] = []
    clock = count(step=200)  # seconds: two looks are 400 s apart

    with pytest.raises(ComeBack):
        world.before_opening(*scripts, remember=done.append, invocation=Invocation(lambda: float(next(clock))))
    assert [record.s3_uri for record in done] == ["s3://scripts/1.sql"]

    outcome = world.before_opening(*scripts, done=tuple(done), remember=done.append)
    assert outcome.scripts == done
    assert world.people()[2:] == ["C", "D"]


def test_checks_wait_for_an_invocation_with_time_left(world: World) -> None:
    world.scripts["1.sql"] = "SELECT 1"
    times = iter([0.0, 1.0, 300.0])
    with pytest.raises(ComeBack):
        world.before_opening(
            script("1.sql"), checks=[check("broken", expect=1)], invocation=Invocation(lambda: next(times))
        )
