"""What production left that is nobody's own: members of the master, rights of everybody on what comes later."""

from uuid import uuid4

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from tests.unit.database.production import MASTER, USERS, Restored, make_production, restore
from tests.unit.database.versions import skip_unless_installed
from utils.database.setup import set_up_users
from utils.errors import DatabaseChangeRefused

MEMBERS_OF_MASTER = f"""
    SELECT member::regrole::text FROM pg_auth_members WHERE roleid = '{MASTER}'::regrole
"""
OF_PUBLIC = """
    SELECT defaclobjtype::text, entry.privilege_type FROM pg_default_acl, aclexplode(defaclacl) AS entry
    WHERE entry.grantee = 0
"""


@pytest.mark.parametrize("major", [15])
def test_a_role_that_production_made_a_member_of_the_master_is_put_out(farm: PostgresFarm, major: int) -> None:
    """From PostgreSQL 16 on nobody but a superuser can make one: a role has no ADMIN on itself any more."""
    skip_unless_installed(major)
    production = make_production(farm, major, f"members-{uuid4().hex}")
    for restored in restore(farm, production, f"members-{major}", major):
        restored.run(MASTER, "postgres", f"GRANT {MASTER} TO analyst")
        assert restored.run(ADMIN, "postgres", MEMBERS_OF_MASTER) == [("analyst",)]

        restored.set_up()

        assert restored.run(ADMIN, "postgres", MEMBERS_OF_MASTER) == []


@pytest.mark.parametrize("major", [15])
def test_a_kept_login_that_is_a_member_of_the_master_and_owns_something_is_refused_by_name(
    farm: PostgresFarm, major: int
) -> None:
    skip_unless_installed(major)
    production = make_production(farm, major, f"kept-member-{uuid4().hex}")
    for restored in restore(farm, production, f"kept-member-{major}", major):
        restored.run(MASTER, "postgres", f"GRANT {MASTER} TO analyst")
        with pytest.raises(DatabaseChangeRefused, match=r"members of the master user dba, .*: analyst") as refused:
            set_up_users(restored.master, USERS, keep_logins=["analyst"])
        assert "REVOKE dba FROM those logins" in str(refused.value)


def test_what_production_gave_everybody_on_later_tables_is_taken(restored: Restored) -> None:
    everywhere = "ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner GRANT ALL ON TABLES TO PUBLIC"
    in_one_schema = "ALTER DEFAULT PRIVILEGES FOR ROLE analyst IN SCHEMA hr GRANT ALL ON TABLES TO PUBLIC"
    restored.run(ADMIN, "shop", f"{everywhere}; {in_one_schema}")
    assert ("r", "INSERT") in restored.run(ADMIN, "shop", OF_PUBLIC)

    restored.set_up()

    left = restored.run(ADMIN, "shop", OF_PUBLIC)
    assert {privilege for kind, privilege in left if kind == "r"} <= {"SELECT"}
    restored.run(ADMIN, "shop", "CREATE ROLE anybody")
    for owner, table in (("shop_owner", "sales.later"), ("analyst", "hr.later")):
        restored.run(ADMIN, "shop", f"SET ROLE {owner}; CREATE TABLE {table} (id int)")
        can_write = f"SELECT has_table_privilege('anybody', '{table}', 'INSERT, UPDATE, DELETE, TRUNCATE')"
        assert restored.run(ADMIN, "shop", can_write) == [(False,)]


def test_a_routine_of_a_database_with_one_schema_is_the_users_as_well(restored: Restored) -> None:
    restored.run(
        MASTER,
        "crm",
        "CREATE FUNCTION lonely() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION lonely() FROM PUBLIC",
    )

    restored.set_up()

    for user in ("app", "reader", "devops"):
        assert restored.is_allowed(user, "crm", "SELECT lonely()")
