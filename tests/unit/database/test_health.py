"""The health of a copy: what it brings along is mended, closed, harmless or for a person, and told by name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.production import USERS, Restored, restore
from utils.database.access.script_login import ScriptWork
from utils.database.health.amcheck import run_amcheck
from utils.database.health.rows_left_out import LEFT_OUT_OF_SCRIPTS
from utils.database.server.statements import names
from utils.database.setup import SetupOutcome, set_up_users

BY_SHOP_OWNER = """
    CREATE TABLE keyed (id serial PRIMARY KEY, n int);
    INSERT INTO keyed (id) VALUES (7);
    CREATE TABLE in_step (id serial PRIMARY KEY);
    INSERT INTO in_step DEFAULT VALUES;
    ALTER TABLE keyed ADD CONSTRAINT positive CHECK (n > 0) NOT VALID;
    CREATE INDEX broken ON keyed (n);
    CREATE TABLE ordered (n int);
    INSERT INTO ordered SELECT generate_series(1, 50);
    CREATE INDEX in_disorder ON ordered (n);
    CREATE TABLE nokey (id int);
    INSERT INTO nokey VALUES (1);
    CREATE PUBLICATION cdc FOR TABLE nokey;
    CREATE TABLE kept (vip bool, email text, changed_at timestamptz);
    CREATE RULE no_vip AS ON UPDATE TO kept WHERE OLD.vip DO INSTEAD NOTHING;
    CREATE RULE told AS ON DELETE TO kept DO ALSO NOTHING;
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF OLD.vip THEN RETURN NULL; END IF; RETURN NEW; END';
    CREATE TRIGGER skips BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION keep();
    CREATE TRIGGER skips_not BEFORE DELETE ON kept FOR EACH ROW EXECUTE FUNCTION keep();
    ALTER TABLE kept DISABLE TRIGGER skips_not;
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
        NEW.changed_at := now();
        RETURN NEW;
    END;';
    CREATE TRIGGER stamps BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION stamp();
    CREATE TRIGGER changes BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
    CREATE TRIGGER after AFTER UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION keep();
    CREATE TRIGGER once BEFORE UPDATE ON kept FOR EACH STATEMENT EXECUTE FUNCTION keep();
    CREATE VIEW kept_ones AS SELECT * FROM kept;
    CREATE RULE into_kept AS ON UPDATE TO kept_ones DO INSTEAD NOTHING
"""
STAMPS = {
    "quoted": 'BEGIN NEW."changed_at" = NOW(); RETURN NEW; END;',
    "in_utc": "BEGIN NEW.changed_at = now() AT TIME ZONE 'utc'; NEW.seen = CURRENT_TIMESTAMP(3); RETURN NEW; END;",
    "of_supabase": "BEGIN NEW.changed_at = timezone('utc'::text, now()); RETURN NEW; END;",
    "of_hasura": 'DECLARE _new record; BEGIN _new := NEW; _new."changed_at" = NOW(); RETURN _new; END;',
    "commented": "BEGIN -- the time\n NEW.changed_at = now(); -- of it\n RETURN NEW; END;",
    "if_changed": "BEGIN IF NEW IS DISTINCT FROM OLD THEN NEW.changed_at = now(); END IF; RETURN NEW; END;",
    "if_rows": "BEGIN IF (row(NEW.*) IS DISTINCT FROM row(OLD.*)) THEN NEW.seen = now(); END IF; RETURN NEW; END;",
    "of_updates": "BEGIN IF TG_OP = 'UPDATE' THEN NEW.changed_at = clock_timestamp(); END IF; RETURN NEW; END;",
}
NO_STAMPS = {
    "back": "BEGIN NEW.email := OLD.email; NEW.changed_at = now(); RETURN NEW; END;",
    "nothing": "BEGIN NEW.changed_at = now(); RETURN NULL; END;",
    "unseen": "BEGIN NEW.changed_at = now(); RAISE DEBUG '-- x'; RETURN NULL; RETURN NEW; END;",
    "old_one": 'DECLARE _new record; BEGIN _new := OLD; _new."changed_at" = NOW(); RETURN _new; END;',
    "seen_once": "BEGIN IF NEW IS DISTINCT FROM OLD THEN NEW.seen = now(); RETURN NEW; END IF; RETURN NULL; END;",
}
OF_STAMPS = "".join(
    f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $of${body}$of$;"
    f"CREATE TRIGGER {name} BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION {name}();"
    for name, body in {**STAMPS, **NO_STAMPS}.items()
)
STAMPED = f"""
    CREATE TABLE stamped (email text, changed_at timestamptz, seen timestamptz); {OF_STAMPS}
    CREATE TRIGGER deletes BEFORE DELETE ON stamped FOR EACH ROW EXECUTE FUNCTION of_updates();
    CREATE TABLE parted (n int) PARTITION BY LIST (n);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
    CREATE TRIGGER everywhere BEFORE UPDATE ON parted FOR EACH ROW EXECUTE FUNCTION nothing();
    CREATE TRIGGER in_parts BEFORE UPDATE ON parted FOR EACH ROW EXECUTE FUNCTION nothing();
    ALTER TABLE ONLY parted DISABLE TRIGGER in_parts
