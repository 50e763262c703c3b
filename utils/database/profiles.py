"""What each of the three users may do."""

from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from utils.secrets_gateway import AppCredentials, Auth, Profile

__all__ = ["PRIVILEGES", "Auth", "DatabaseUser", "Privileges", "Profile", "users_of"]


@dataclass(frozen=True, kw_only=True)
class DatabaseUser:
    """A user to be set up; `password` is None for one that logs in with IAM, limits are None for PostgreSQL's."""

    profile: Profile
    name: str
    password: SecretStr | None
    auth: Auth = Auth.PASSWORD
    connection_limit: int | None = None
    statement_timeout: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Privileges:
    """The rights of a profile on the objects of every schema, as PostgreSQL's GRANT spells them."""

    schemas: str
    tables: str
    sequences: str
    routines: str
    types: str
    memberships: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


PRIVILEGES = {
    Profile.APPLICATION: Privileges(
        schemas="USAGE",
        tables="SELECT, INSERT, UPDATE, DELETE",
        sequences="USAGE, SELECT, UPDATE",
        routines="EXECUTE",
        types="USAGE",
    ),
    Profile.READONLY: Privileges(
        schemas="USAGE",
        tables="SELECT",
        sequences="SELECT",
        routines="EXECUTE",
        types="USAGE",
        parameters=(("default_transaction_read_only", "on"),),
    ),
    Profile.DEVOPS: Privileges(
        schemas="USAGE, CREATE",
        tables="ALL",
        sequences="ALL",
        routines="ALL",
        types="ALL",
        memberships=("pg_monitor", "pg_signal_backend"),
    ),
}


def users_of(credentials: AppCredentials) -> list[DatabaseUser]:
    """Pair each entry of the secret with its profile."""
    return [
        DatabaseUser(profile=profile, name=login.username, password=login.password, auth=login.auth)
        for _, profile, login in credentials.logins()
    ]
