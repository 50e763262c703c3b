"""The whole of the database users: set up, shut out, prove."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from pydantic import SecretStr

from utils.database import grants, proof, roles
from utils.database.connection import DatabaseServer, connected
from utils.database.profiles import DatabaseUser

_FIRST_DATABASE = "postgres"


@dataclass(frozen=True, kw_only=True)
class Master:
    """The restored cluster's master user."""

    name: str
    password: SecretStr


def password_of(user: DatabaseUser) -> SecretStr:
    """Return what a user with a password logs in with."""
    if user.password is None:
        raise ValueError(f"user {user.name} logs in with IAM: login_secret must make its token")
    return user.password


@dataclass(frozen=True, kw_only=True)
class SetupOutcome:
    """What was done; names only."""

    databases: list[str]
    proofs: dict[str, list[str]]
    shut_out: list[str]
    kept: list[str] = field(default_factory=list)
    unknown_logins: list[str] = field(default_factory=list)
    left_to_aws: list[str] = field(default_factory=list)
    outbound: list[str] = field(default_factory=list)
    outbound_closed: bool = True


def set_up_users(
    server: DatabaseServer,
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
    """Leave the cluster with the master and `users` as its only logins, each with its profile's rights, proven.

    Production's logins are shut out first, so that nobody of theirs gets in while the rest is done; users of our names
    that came with the snapshot as well, until they are set up. `before_shutting_out` is told the strangers among them
    before they are: afterwards nobody could tell any more who they were.
    """
    roles.check_names(users, master.name)
    with connected(server, _FIRST_DATABASE, master.name, master.password) as connection:
        logins = roles.logins_besides(connection, master.name)
        strangers = [name for name in logins if name not in {*keep_logins, *(user.name for user in users)}]
        before_shutting_out(strangers)
        before_closing_outbound([])
        roles.shut_out(connection, [name for name in logins if name not in keep_logins])
        databases = grants.connectable_databases(connection)
        roles.join_administrators(connection, master.name)
        grants.join_database_owners(connection, master.name)
    for database in databases:
        with connected(server, database, master.name, master.password) as connection:
            grants.join_owners(connection, master.name)
    before_opening()
    with connected(server, _FIRST_DATABASE, master.name, master.password) as connection:
        for user in users:
            roles.set_up_role(connection, user)
    for database in databases:
        with connected(server, database, master.name, master.password) as connection:
            grants.grant_in_database(connection, database, users, master.name)
    proofs = {user.name: proof.prove(server, databases, user, login_secret(user)) for user in users}
    return SetupOutcome(
        databases=databases,
        proofs=proofs,
        shut_out=strangers,
        kept=[name for name in logins if name in keep_logins],
        unknown_logins=sorted(set(keep_logins) - set(logins)),
        left_to_aws=[],
        outbound=[],
        outbound_closed=close_outbound,
    )
