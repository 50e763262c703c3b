"""What each of the three users may do."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from utils.secrets_gateway import AppCredentials


class Profile(StrEnum):
    """The three kinds of user."""

    APPLICATION = "application"
    READONLY = "readonly"
    DEVOPS = "devops"


@dataclass(frozen=True, kw_only=True)
class DatabaseUser:
    """A user to be set up."""

    profile: Profile
    name: str
    password: SecretStr


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
    pairs = (
        (Profile.APPLICATION, credentials.application_user),
        (Profile.READONLY, credentials.readonly_user),
        (Profile.DEVOPS, credentials.devops_user),
    )
    return [DatabaseUser(profile=profile, name=login.username, password=login.password) for profile, login in pairs]
