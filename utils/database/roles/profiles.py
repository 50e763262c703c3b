"""What each of the three users may do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pydantic import SecretStr

from utils.credentials import AppCredentials, Auth, Profile
from utils.request.users import UserLimits

__all__ = ["EVERY", "PRIVILEGES", "Auth", "DatabaseUser", "Grantee", "Privileges", "Profile", "users_of"]


@dataclass(frozen=True, kw_only=True)
class DatabaseUser:
    """A user to be set up; `password` is None for one that logs in with IAM, limits are None for PostgreSQL's."""

    profile: Profile
    name: str
    password: SecretStr | None
    auth: Auth = Auth.PASSWORD
    connection_limit: int | None = None
    statement_timeout: timedelta | None = None

    @property
    def privileges(self) -> "Privileges":
        """Return the rights of the profile."""
        return PRIVILEGES[self.profile]


# All that an owner has; which rights those are depends on PostgreSQL's version.
EVERY = ("every",)
# EXECUTE on a routine that runs with its owner's rights, where production gave it to the user or to everybody.
AS_BEFORE = ("before",)


@dataclass(frozen=True, kw_only=True)
class Privileges:
    """The rights of a profile on objects of every schema, as PostgreSQL's GRANT spells them."""

    schemas: tuple[str, ...]
    tables: tuple[str, ...]
    sequences: tuple[str, ...]
    large_objects: tuple[str, ...]
    definer_routines: tuple[str, ...] = AS_BEFORE
    routines: tuple[str, ...] = ("EXECUTE",)
    types: tuple[str, ...] = ("USAGE",)
    databases: tuple[str, ...] = ("CONNECT", "TEMPORARY")
    memberships: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()

    def on_objects(self) -> list[tuple[str, bool, tuple[str, ...]]]:
        """Return for each kind of object, and whether it runs with its owner's rights, what is granted."""
        return [
            ("SCHEMA", False, self.schemas),
            ("TABLE", False, self.tables),
            ("SEQUENCE", False, self.sequences),
            ("ROUTINE", False, self.routines),
            ("ROUTINE", True, self.definer_routines),
            ("TYPE", False, self.types),
            ("LARGE OBJECT", False, self.large_objects),
            ("DATABASE", False, self.databases),
            ("FOREIGN SERVER", False, ()),
        ]

    def on_later_objects(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return for each kind of default privileges its letter, its word and what is granted."""
        return [
            ("n", "SCHEMAS", self.schemas),
            ("r", "TABLES", self.tables),
            ("S", "SEQUENCES", self.sequences),
            ("f", "ROUTINES", self.routines),
            ("T", "TYPES", self.types),
        ]


class Grantee(Protocol):
    """A role of ours with rights on the objects of every schema."""

    @property
    def name(self) -> str:
        """Return the role's name."""

    @property
    def privileges(self) -> Privileges:
        """Return its rights."""


PRIVILEGES = {
    Profile.APPLICATION: Privileges(
        schemas=("USAGE",),
        tables=("SELECT", "INSERT", "UPDATE", "DELETE"),
        sequences=("USAGE", "SELECT", "UPDATE"),
        large_objects=("SELECT", "UPDATE"),
    ),
    Profile.READONLY: Privileges(
        schemas=("USAGE",),
        tables=("SELECT",),
        sequences=("SELECT",),
        large_objects=("SELECT",),
        # Whatever such a routine does, it does with its owner's rights: it may write.
        definer_routines=(),
        parameters=(("default_transaction_read_only", "on"),),
    ),
    Profile.DEVOPS: Privileges(
        schemas=EVERY,
        tables=EVERY,
        sequences=EVERY,
        large_objects=EVERY,
        memberships=("pg_monitor", "pg_signal_backend"),
        # A database may begin its sessions in the role of an owner, which a member of it then is, and nobody sees it.
        parameters=(("role", "none"),),
    ),
}


def users_of(credentials: AppCredentials, limits: UserLimits | None = None) -> list[DatabaseUser]:
    """Pair each entry of the secret with its profile, and that profile's limits."""
    limits = limits or UserLimits()
    limit_of = {
        Profile.APPLICATION: limits.application,
        Profile.READONLY: limits.readonly,
        Profile.DEVOPS: limits.devops,
    }
    return [
        DatabaseUser(
            profile=profile,
            name=login.username,
            password=login.password,
            auth=login.auth,
            connection_limit=limit_of[profile].connection_limit,
            statement_timeout=limit_of[profile].statement_timeout,
        )
        for _, profile, login in credentials.logins()
    ]
