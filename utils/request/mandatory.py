"""What no request may take away: the stack parameter `MandatoryRequest`, laid over every request."""

from collections.abc import Iterator, Sequence
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from utils.error_base import raise_all
from utils.errors import ConfigurationMissing, InvalidRequest
from utils.json_text import NotJson, read_json
from utils.request.model import RestoreRequest
from utils.request.sql import MOST_CHECKS, MOST_SCRIPTS, Check, PostRestoreSql
from utils.request.users import RoleName
from utils.strict_model import StrictModel

_Item = TypeVar("_Item")
_MOST_PROBLEMS = 10


class Mandatory(StrictModel):
    """The operator's word; nothing in it takes anything away from a request."""

    post_restore_sql: Annotated[list[PostRestoreSql], Field(max_length=MOST_SCRIPTS)] = Field(
        default_factory=list, description="Scripts that always run, before those of the request."
    )
    checks: Annotated[list[Check], Field(max_length=MOST_CHECKS)] = Field(
        default_factory=list, description="Checks that are always asked, before those of the request."
    )
    may_keep_logins: list[RoleName] | None = Field(
        default=None, description="The only logins that `keep_logins` may name; `null` allows any."
    )
    close_outbound: bool = Field(default=False, description="Whether `close_outbound` must be true.")
    may_use_master: bool = Field(default=True, description="Whether scripts of a request may have `as_master`.")

    def applied_to(self, request: RestoreRequest) -> RestoreRequest:
        """Return the request with what always holds; the same again for one that has it.

        Raises `InvalidRequest` that names every field that does not fit.
        """
        scripts = _first(self.post_restore_sql, request.post_restore_sql)
        checks = _first(self.checks, request.checks)
        raise_all([*self._taken_away_by(request), *_too_many(self, scripts, checks)])
        return request.model_copy(update={"post_restore_sql": scripts, "checks": checks})

    def _taken_away_by(self, request: RestoreRequest) -> Iterator[InvalidRequest]:
        if self.close_outbound and not request.close_outbound:
            yield _refusal("close_outbound", "false", "true")
        if self.may_keep_logins is not None:
            others = sorted(set(request.keep_logins) - set(self.may_keep_logins))
            if others:
                allowed = ", ".join(self.may_keep_logins)
                yield _refusal("keep_logins", ", ".join(others), f"only {allowed}" if allowed else "none")
        if not self.may_use_master:
            masters = [script for script in request.post_restore_sql if script.as_master]
            others = [script.s3_uri for script in masters if script not in self.post_restore_sql]
            if others:
                yield _refusal(
                    "post_restore_sql", f"as_master for {', '.join(dict.fromkeys(others))}", "no script as the master"
                )

    def in_words(self) -> list[str]:
        """Say what no request takes away."""
        said = [f"script {script.s3_uri} in {script.database}" for script in self.post_restore_sql]
        said += [f"check {check.name!r}" for check in self.checks]
        if self.close_outbound:
            said.append("closing every way out")
        if not self.may_use_master:
            said.append("running no script of a request as the master")
        if self.may_keep_logins is not None:
            names = ", ".join(self.may_keep_logins)
            said.append(f"keeping no login{f' but {names}' if names else ''}")
        return said


def mandatory_of(text: str) -> Mandatory:
    """Read the stack parameter; raises `ConfigurationMissing` that names what does not fit."""
    try:
        return Mandatory.model_validate(read_json(text or "{}"))
    except NotJson as error:
        found = f"text that is not JSON ({error})"
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        found = "; ".join(map(_told, problems[:_MOST_PROBLEMS]))
    raise ConfigurationMissing(
        found,
        field="stack parameter MandatoryRequest",
        expected='a JSON object such as {"close_outbound": true, "may_keep_logins": []}',
        action="correct the parameter and deploy the stack again",
    )


def _told(problem: ErrorDetails) -> str:
    path = ".".join(str(part) for part in problem["loc"])
    return f"{f'{path}: ' if path else ''}{problem['msg'].removeprefix('Value error, ')}"


def _first(always: Sequence[_Item], asked: Sequence[_Item]) -> list[_Item]:
    return [*always, *(item for item in asked if item not in always)]


def _too_many(
    always: Mandatory, scripts: Sequence[PostRestoreSql], checks: Sequence[Check]
) -> Iterator[InvalidRequest]:
    for field, own, items, most in (
        ("post_restore_sql", len(always.post_restore_sql), len(scripts), MOST_SCRIPTS),
        ("checks", len(always.checks), len(checks), MOST_CHECKS),
    ):
        if items > most:
            yield _refusal(field, f"{items} with the stack's {own}", f"at most {most} in all")


def _refusal(field: str, found: str, expected: str) -> InvalidRequest:
    return InvalidRequest(
        found,
        field=field,
        expected=f"{expected}, as the stack parameter MandatoryRequest says",
        action="correct the field, or ask who operates the stack",
    )
