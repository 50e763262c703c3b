"""The whole of the database users: shut out, arrange, open, prove. Whatever fails, nobody but the master gets in."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from utils.database.access import event_triggers, inventory, logins, outbound
from utils.database.access.script_login import ScriptWork, remove_script_login, script_login
from utils.database.health.look import look
from utils.database.health.prepared import end_prepared_transactions
from utils.database.health.replication import end_replication
from utils.database.health.template import close_template
from utils.database.health.way_in import find_way_in
from utils.database.opening import open_and_prove
from utils.database.rights import arrangement
from utils.database.roles import memberships, our_users, powers
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.roles.profiles import DatabaseUser
from utils.database.server.connection import FIRST_DATABASE, TEMPLATE, Master
from utils.database.server.setup_lock import SetupLock, setup_lock
from utils.database.server.statements import connectable_databases, databases_of, oids_of_databases
from utils.errors import DatabaseChangeRefused
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
    do not; left_to_aws: AWS's logins; disarmed: what would have run with the master's rights; outbound: each inherited
    way out, closed or not.
    """

    databases: list[str]
    proofs: dict[str, list[str]]
    shut_out: list[str]
    kept: list[str] = field(default_factory=list)
    unknown_logins: list[str] = field(default_factory=list)
    left_to_aws: list[str] = field(default_factory=list)
    disarmed: list[str] = field(default_factory=list)
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
    before_disarming: Callable[[list[str]], None] = lambda _lines: None,
    before_closing_outbound: Callable[[list[str]], None] = lambda _lines: None,
    after_shutting_out: Callable[[], None] = lambda: None,
    put_right: Callable[[list[HealthRecord]], None] = lambda _found: None,
    before_opening: ScriptWork | None = None,
    login_secret: Callable[[DatabaseUser], SecretStr] = password_of,
) -> SetupOutcome:
    """Leave the cluster with the master, `users` and `keep_logins` as its only logins; the users' rights are proven.

    Every other login is shut out first, also users of our names that came with the snapshot, event triggers are
    switched off and every way out is closed; only then comes `before_opening`, by a login of its own; then the rights,
    and at the very end the users are opened and proven. A proof that fails closes them again, and so does anything new
    that gives rights. `before_shutting_out`, `before_disarming` and `before_closing_outbound` are told what is about to
    go, `put_right` what has been put right so far: afterwards nobody could tell any more. A second set-up at the
    same time is a `DatabaseUnavailable` at once.
    """
    our_users.check_names(users, master.name)
    master, health = find_way_in(event_triggers.without_event_triggers(master))

    def tell(found: list[HealthRecord]) -> None:
        health.extend(found)
        put_right(health)

    with (
        master.keeping_sessions() as master,
        setup_lock(master, lambda: end_prepared_transactions(master, tell, refuse=False)) as lock,
    ):
        put_right(health)
        # One of them may hold a lock on a role, and nobody could be shut out.
        end_prepared_transactions(master, tell, refuse=False)
        found = _shut_out(master, users, keep_logins, before_opening, lock, before_shutting_out)
        after_shutting_out()
        databases = _join(master, users, found.kept)
        end_prepared_transactions(master, tell)
        with master.in_database(FIRST_DATABASE) as connection:
            names = [user.name for user in users]
            disarmed, stronger = powers.take_powers(connection, names, found.kept, before_disarming)
            at_first = inventory.of_cluster(connection, [master.name, OWNER_ROLE, *names])
        tell(stronger)
        disarmed += _switch_off_event_triggers(master, databases, before_disarming)
        if before_opening is not None:
            remove_script_login(master, before_opening.login, lock.pid)
        if close_outbound:
            end_replication(master, databases, tell)
        ways = _close_ways_out(master, databases, before_closing_outbound, close=close_outbound)
        if before_opening is not None:
            with master.in_database(FIRST_DATABASE) as connection:
                oids = oids_of_databases(connection, databases)
            disarmed += _work_before_opening(master, users, found.kept, before_opening, lock, before_disarming)
            lock.check()
            with master.in_database(FIRST_DATABASE) as connection:
                databases = databases_of(connection, oids)
            # What scripts touched may have made new ones.
            if close_outbound:
                later = _close_ways_out(master, databases, before_closing_outbound, close=True)
                ways += [way for way in later if way not in ways]
        strong_owners, weakened = arrangement.arrange(master, users, databases, found.kept, before_disarming)
        lock.check()
        health += [*close_template(master), *look(master, databases, before_opening)]
        lock.check()
        proofs = open_and_prove(master, users, databases, strong_owners, keep_logins, at_first, lock, login_secret)
    return SetupOutcome(
        databases=databases,
        proofs=proofs,
        shut_out=found.strangers,
        kept=found.kept,
        unknown_logins=found.unknown,
        left_to_aws=found.left_to_aws,
        disarmed=[*disarmed, *weakened],
        outbound=ways,
        outbound_closed=close_outbound,
        health=health,
    )


