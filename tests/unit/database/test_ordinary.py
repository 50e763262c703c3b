"""Ordinary things of a production: the run goes through, and the proof says what each means for whom."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.production import Restored, restore
from utils.database.setup import SetupOutcome

BY_SHOP_OWNER = """
    CREATE TABLE docs (id int PRIMARY KEY, tenant uuid);
    INSERT INTO docs VALUES (1, '00000000-0000-0000-0000-000000000001');
    ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON docs USING (tenant = current_setting('app.tenant')::uuid);
    CREATE FUNCTION is_member() RETURNS bool LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT true';
    CREATE TABLE pol (id int PRIMARY KEY);
    INSERT INTO pol VALUES (1), (2);
    ALTER TABLE pol ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON pol USING (is_member());
    CREATE FUNCTION definer_total() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM customers';
    CREATE VIEW vt AS SELECT definer_total();
    CREATE VIEW over_vt AS SELECT * FROM vt;
    CREATE TABLE hidden (id int PRIMARY KEY);
    INSERT INTO hidden VALUES (1);
    ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
    ALTER TABLE hidden FORCE ROW LEVEL SECURITY;
    CREATE POLICY mine ON hidden TO shop_owner USING (true);
    CREATE FUNCTION bump(int, int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
        AS 'BEGIN INSERT INTO public.customers (name) VALUES (''bumped''); RETURN 1; END';
    CREATE AGGREGATE bumps(int) (sfunc = bump, stype = int, initcond = '0');
    CREATE TABLE nokey (id int);
    CREATE TABLE wide (id int) PARTITION BY RANGE (id);
    DO $$ BEGIN FOR n IN 1 .. 510 LOOP
        EXECUTE format('CREATE TABLE wide_%s PARTITION OF wide FOR VALUES FROM (%s) TO (%s)', n, n, n + 1);
    END LOOP; END $$;
    CREATE TABLE aurora_restore_probe (id int);
    CREATE VIEW broken AS SELECT id FROM hidden WHERE 1 / (SELECT count(*) FROM nokey) = 1
"""
BY_ADMIN = """
    CREATE PUBLICATION dbz_publication FOR ALL TABLES;
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER archive FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
    CREATE TABLE ev (id int) PARTITION BY RANGE (id);
    CREATE FOREIGN TABLE ev0 PARTITION OF ev FOR VALUES FROM (0) TO (10) SERVER archive;
    CREATE VIEW over_ev AS SELECT * FROM ev;
    ALTER SERVER archive OWNER TO dba;
    ALTER TABLE ev OWNER TO dba;
    ALTER TABLE ev0 OWNER TO dba;
    ALTER VIEW over_ev OWNER TO dba;
    SELECT lo_create(4711);
    ALTER DATABASE shop SET lo_compat_privileges = on;
    ALTER DATABASE shop SET default_transaction_read_only = on
"""

PARAMETERS_HAVE_RIGHTS = 15


@dataclass
class Shop:
    """A restored server and the outcome of its set-up."""

    server: Restored
    outcome: SetupOutcome
    major: int

    def proof(self, user: str) -> list[str]:
        """Return what was proven of a user in the shop, and what is to be known beside it."""
        line = next(line for line in self.outcome.proofs[user] if line.startswith("shop: "))
        return line.split("; ")


@pytest.fixture(scope="module")
def shop(farm: PostgresFarm, snapshot: tuple[Volume, int]) -> Iterator[Shop]:
    volume, major = snapshot
    for server in restore(farm, volume, f"ordinary-{major}", major):
        server.run("shop_owner", "shop", BY_SHOP_OWNER)
        if major >= PARAMETERS_HAVE_RIGHTS:
            server.run(ADMIN, "shop", "GRANT SET ON PARAMETER log_statement TO PUBLIC")
        server.run(ADMIN, "shop", BY_ADMIN)
        yield Shop(server, server.set_up(), major)


def test_what_cannot_be_tried_ends_no_run_and_is_told(shop: Shop) -> None:
    for user, rights in (("app", "can read, can write, cannot alter"), ("reader", "can read, cannot write")):
        assert shop.proof(user)[0].startswith(f"shop: logs in, {rights}")
    assert (
        "to read is not tried: public.docs (42704 UndefinedObject), public.broken (22012 DivisionByZero)"
        in shop.proof("reader")
    )
    # The first of those without a key: five are named.
    keyless = "public.aurora_restore_probe (55000 ObjectNotInPrerequisiteState)"
    assert any(line.startswith("to write is not tried: ") and keyless in line for line in shop.proof("app"))


def test_tables_with_foreign_or_very_many_partitions_are_left_out(shop: Shop) -> None:
    left_out = (
        "not tried: public.ev (has a foreign partition), public.over_ev (reads a foreign table), "
        "public.wide (510 partitions)"
    )
    assert left_out in shop.proof("app")


def test_a_view_or_policy_that_calls_what_the_reader_may_not_run_is_named(shop: Shop) -> None:
    (line,) = [line for line in shop.proof("reader") if line.startswith("not readable")]
    assert line == (
        "not readable, as it calls what is not the user's to run: public.over_vt (calls public.definer_total()), "
        "public.pol (calls public.is_member()), public.vt (calls public.definer_total())"
    )
    assert not shop.server.is_allowed("reader", "shop", "SELECT * FROM vt")


def test_who_sees_no_rows_through_row_level_security_is_told(shop: Shop) -> None:
    assert "sees no rows through row-level security of public.hidden" in shop.proof("app")
    assert shop.server.run("app", "shop", "SELECT * FROM hidden") == []
    assert "adds no rows through row-level security to public.hidden" in shop.proof("app")


def test_an_aggregate_gives_the_reader_nobody_elses_rights(shop: Shop) -> None:
    assert not shop.server.is_allowed("reader", "shop", "SELECT bumps(1)")


def test_what_begins_read_only_and_what_everybody_may_set_is_told(shop: Shop) -> None:
    assert "transactions begin read-only, by a setting that is not the user's own" in shop.proof("app")
    if shop.major >= PARAMETERS_HAVE_RIGHTS:
        assert "sets, as everybody, also log_statement" in shop.proof("reader")


def test_that_no_right_to_a_large_object_is_asked_for_is_told(shop: Shop) -> None:
    told = "reads and writes every large object, as lo_compat_privileges is on, in number: 1"
    assert all(told in shop.proof(user) for user in ("app", "reader", "devops"))
    assert shop.server.is_allowed("reader", "shop", "SELECT lo_put(4711, 0, 'x')")


def test_a_table_of_the_proofs_old_name_is_productions_own(shop: Shop) -> None:
    assert shop.server.run(ADMIN, "shop", "SELECT count(*) FROM aurora_restore_probe") == [(0,)]
    probes = "SELECT relname FROM pg_class WHERE relname LIKE 'aurora_restore_probe_%'"
    assert shop.server.run(ADMIN, "shop", probes) == []
