"""The whole of the database users: shut out, arrange, open, prove. Whatever fails, nobody but the master gets in."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

from utils.database.access import logins, outbound
from utils.database.health.look import look
from utils.database.health.prepared import end_prepared_transactions
from utils.database.health.replication import end_replication
from utils.database.health.template import close_template
from utils.database.health.way_in import find_way_in
from utils.database.proof import by_statement
from utils.database.rights.future import arrange_default_rights, creators
from utils.database.rights.ownership import open_schemas, take_over_objects
from utils.database.rights.present import arrange_rights
from utils.database.roles import memberships, our_users, production_owners
from utils.database.roles.owner_role import OWNER_ROLE, OwnerRole
from utils.database.roles.profiles import DatabaseUser, Grantee, Profile
from utils.database.server.connection import FIRST_DATABASE, Master
from utils.database.server.setup_lock import SetupLock, setup_lock
from utils.database.server.statements import connectable_databases, oids_of
from utils.operation.model import HealthRecord


def password_of(user: DatabaseUser) -> SecretStr:
    """Return what a user with a password logs in with."""
    if user.password is None:
        raise ValueError(f"user {user.name} logs in with IAM: login_secret must make its token")
    return user.password


@dataclass(frozen=True, kw_only=True)
class SetupOutcome:
    """What was done; names only.

    shut_out: strangers' logins that this call closed; kept, unknown_logins: those of keep_logins that exist, and that
    do not; left_to_aws: AWS's logins; outbound: each inherited way out, closed or not.
    """

    databases: list[str]
    proofs: dict[str, list[str]]
    shut_out: list[str]
    kept: list[str] = field(default_factory=list)
    unknown_logins: list[str] = field(default_factory=list)
    left_to_aws: list[str] = field(default_factory=list)
    outbound: list[str] = field(default_factory=list)
    outbound_closed: bool = True
    health: list[HealthRecord] = field(default_factory=list)


def set_up_users(
    master: Master,
    users: list[DatabaseUser],
    *,
    keep_logins: Collection[str] = (),
    close_outbound: bool = True,
    before_shutting_out: Callable[[list[str]], None] = lambda _names: None,
    before_closing_outbound: Callable[[list[str]], None] = lambda _lines: None,
    before_opening: Callable[[], None] = lambda: None,
    login_secret: Callable[[DatabaseUser], SecretStr] = password_of,
) -> SetupOutcome:
    """Leave the cluster with the master, `users` and `keep_logins` as its only logins; the users' rights are proven.

    Every other login is shut out first, also users of our names that came with the snapshot, and every way out is
    closed; only then comes `before_opening`, then the rights, and at the very end the users are opened and proven. A
    proof that fails closes them again. `before_shutting_out` and `before_closing_outbound` are told what is about to
    go: afterwards nobody could tell any more. A second set-up at the same time is a `DatabaseUnavailable` at once.
    """
    our_users.check_names(users, master.name)
    master, health = find_way_in(master)
    with setup_lock(master) as lock:
        found = _shut_out(master, users, keep_logins, lock, before_shutting_out)
        databases = _join(master, users, found.kept)
        health += end_prepared_transactions(master)
        if close_outbound:
            health += end_replication(master, databases)
        ways = _close_ways_out(master, databases, before_closing_outbound, close=close_outbound)
        before_opening()
        lock.check()
        strong_owners = _arrange(master, users, databases, found.kept)
        health += [*close_template(master), *look(master, databases)]
        lock.check()
        proofs = _open_and_prove(master, users, databases, strong_owners, lock, login_secret)
    return SetupOutcome(
        databases=databases,
        proofs=proofs,
        shut_out=found.strangers,
        kept=found.kept,
        unknown_logins=found.unknown,
        left_to_aws=found.left_to_aws,
        outbound=ways,
        outbound_closed=close_outbound,
        health=health,
    )


def _shut_out(
    master: Master,
    users: Sequence[DatabaseUser],
    keep_logins: Collection[str],
    lock: SetupLock,
    before_shutting_out: Callable[[list[str]], None],
) -> logins.Logins:
    with master.in_database(FIRST_DATABASE) as connection:
        found = logins.find_logins(connection, users, keep_logins)
    before_shutting_out(found.strangers)
    logins.shut_out(master, [*found.ours, *found.strangers], lock.pid)
    return found


def _join(master: Master, users: Sequence[DatabaseUser], kept: Sequence[str]) -> list[str]:
    """Let the master act for every owner, and so into every database; return these."""
    with master.in_database(FIRST_DATABASE) as connection:
        memberships.put_out_of_master(connection, kept)
        memberships.join_needed(connection, [user.name for user in users])
        return connectable_databases(connection)


def _close_ways_out(
    master: Master,
    databases: Sequence[str],
    before_closing: Callable[[list[str]], None],
    *,
    close: bool,
) -> list[str]:
    ways = {}
    for database in databases:
        with master.in_database(database) as connection:
            ways[database] = outbound.find_ways_out(connection)
    lines = [str(way) for found in ways.values() for way in found]
    before_closing(lines)
    left: list[outbound.WayOut] = []
    for database in [database for database, found in ways.items() if found and close]:
        with master.in_database(database) as connection:
            left += outbound.close_ways_out(connection, ways[database])
    outbound.refuse_what_is_left(left)
    return lines


def _arrange(
    master: Master,
    users: Sequence[DatabaseUser],
    databases: Sequence[str],
    kept: Sequence[str],
) -> list[int]:
    """Put roles, owners and rights right, and return the oids of the owners that no devops user acts for."""
    names = [user.name for user in users]
    devops = [user for user in users if user.profile is Profile.DEVOPS]
    with master.in_database(FIRST_DATABASE) as connection:
        our_users.set_up_owner(connection, users)
        for user in [*(user for user in users if user not in devops), *devops]:
            our_users.set_up_user(connection, user, users, kept)
        memberships.join_needed(connection, [OWNER_ROLE, *names])
    if devops:
        _weaken_owners(master, users, databases, kept)
    with master.in_database(FIRST_DATABASE) as connection:
        # Only now is it known which owners are weak: what the users' roles were before counts no more.
        for user in devops:
            our_users.set_up_user(connection, user, users, kept)
        strong = oids_of(connection, [master.name, *production_owners.find_owners(connection, users, kept).strong])
    for database in databases:
        with master.in_database(database) as connection:
            open_schemas(connection)
            take_over_objects(connection, names)
            grantees: list[Grantee] = [*users, OwnerRole()]
            arrange_rights(connection, grantees, connecting=[master.name, *kept])
            makers = creators(connection, users)
            memberships.join(connection, [maker for maker in makers if maker != master.name])
            arrange_default_rights(connection, grantees, makers)
    return strong


def _weaken_owners(
    master: Master,
    users: Sequence[DatabaseUser],
    databases: Sequence[str],
    kept: Sequence[str],
) -> None:
    """Take from production's owners what devops must not get with them."""
    with master.in_database(FIRST_DATABASE) as connection:
        reached = production_owners.find_owners(connection, users, kept).reached
        production_owners.take_databases(connection, reached)
        oids = oids_of(connection, reached)
    for database in databases:
        with master.in_database(database) as connection:
            production_owners.take_far_reaching(connection, oids)


def _open_and_prove(
    master: Master,
    users: Sequence[DatabaseUser],
    databases: Sequence[str],
    strong_owners: Sequence[int],
    lock: SetupLock,
    login_secret: Callable[[DatabaseUser], SecretStr],
) -> dict[str, list[str]]:
    proven = False
    try:
        logins.open_logins(master, users)
        untried = by_statement.prove_later(master, databases, users)
        proofs = {
            user.name: by_statement.prove(master.server, databases, user, login_secret(user), strong_owners, untried)
            for user in users
        }
        proven = True
    finally:
        if not proven:
            logins.close_logins(master, users, lock.pid)
    return proofs
