"""The part of a request that works on the restored data before its users are opened: scripts and checks."""

import re
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from utils.request.users import RoleName
from utils.strict_model import StrictModel

MOST_SCRIPTS = MOST_CHECKS = 50
_CLOSED_DATABASES = ("rdsadmin", "template0")


def _s3_uri(value: str) -> str:
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.{1,1024}", value):
        raise ValueError("an S3 URI such as s3://bucket/post-restore-sql/mask.sql")
    return value


def _number(value: float) -> float:
    # DynamoDB cannot hold every float: 1e-300 would fail when the row is written.
    if value and not 1e-9 <= abs(value) <= 1e15:
        raise ValueError("0, or a number whose size is between 0.000000001 and 1,000,000,000,000,000")
    return value


def _database_name(value: str) -> str:
    if len(value.encode()) > 63:
        raise ValueError("the name of a database, 1 to 63 bytes of UTF-8")
    return value


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("text without the character NUL, which PostgreSQL does not take")
    return value


def _one_number(value: object, validated: ValidatorFunctionWrapHandler) -> object:
    try:
        return validated(value)
    except ValidationError as error:
        if len(error.errors()) == 1:
            raise
        # Pydantic names both kinds of the union that it tried.
        raise ValueError("a number") from None


Number = Annotated[int | float, AfterValidator(_number), WrapValidator(_one_number)]


def _open_database(value: str) -> str:
    if value in _CLOSED_DATABASES:
        raise ValueError(f"a database that people connect to; nobody but RDS does to {' and '.join(_CLOSED_DATABASES)}")
    return value


def _expectation(value: object, validated: ValidatorFunctionWrapHandler) -> object:
    try:
        return validated(value)
    except ValidationError:
        # Pydantic names every kind of the union that it tried.
        raise ValueError("a boolean, a number or a text of at most 256 characters") from None


DatabaseName = Annotated[
    str,
    Field(min_length=1, max_length=63),
    AfterValidator(_without_nul),
    AfterValidator(_database_name),
    AfterValidator(_open_database),
]


class PostRestoreSql(StrictModel):
    """A SQL script for the restored data, in one transaction, before the users can log in."""

    s3_uri: Annotated[str, AfterValidator(_s3_uri)] = Field(
        description="The script: UTF-8, at most 1 MiB, plain SQL without transaction control or psql's commands."
    )
    database: DatabaseName = Field(description="Database it runs in.")
    user: RoleName | None = Field(
        default=None,
        description="Role it runs as; when left out a login made for it, with the rights of production's owners.",
    )
    as_master: bool = Field(
        default=False,
        description="Run it as the master user; then triggers of tables that it touches are the master, too.",
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        default=600, description="Seconds the whole script may take."
    )


class Check(StrictModel):
    """A query for the restored data whose answer, one value, must be `expect` or within bounds."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Its name in messages and summary.")
    database: DatabaseName = Field(description="Database it is asked in.")
    sql: Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_without_nul)] = Field(
        description="One query that gives one row of one column; it runs read-only."
    )
    expect: Annotated[bool | Number | Annotated[str, Field(max_length=256)] | None, WrapValidator(_expectation)] = (
        Field(default=None, description="The value it must give: a boolean, a number or a text. NULL never fits.")
    )
    at_least: Number | None = Field(default=None, description="Smallest number it may give, instead of `expect`.")
    at_most: Number | None = Field(default=None, description="Largest number it may give, instead of `expect`.")
    timeout_seconds: Annotated[int, Field(ge=1, le=600)] = Field(default=60, description="Seconds the query may take.")

    @model_validator(mode="after")
    def _has_one_expectation(self) -> Self:
        bounded = self.at_least is not None or self.at_most is not None
        if bounded is (self.expect is not None):
            raise ValueError("either expect, or at_least and at_most or one of them")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least no higher than at_most: no number fits")
        return self

    @property
    def expected(self) -> str:
        """The expectation in words."""
        if self.expect is not None:
            return str(self.expect)
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)