"""
BY_ADMIN = """
    SET allow_system_table_mods = on;
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
    CREATE FUNCTION pg_catalog.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER told ON ddl_command_end EXECUTE FUNCTION on_ddl();
    CREATE PUBLICATION everything FOR ALL TABLES;
    CREATE EXTENSION amcheck;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO dba;
    UPDATE pg_index SET indoption = '1' WHERE indexrelid = 'in_disorder'::regclass;
    ALTER DATABASE shop SET work_mem = '8MB';
    ALTER ROLE api SET role = 'shop_owner';
    ALTER DATABASE crm CONNECTION LIMIT 9
"""

IN_THE_TEMPLATE = """
    CREATE TABLE theirs.people (id serial PRIMARY KEY, name text);
    CREATE FUNCTION theirs.f(n int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    SELECT lo_create(4711)
"""
DATABASES_HAVE_COLLATION_VERSIONS = 15


@dataclass
class Shop:
    """A restored server, and what was found of its health, a line for each finding."""

    server: Restored
    outcome: SetupOutcome
    major: int

    @property
    def health(self) -> list[str]:
        """Return the findings as people read them."""
        return [str(finding) for finding in self.outcome.health]


@pytest.fixture(scope="module")
def shop(farm: PostgresFarm, snapshot: tuple[Volume, int]) -> Iterator[Shop]:
    volume, major = snapshot
    for server in restore(farm, volume, f"health-{major}", major):
        server.run("shop_owner", "shop", BY_SHOP_OWNER)
        server.run(ADMIN, "shop", BY_ADMIN)
        if major >= DATABASES_HAVE_COLLATION_VERSIONS:
            of_crm = "UPDATE pg_database SET datcollversion = '2.28' WHERE datname = 'crm'"
            server.run(ADMIN, "shop", f"SET allow_system_table_mods = on; {of_crm}")
        server.run(ADMIN, "postgres", "CREATE DATABASE shut ALLOW_CONNECTIONS false")
        server.run(ADMIN, "postgres", "CREATE DATABASE limited CONNECTION LIMIT 0")
        server.run(ADMIN, "postgres", "SELECT pg_create_physical_replication_slot('standby')")
        server.run(ADMIN, "crm", "CREATE TABLE kept (n int); CREATE RULE r AS ON DELETE TO kept DO INSTEAD NOTHING")
        server.run(
            ADMIN, "template1", "CREATE SCHEMA theirs AUTHORIZATION shop_owner; CREATE TABLE theirs.of_aws (n int)"
        )
        server.run("shop_owner", "template1", IN_THE_TEMPLATE)
        nothing = ScriptWork(databases=["crm", "shop"], changed=["shop"], run=lambda _: None)
        yield Shop(server, set_up_users(server.master, USERS, before_opening=nothing), major)


@pytest.mark.parametrize(
    "line",
    [
        "closed: shop: publications, dropped: cdc",
        "for a person: shop: publications that the master may not drop: everything",
        "for a person: databases that refuse connections: nothing in them was looked at or arranged: limited, shut",
        "harmless: databases with a limit of connections: crm (9)",
        "for a person: sessions that begin in another role than the one that logs in: api (shop_owner)",
        "harmless: settings of roles and databases, by name: reader: default_transaction_read_only, shop: work_mem",
        "for a person: replication slots, which keep WAL for nobody: standby",
        "for a person: shop: event triggers that fire: told (ddl_command_end)",
        "for a person: shop: invalid indexes: REINDEX or drop them: public.broken",
        "harmless: shop: constraints that were never validated: public.keyed.positive",
        "for a person: template1: objects in the template of later databases: neither arranged, masked nor proven: "
        "large object 4711, theirs.f(integer), theirs.people",
        "for a person: shop: sequences that are behind the numbers of their tables: setval: public.keyed_id_seq",
        "for a person: shop: rules in place of a script's UPDATE or DELETE: check the rows: public.kept.no_vip",
        "for a person: shop: triggers that may leave rows out of a script's UPDATE or DELETE: check the rows: "
        "public.kept.skips",
    ],
)
def test_what_a_copy_brings_along_is_told(shop: Shop, line: str) -> None:
    assert line in shop.health, "\n".join(shop.health)


def test_a_database_whose_collation_has_another_version_is_told(shop: Shop) -> None:
    line = "databases whose collation has another version now: REINDEX, then REFRESH COLLATION VERSION: crm (2.28)"
    assert (f"for a person: {line}" in shop.health) is (shop.major >= DATABASES_HAVE_COLLATION_VERSIONS)


def test_amcheck_names_damaged_indexes_and_what_it_had_no_time_for(shop: Shop) -> None:
    found = [str(finding) for finding in run_amcheck(shop.server.master, ["shop", "crm"], 60)]
    assert found[0] == "for a person: shop: damaged indexes, by amcheck: REINDEX: public.in_disorder"
    assert re.fullmatch(r"harmless: shop: indexes in order, by amcheck: (\d+) of \d+", found[1])
    assert found[2:] == ["for a person: crm: no amcheck, which the master may not make: crm"]
    (no_time, none) = [str(finding) for finding in run_amcheck(shop.server.master, ["shop"], -1)]
    assert no_time.startswith("for a person: shop: indexes that amcheck had no time for: ")
    assert none.startswith("harmless: shop: indexes in order, by amcheck: 0 of ")


def test_what_would_leave_rows_out_is_told_where_scripts_have_run(shop: Shop) -> None:
    told = [line for line in shop.health if "script's UPDATE" in line]
    assert [line for line in told if "crm" in line] == [], "checks alone have"
    assert len(told) == 2


def test_what_is_in_order_is_not_told(shop: Shop) -> None:
    assert [line for line in shop.health if "in_step" in line or "not looked at" in line] == []


def test_triggers_that_only_set_the_time_are_no_triggers_that_leave_rows_out(restored: Restored) -> None:
    restored.run("shop_owner", "shop", STAMPED)
    with restored.master.in_database("shop") as connection:
        told = names(connection, "look", LEFT_OUT_OF_SCRIPTS[1].query, {})
    whole = ["public.parted.everywhere", "public.parted_1.in_parts"]
    assert told == [*whole, *(f"public.stamped.{name}" for name in sorted([*NO_STAMPS, "deletes"]))]


def test_a_delete_that_gets_the_new_row_of_a_stamp_leaves_the_old_one(restored: Restored) -> None:
    restored.run("shop_owner", "shop", f"{STAMPED}; INSERT INTO stamped VALUES ('a@b')")
    restored.run("shop_owner", "shop", "DELETE FROM stamped")
    assert restored.run("shop_owner", "shop", "SELECT email FROM stamped") == [("a@b",)]
