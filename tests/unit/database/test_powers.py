"""What production's owners could do beyond their objects: nobody logs in as them, and what they own runs without it."""

import pytest
from psycopg2.errors import InsufficientPrivilege

from local_cloud.aurora.postgres.bootstrap import ADMIN
from tests.unit.database.judge import nothing_was_gained, version, who_can_log_in
from tests.unit.database.planted import WAITS
from tests.unit.database.production import MASTER, USERS, Restored, create_login
from utils.database.setup import set_up_users
from utils.errors import DatabaseChangeRefused

CALM = "CREATE FUNCTION calm(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n'"


def test_what_waits_in_the_tables_of_an_owner_has_no_power_to_make_roles_left(planted: Restored) -> None:
    planted.run(ADMIN, "shop", WAITS)
    if version(planted) >= 160000:
        planted.run(ADMIN, "shop", "GRANT role_maker TO dba WITH ADMIN TRUE")

    outcome = planted.set_up()

    assert outcome.disarmed == ["role role_maker, CREATEROLE", "role role_maker, member of rds_superuser"]
    # As PostgreSQL's own autovacuum does: the index' expression runs as the table's owner.
    with pytest.raises(InsufficientPrivilege):
        planted.run(ADMIN, "shop", "SET made.armed = 'yes'; ANALYZE made.counted")
    for user in ("app", "devops"):
        assert not planted.is_allowed(user, "shop", "DELETE FROM made.parent")
    nothing_was_gained(planted)
    assert planted.set_up().disarmed == []


def test_what_the_master_may_not_take_from_an_owner_and_what_a_kept_login_has_is_told(planted: Restored) -> None:
    planted.run(
        ADMIN,
        "postgres",
        "ALTER ROLE api CREATEROLE; GRANT pg_execute_server_program TO shop_owner; ALTER SCHEMA public OWNER TO api",
    )
    planted.run(MASTER, "postgres", "GRANT rds_superuser TO analyst")

    outcome = set_up_users(planted.master, USERS, keep_logins=["api"])

    told = [str(finding) for finding in outcome.health]
    left = "powers that the master may not take; code in what they own has them: "
    # Before PostgreSQL 16 whoever has CREATEROLE may take any membership.
    assert (f"for a person: {left}role shop_owner, member of pg_execute_server_program" in told) is (
        version(planted) >= 160000
    )
    assert "for a person: powers that keep_logins keeps; code in what they own has them: role api, CREATEROLE" in told
    assert "role analyst, member of rds_superuser" in outcome.disarmed
    assert planted.run(ADMIN, "postgres", "SELECT rolcreaterole FROM pg_roles WHERE rolname = 'api'") == [(True,)]


def test_an_owner_that_read_by_a_power_that_it_loses_reads_on(planted: Restored) -> None:
    planted.run(
        ADMIN,
        "shop",
        "GRANT pg_read_all_data TO rds_superuser WITH ADMIN OPTION; GRANT CREATE ON DATABASE shop TO analyst; "
        "SET ROLE dba; GRANT rds_superuser TO analyst; SET ROLE analyst; CREATE SCHEMA reports; "
        "CREATE VIEW reports.names AS SELECT name FROM public.customers",
    )
    for _ in range(2):
        planted.set_up()
        assert planted.run("reader", "shop", "SELECT count(*) FROM reports.names") == [(2,)]


@pytest.mark.parametrize("owner", ["app", MASTER])
def test_a_table_that_can_be_the_masters_only_runs_no_code_of_others(planted: Restored, owner: str) -> None:
    # In a superuser's schema, where the owner role may not create: what app owned would go to the master.
    create_login(planted, "app")
    planted.run(
        ADMIN,
        "shop",
        f"CREATE SCHEMA of_aws; CREATE TABLE of_aws.counted AS SELECT generate_series(1, 50) AS n; {CALM}; "
        f"CREATE INDEX ON of_aws.counted (calm(n)); ALTER TABLE of_aws.counted OWNER TO {owner}; "
        "GRANT USAGE ON SCHEMA of_aws TO PUBLIC; GRANT CREATE ON SCHEMA of_aws TO dba; "
        "ALTER FUNCTION calm(int) OWNER TO shop_owner",
    )
    calls = r"of_aws\.counted \(calls public\.calm\(integer\) of shop_owner\)"
    with pytest.raises(DatabaseChangeRefused, match=calls):
        planted.set_up()
    assert who_can_log_in(planted) == set()
