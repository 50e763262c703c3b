"""Stands in for the set-up of the database users, which needs a server (tests/unit/database has one)."""

import dataclasses
from collections.abc import Callable

from pydantic import SecretStr

from utils.database.access.script_login import ScriptWork
from utils.database.roles.profiles import DatabaseUser
from utils.database.server.connection import Login, Master
from utils.database.setup import SetupOutcome
from utils.errors import DatabaseLoginRefused, DatabaseUnavailable
from utils.operation.model import HealthRecord, Verdict

OUTCOME = SetupOutcome(
    databases=["shop"],
    proofs={"app": ["shop: logs in, can read"]},
    shut_out=["prod_app"],
    kept=["auditor"],
    unknown_logins=["nobody"],
    left_to_aws=["rdsadmin"],
    disarmed=["shop: event trigger tell"],
    outbound=["shop: subscription to_the_warehouse"],
    health=[HealthRecord(verdict=Verdict.CLOSED, what="prepared transactions", names=["xa-1"], count=1)],
)


class FakeDatabase:
    """Stands in for `set_up_users`: it lets the master in, or refuses."""

    def __init__(self) -> None:
        self.asked: list[tuple[Master, list[DatabaseUser]]] = []
        self.wishes: list[tuple[list[str], bool]] = []
        self.secrets: dict[str, str] = {}
        self.work: ScriptWork | None = None
        self.refuses = False
        self.breaks = False
        self.outcome = OUTCOME

    def set_up_users(
        self,
        master: Master,
        users: list[DatabaseUser],
        *,
        keep_logins: list[str],
        close_outbound: bool,
        before_shutting_out: Callable[[list[str]], None],
        before_disarming: Callable[[list[str]], None],
        before_closing_outbound: Callable[[list[str]], None],
        after_shutting_out: Callable[[], None],
        put_right: Callable[[list[HealthRecord]], None],
        before_opening: ScriptWork | None,
        login_secret: Callable[[DatabaseUser], SecretStr],
    ) -> SetupOutcome:
        self.asked.append((master, users))
        self.wishes.append((keep_logins, close_outbound))
        self.secrets = {user.name: login_secret(user).get_secret_value() for user in users}
        if self.refuses:
            raise DatabaseLoginRefused("no login", expected="a login", action="look")
        before_shutting_out(self.outcome.shut_out)
        after_shutting_out()
        put_right(self.outcome.health)
        before_disarming(self.outcome.disarmed)
        before_closing_outbound(self.outcome.outbound)
        if self.breaks:
            raise DatabaseUnavailable("a broken connection", expected="none", action="wait")
        if before_opening is not None:
            self.work = before_opening
            login = Login(server=master.server, name="script", password=SecretStr("of the run"))
            before_opening.run(login)
        return dataclasses.replace(self.outcome, outbound_closed=close_outbound)
