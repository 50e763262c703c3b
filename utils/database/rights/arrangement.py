"""Roles, owners and rights of all databases, put right in the order in which they depend on each other."""

from collections.abc import Callable, Collection, Sequence

from utils.database.rights.definers import weaken_definers, weaken_functions_of_ranges
from utils.database.rights.future import arrange_default_rights, creators
from utils.database.rights.ownership import open_schemas, take_over_objects
from utils.database.rights.present import arrange_rights
from utils.database.rights.running import take_running_through_others
from utils.database.roles import memberships, our_users, production_owners
from utils.database.roles.owner_role import OWNER_ROLE, OwnerRole
from utils.database.roles.profiles import DatabaseUser, Grantee, Profile
from utils.database.server.connection import FIRST_DATABASE, Master
from utils.database.server.statements import oids_of


def set_up_owner(master: Master, users: Sequence[DatabaseUser]) -> None:
    """Create or put right the owner role, with the master as a member."""
    with master.in_database(FIRST_DATABASE) as connection:
        our_users.set_up_owner(connection, users)
        memberships.join(connection, [OWNER_ROLE])


def prepare_for_scripts(
    master: Master,
    users: Sequence[DatabaseUser],
    databases: Collection[str],
    kept: Collection[str],
    before_disarming: Callable[[list[str]], None],
) -> list[str]:
    """Leave nothing in these databases that runs with the rights of the master, or of strong owners; return what did.

    What scripts touch may call any of it.
    """
    set_up_owner(master, users)
    with master.in_database(FIRST_DATABASE) as connection:
        strong = oids_of(connection, production_owners.find_owners(connection, users, kept).strong_for_ever)
    weakened: list[str] = []
    for database in databases:
        with master.in_database(database) as connection:
            open_schemas(connection)
            weakened += weaken_functions_of_ranges(connection, before_disarming)
            weakened += weaken_definers(connection, [], strong, before_disarming)
            take_over_objects(connection, [])
    return weakened


def arrange(
    master: Master,
    users: Sequence[DatabaseUser],
    databases: Sequence[str],
    kept: Sequence[str],
    before_disarming: Callable[[list[str]], None],
) -> tuple[list[int], list[str]]:
    """Put roles, owners and rights right; return owners that no devops user acts for, and what does not any more."""
    names = [user.name for user in users]
    devops = [user for user in users if user.profile is Profile.DEVOPS]
    set_up_owner(master, users)
    with master.in_database(FIRST_DATABASE) as connection:
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
        # Not owners alone: what an owner has now may be the owner role's when the set-up is repeated.
        strong_makers = production_owners.strong_roles(connection, users)
        connecting = oids_of(connection, [master.name, *kept])
    weakened: list[str] = []
    for database in databases:
        with master.in_database(database) as connection:
            open_schemas(connection)
            weakened += weaken_functions_of_ranges(connection, before_disarming)
            weakened += weaken_definers(connection, names, strong, before_disarming)
            take_over_objects(connection, names)
            grantees: list[Grantee] = [*users, OwnerRole()]
            arrange_rights(connection, grantees, connecting=connecting, strong=strong)
            makers = creators(connection, users)
            memberships.join(connection, [maker for maker in makers if maker != master.name])
            arrange_default_rights(connection, grantees, makers, strong_makers)
            take_running_through_others(connection, grantees, strong, strong_makers)
    return strong, weakened


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
