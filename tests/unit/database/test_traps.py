"""A snapshot full of traps ends as any other: everything proven, nobody else in, and nothing left to do."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from tests.unit.database.judge import MEMBERS, catalog, who_can_log_in, wrong_rights
from tests.unit.database.production import MASTER, PASSWORDS, USERS, Restored
from tests.unit.database.traps import DATABASES, ODD_DATABASE, OWNERS, PLANTED, make_traps, restore_traps
from tests.unit.database.versions import ALL, skip_unless_installed
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.setup import SetupOutcome


@dataclass
class Trapped:
    """A restored server, the outcome of the set-up, and the catalog after it."""

    restored: Restored
    outcome: SetupOutcome
    catalog: dict[tuple[str, str], list[str]]


@pytest.fixture(scope="module", params=ALL)
def trapped(farm: PostgresFarm, request: pytest.FixtureRequest) -> Iterator[Trapped]:
    skip_unless_installed(request.param)
    for restored in restore_traps(farm, make_traps(farm, request.param), request.param, f"trapped-{request.param}"):
        outcome = restored.set_up()
        yield Trapped(restored, outcome, catalog(restored, DATABASES))


def test_every_proof_holds_in_every_database(trapped: Trapped) -> None:
    assert trapped.outcome.databases == sorted(DATABASES)
    assert {name: len(proofs) for name, proofs in trapped.outcome.proofs.items()} == {
        "app": 4,
        "reader": 4,
        "devops": 4,
    }
    assert "schemas of AWS left alone: aws_internal" in trapped.outcome.proofs["app"][1]


def test_the_users_have_their_profiles_rights_and_no_other(trapped: Trapped) -> None:
    assert wrong_rights(trapped.restored, DATABASES, USERS) == []


def test_what_the_master_keeps_is_what_must_not_be_rewritten(trapped: Trapped) -> None:
    restored = trapped.restored
    owned = (
        "SELECT object.identity FROM pg_shdepend, pg_identify_object(classid, objid, 0) AS object "
        "WHERE refobjid = 'dba'::regrole AND deptype = 'o' AND classid <> 'pg_default_acl'::regclass AND "
        "dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1"
    )
    kept = {name for (name,) in restored.run(ADMIN, "shop", owned)}
    assert kept == {"4713", "of_an_owner", "legacy", "public", "public.watch()"}
    # of_under_superuser has lost what it had through rds_superuser.
    strong = "cannot alter what owner_0, role_maker owns, which has more rights than devops may get"
    assert trapped.outcome.proofs["devops"][1].endswith(strong)


def test_the_owner_role_is_weak_and_has_no_members_but_devops(trapped: Trapped) -> None:
    restored = trapped.restored
    attributes = "rolcanlogin OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolsuper OR rolconfig IS NOT NULL"
    query = f"SELECT {attributes} FROM pg_roles WHERE rolname = '{OWNER_ROLE}'"
    assert restored.run(ADMIN, "postgres", query) == [(False,)]
    memberships = restored.run(ADMIN, "postgres", MEMBERS)
    assert {member for member, role in memberships if role == OWNER_ROLE} == {MASTER, "devops"}
    assert {role for member, role in memberships if member == OWNER_ROLE} == set()
    assert {member for member, role in memberships if role == "devops"} == {MASTER}


def test_nobody_else_can_log_in(trapped: Trapped) -> None:
    assert who_can_log_in(trapped.restored) == {"app", "reader", "devops", "rdstopmgr"}
    assert trapped.outcome.shut_out == sorted([*OWNERS, OWNER_ROLE, "rds_backdoor"])
    assert trapped.outcome.left_to_aws == [ADMIN, "rdstopmgr"]
    assert not trapped.restored.can_log_in("app", "shop", PLANTED)


def test_every_way_out_is_closed_and_named(trapped: Trapped) -> None:
    ways = {line.split(": ", 1)[1] for line in trapped.outcome.outbound if line.startswith("shop: ")}
    assert ways == {
        "subscription from_production",
        "user mapping of app for foreign server legacy",
        "user mapping of everybody for foreign server legacy",
        "extension dblink",
    }
    assert {line.split(", runs")[0] for line in trapped.outcome.disarmed if line.startswith("shop: event")} == {
        "shop: event trigger tell on sql_drop",
        "shop: event trigger watch on ddl_command_end",
    }
    assert PLANTED not in str(trapped.outcome)
    for query in ("SELECT subname FROM pg_subscription", "SELECT srvname FROM pg_user_mappings"):
        assert trapped.restored.run(ADMIN, "shop", query) == []
    assert trapped.restored.run(
        ADMIN, ODD_DATABASE, "SELECT evtname FROM pg_event_trigger WHERE evtenabled <> 'D'"
    ) == [("watch",)]


def test_policies_for_the_users_still_hold(trapped: Trapped) -> None:
    restored = trapped.restored
    restored.run("app", "shop", "INSERT INTO app.carts (owner) VALUES (current_user), ('somebody')")
    assert restored.run("app", "shop", "SELECT owner FROM app.carts") == [("app",)]
    restored.run(ADMIN, "shop", "TRUNCATE app.carts")


def test_a_second_run_changes_nothing(trapped: Trapped) -> None:
    second = trapped.restored.set_up()
    assert second.proofs == trapped.outcome.proofs
    assert (second.shut_out, second.outbound) == ([], [])
    after = catalog(trapped.restored, DATABASES)
    assert {key for key in after if after[key] != trapped.catalog[key]} == set()


def test_the_servers_log_has_no_password(trapped: Trapped) -> None:
    log = trapped.restored.log.read_text()
    assert "GRANT SELECT ON TABLE" in log, "the server logs every statement"
    assert not [name for name in ("app", "reader", "devops", MASTER) if PASSWORDS[name] in log]
