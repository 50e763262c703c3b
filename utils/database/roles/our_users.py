"""The users, and the role that owns the application's objects, as roles of the cluster."""

from collections.abc import Collection, Mapping, Sequence

from psycopg2.extensions import connection as Connection  # noqa: N812

from utils.database.roles.aws_roles import is_reserved
from utils.database.roles.memberships import version
from utils.database.roles.owner_role import OWNER_ROLE, SCRIPT_LOGIN
from utils.database.roles.production_owners import find_owners
from utils.database.roles.profiles import PRIVILEGES, Auth, DatabaseUser, Profile
from utils.database.roles.wanted_role import WantedRole, set_up_role
from utils.database.server.statements import rows
from utils.errors import SecretInvalid

_IAM_ROLE = "rds_iam"


def check_names(users: Sequence[DatabaseUser], master: str) -> None:
    """Refuse a user name that is the master's, AWS's, PostgreSQL's or our own role's; raises `SecretInvalid`."""
    for user in users:
        if user.name in {master, OWNER_ROLE} or user.name.startswith(SCRIPT_LOGIN) or is_reserved(user.name):
            raise SecretInvalid(
                f"user name {user.name!r}",
                field=f"app-credentials, {user.profile.value} user, username",
                expected=f"a name that is not the master user's, not {OWNER_ROLE}, and does not start with rds or pg_",
                action="put another name into the secret, then start the run again",
            )


def set_up_owner(connection: Connection, users: Sequence[DatabaseUser]) -> None:
    """Create or put right the role that owns the application's objects; only devops users stay members of it."""
    wanted = WantedRole(
        name=OWNER_ROLE,
        title=f"role {OWNER_ROLE}",
        if_stuck="rename that role in the source, then start a new run from a new snapshot",
        is_login=False,
        members=[user.name for user in users if user.profile is Profile.DEVOPS],
    )
    set_up_role(connection, wanted)


def set_up_user(
    connection: Connection, user: DatabaseUser, users: Sequence[DatabaseUser], kept: Collection[str]
) -> None:
    """Create or put right the role of a user; a devops user becomes a member of the owners that are weak enough."""

    def memberships(connection: Connection) -> Mapping[str, bool]:
        granted = [role for role in PRIVILEGES[user.profile].memberships if _may_grant(connection, role)]
        if user.auth is Auth.IAM:
            granted.append(_IAM_ROLE)
        if user.profile is not Profile.DEVOPS:
            return dict.fromkeys(granted, True)
        # As the common owner it hands over what it made; of production's owners it gets the rights, not the name.
        owners = dict.fromkeys(find_owners(connection, users, kept).weak, False)
        return {**owners, **dict.fromkeys([*granted, OWNER_ROLE], True)}

    wanted = WantedRole(
        name=user.name,
        title=f"user {user.name}",
        if_stuck="give the user another name in app-credentials, then start the run again",
        connection_limit=-1 if user.connection_limit is None else user.connection_limit,
        memberships=memberships,
        # Whoever is a member of a devops user owns with it, and could not be an owner that it joins.
        members=() if user.profile is Profile.DEVOPS else None,
        settings=settings_of(user),
    )
    set_up_role(connection, wanted)


def settings_of(user: DatabaseUser) -> dict[str, str]:
    """Return the settings that a session of the user begins with."""
    settings = dict(PRIVILEGES[user.profile].parameters)
    if user.statement_timeout is not None:
        settings["statement_timeout"] = str(round(user.statement_timeout.total_seconds() * 1000))
    return settings


def _may_grant(connection: Connection, role: str) -> bool:
    # CREATEROLE is enough before PostgreSQL 16; after that it takes ADMIN on the role, which not every Aurora gives.
    found = rows(connection, f"right to grant {role}", "SELECT pg_has_role(%s, 'MEMBER WITH ADMIN OPTION')", (role,))
    return version(connection) < 160000 or found == [(True,)]