def _shut_out(
    master: Master,
    users: Sequence[DatabaseUser],
    keep_logins: Collection[str],
    work: ScriptWork | None,
    lock: SetupLock,
    before_shutting_out: Callable[[list[str]], None],
) -> logins.Logins:
    def look() -> logins.Logins:
        with master.in_database(FIRST_DATABASE) as connection:
            found = logins.find_logins(connection, users, keep_logins, of_scripts=[work.login] if work else [])
            logins.take_passwords_of_aws_names(connection, found.left_to_aws)
        if found.strangers:
            before_shutting_out(found.strangers)
        return found

    looks = logins.shut_out_found(master, look, lock.pid)
    strangers = {name for found in looks for name in found.strangers}
    return replace(looks[0], strangers=sorted(strangers))


def _join(master: Master, users: Sequence[DatabaseUser], kept: Sequence[str]) -> list[str]:
    """Let the master act for every owner, and so into every database; return these."""
    with master.in_database(FIRST_DATABASE) as connection:
        memberships.put_out_of_master(connection, kept)
        ours = [user.name for user in users]
        memberships.end_tokens_of_owners(connection, [*kept, *ours])
        memberships.join_needed(connection, ours)
        memberships.open_databases(connection)
        databases = connectable_databases(connection)
        master.keep_in(connection, databases)
        event_triggers.refuse_login_triggers(connection, [*databases, TEMPLATE])
        return databases


def _work_before_opening(
    master: Master,
    users: Sequence[DatabaseUser],
    keep: Collection[str],
    work: ScriptWork,
    lock: SetupLock,
    before_disarming: Callable[[list[str]], None],
) -> list[str]:
    """Let scripts and checks be run, and return what would have run with the rights of strong owners.

    Whatever comes up that gives rights is refused, and shut out.
    """
    weakened = arrangement.prepare_for_scripts(master, users, work.databases, keep, before_disarming)
    with script_login(master, work, lock.pid) as login:
        try:
            with inventory.nothing_new(
                lambda: inventory.take_inventory(master, [*work.databases]),
                since="the scripts and checks",
                powers_only=work.as_master,
            ):
                master.let_go()
                work.run(login)
        except DatabaseChangeRefused:
            logins.close_logins(master, users, keep, lock.pid)
            raise
    return weakened


def _switch_off_event_triggers(
    master: Master, databases: Sequence[str], before_disarming: Callable[[list[str]], None]
) -> list[str]:
    """Let no change that follows run production's code; return the event triggers that were on."""
    lines = []
    # Later databases inherit the template's, and something is changed in it, too.
    for database in [*databases, *([TEMPLATE] if master.can_enter(TEMPLATE) else [])]:
        with master.in_database(database) as connection:
            found = event_triggers.find_event_triggers(connection)
            lines += [str(trigger) for trigger in found]
            if found:
                before_disarming(lines)
                event_triggers.switch_off(connection, found)
    return lines


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
