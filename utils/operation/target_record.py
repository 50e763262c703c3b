"""The last known settings of a target, kept apart from any run: the shape of the environment survives every failure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json, to_json

from utils.cluster_settings.model import TargetSettings
from utils.errors import TargetNotBuildable

_UNKNOWN = "extra_forbidden"


class TargetRecord(BaseModel):
    """Row `target#<region>#<cluster_id>` of the state table, which never lapses; settings only, no secret."""

    region: str
    cluster_id: str
    settings: TargetSettings
    read_at: datetime
    operation_id: str = Field(description="The operation that wrote it.")
    of_success: bool = Field(description="Written after that run succeeded; else before it destroyed anything.")
    left_out: list[str] = Field(
        default_factory=list, exclude=True, description="Settings of a newer version, which this one does not know."
    )

    @classmethod
    def read(cls, text: str, key: str) -> Self:
        """Read the row `key`, also of a newer version of the pipeline; raises `TargetNotBuildable`."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as problem:
            unknown = [error["loc"] for error in problem.errors() if error["type"] == _UNKNOWN]
            if not unknown:
                raise _unreadable(key, problem) from None
        content = from_json(text)
        names = sorted(_taken_out(content, path) for path in unknown)
        try:
            known = cls.model_validate_json(to_json(content))
        except ValidationError as problem:
            raise _unreadable(key, problem) from None
        return known.model_copy(update={"left_out": names})

    def __str__(self) -> str:
        """Say what it is in a few words."""
        when = "after" if self.of_success else "before the deletion of"
        left_out = f", without {', '.join(self.left_out)}, which this version does not know" if self.left_out else ""
        return f"written {self.read_at:%Y-%m-%d %H:%M} UTC {when} operation {self.operation_id}{left_out}"


def _taken_out(content: Any, path: Sequence[int | str]) -> str:
    for part in path[:-1]:
        content = content[part]
    del content[path[-1]]
    return ".".join(map(str, path))


def _unreadable(key: str, error: ValidationError) -> TargetNotBuildable:
    # Field and kind of problem only: the value may be anything.
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    return TargetNotBuildable(
        f"the target record {key}, whose field {field or 'record'} does not fit ({problem['type']})",
        field="target",
        expected="the settings of the target as it last stood",
        action="mend that row of the state table, or build without it: target.inherit_settings: false, and every "
        "setting in the request",
    )
