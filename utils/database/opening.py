"""The users are let in and proven at once; whatever fails, they are shut out again."""

from collections.abc import Callable, Collection, Sequence

from pydantic import SecretStr

from utils.database.access import inventory, logins
from utils.database.proof import by_statement
from utils.database.proof.trial import TimeForTrials
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.roles.profiles import DatabaseUser
from utils.database.server.connection import Master
from utils.database.server.setup_lock import SetupLock


def open_and_prove(
    master: Master,
    users: Sequence[DatabaseUser],
    databases: Sequence[str],
    strong_owners: Sequence[int],
    keep: Collection[str],
    at_first: inventory.Inventory,
    lock: SetupLock,
    login_secret: Callable[[DatabaseUser], SecretStr],
) -> dict[str, list[str]]:
    """Let them in and return each one's proofs; at_first: what gave rights before the set-up changed anything.

    Raises `UsersNotProven`, or `DatabaseChangeRefused` for what came up meanwhile.
    """
    proven = False
    try:
        logins.open_logins(master, users)
        with inventory.nothing_new(lambda: inventory.take_inventory(master, databases), since="the proof"):
            time_for_trials = TimeForTrials()
            untried = by_statement.prove_later(master, databases, users, time_for_trials)
            proofs = {
                user.name: by_statement.prove(
                    master.server, databases, user, login_secret(user), strong_owners, untried, time_for_trials
                )
                for user in users
            }
        logins.refuse_strangers(master, users, keep)
        ours = [master.name, OWNER_ROLE, *(user.name for user in users)]
        at_last = inventory.take_inventory(master, [], but=ours)
        inventory.refuse_what_is_new(at_first, at_last, since="the set-up", powers_only=True)
        proven = True
    finally:
        if not proven:
            logins.close_logins(master, users, keep, lock.pid)
    return proofs
