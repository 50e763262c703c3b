"""The part of a request that is about the database's users: limits of our own, and logins that may stay."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from utils.strict_model import StrictModel


def _role(value: str) -> str:
    # PostgreSQL would cut a longer name off, and then it might be somebody else's.
    if not value or len(value.encode()) > 63 or "\0" in value:
        raise ValueError("the name of a role, 1 to 63 bytes of UTF-8, written as in pg_roles")
    return value


RoleName = Annotated[str, AfterValidator(_role)]


class Limits(StrictModel):
    """The limits of a profile's users; PostgreSQL's own where nothing is said."""

    statement_timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = Field(
        default=None, description="Seconds after which PostgreSQL ends a statement of theirs; `null`: never."
    )
    connection_limit: Annotated[int, Field(ge=1, le=5_000)] | None = Field(
        default=None, description="Connections each of them may have at a time; `null`: no limit of their own."
    )

    @property
    def statement_timeout(self) -> timedelta | None:
        """The same as a time."""
        seconds = self.statement_timeout_seconds
        return None if seconds is None else timedelta(seconds=seconds)


class UserLimits(StrictModel):
    """The limits of the users of each profile."""

    application: Limits = Field(default_factory=Limits, description="Users with the profile application.")
    readonly: Limits = Field(default_factory=Limits, description="Users with the profile readonly.")
    devops: Limits = Field(default_factory=Limits, description="Users with the profile devops.")
