"""Owners that logged in with tokens of IAM: once they are shut out, others act for them as for any owner."""

import pytest

from tests.unit.database.judge import who_can_log_in
from tests.unit.database.production import MASTER, USERS, Restored
from utils.database.access.script_login import ScriptWork
from utils.database.server.connection import Login
from utils.database.setup import set_up_users

IN_RDS_IAM = """
    SELECT rolname FROM pg_roles
    WHERE pg_has_role(oid, 'rds_iam', 'MEMBER') AND NOT rolsuper AND rolname <> 'rds_iam' ORDER BY 1
"""


@pytest.mark.parametrize("through", ["shop_owner", "with_tokens"])
def test_scripts_and_devops_act_for_an_owner_that_logged_in_with_tokens(planted: Restored, through: str) -> None:
    if through == "with_tokens":
        planted.run(MASTER, "postgres", "CREATE ROLE with_tokens; GRANT with_tokens TO shop_owner")
    planted.run(MASTER, "postgres", f"GRANT rds_iam TO {through}")

    def mask(login: Login) -> None:
        for begin in ("", "SET LOCAL ROLE shop_owner"):
            with login.in_database("shop") as connection, connection.cursor() as cursor:
                cursor.execute(f"{begin}; ALTER TABLE public.customers SET (fillfactor = 90)")

    work = ScriptWork(databases=["shop"], roles=["shop_owner"], run=mask)
    set_up_users(planted.master, USERS, before_opening=work)
    assert planted.is_allowed("devops", "shop", "ALTER TABLE public.customers ADD COLUMN n int")
    assert planted.run(MASTER, "postgres", IN_RDS_IAM) == [(MASTER,)]
    assert who_can_log_in(planted) == {"app", "reader", "devops"}


def test_a_kept_login_that_logs_in_with_tokens_as_a_member_of_an_owner_still_does(planted: Restored) -> None:
    planted.run(MASTER, "postgres", "GRANT rds_iam TO shop_owner; GRANT shop_owner TO api")
    set_up_users(planted.master, USERS, keep_logins=["api"])
    assert ("api",) in planted.run(MASTER, "postgres", IN_RDS_IAM)
