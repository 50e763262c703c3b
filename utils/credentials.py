"""Logins: of the master, and of the database users as the secret `app-credentials` holds them."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator


class Credentials(BaseModel):
    """A database login; the password shows itself only to `get_secret_value()`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    username: str = Field(min_length=1, max_length=63)
    password: SecretStr = Field(min_length=8, max_length=99)


class Profile(StrEnum):
    """The three kinds of database user."""

    APPLICATION = "application"
    READONLY = "readonly"
    DEVOPS = "devops"


class Auth(StrEnum):
    """How a database user logs in: with its password, or with a token of IAM."""

    PASSWORD = "password"  # noqa: S105 - the word of the secret, not a secret
    IAM = "iam"


def _fits_postgresql(name: str) -> str:
    # PostgreSQL would cut a longer name off, and then it might be somebody else's.
    if len(name.encode()) > 63 or "\0" in name:
        raise ValueError("at most 63 bytes of UTF-8, none of them 0")
    if name in {"public", "none"}:
        raise ValueError("a name that PostgreSQL takes for a role's: public is everybody, none is nobody")
    return name


class UserCredentials(BaseModel):
    """The login of a database user; one of IAM has no password."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: Annotated[str, Field(min_length=1), AfterValidator(_fits_postgresql)]
    password: SecretStr | None = Field(default=None, min_length=8, max_length=99)
    auth: Auth = Auth.PASSWORD

    @model_validator(mode="after")
    def _has_what_it_logs_in_with(self) -> Self:
        if self.auth is Auth.IAM and self.password is not None:
            raise ValueError("no password for a user with auth iam")
        if self.auth is Auth.PASSWORD and self.password is None:
            raise ValueError("a password, or auth iam")
        return self


class ExtraUserCredentials(UserCredentials):
    """The login of a database user beside the three known ones, which says its profile itself."""

    profile: Profile


class AppCredentials(BaseModel):
    """The secret `app-credentials`: one login for each profile, and any number of more entries."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, ExtraUserCredentials]

    application_user: UserCredentials
    readonly_user: UserCredentials
    devops_user: UserCredentials

    def logins(self) -> list[tuple[str, Profile, UserCredentials]]:
        """Return every entry's name, profile and login; the three known ones come first."""
        return [
            ("application_user", Profile.APPLICATION, self.application_user),
            ("readonly_user", Profile.READONLY, self.readonly_user),
            ("devops_user", Profile.DEVOPS, self.devops_user),
            *((entry, login.profile, login) for entry, login in sorted(self.__pydantic_extra__.items())),
        ]
