"""The whole of the database users: set up, shut out, prove."""

from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True, kw_only=True)
class SetupOutcome:
    """What was done; names only."""

    databases: list[str]
    proofs: dict[str, list[str]]
    shut_out: list[str]


def set_up_users(
    server: DatabaseServer,
    master: Master,
    users: list[DatabaseUser],
    *,
    before_shutting_out: Callable[[list[str]], None] = lambda _names: None,
    before_opening: Callable[[], None] = lambda: None,
) -> SetupOutcome:
    """Leave the cluster with the master and `users` as its only logins, each with its profile's rights, proven.

    Production's logins are shut out first, so that nobody of theirs gets in while the rest is done; users of our names
    that came with the snapshot as well, until they are set up. `before_shutting_out` is told the strangers among them
    before they are: afterwards nobody could tell any more who they were.
    """
    roles.check_names(users, master.name)
    with connected(server, _FIRST_DATABASE, master.name, master.password) as connection:
        logins = roles.logins_besides(connection, master.name)
        strangers = [name for name in logins if name not in {user.name for user in users}]
        before_shutting_out(strangers)
        roles.shut_out(connection, logins)
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
    proofs = {user.name: proof.prove(server, databases, user) for user in users}
    return SetupOutcome(databases=databases, proofs=proofs, shut_out=strangers)
