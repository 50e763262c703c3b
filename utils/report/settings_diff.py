"""Each setting of the target as it is and as it will be, and where the new value comes from."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_jsonable_python

from utils.cluster_settings.origins import Flat, Origin, flattened, is_member
from utils.operation.model import Operation


class SettingChange(BaseModel):
    """A setting by its path (`members.staging-1.tags`); `before` is None without an old target."""

    model_config = ConfigDict(frozen=True)

    name: str
    before: Any
    after: Any
    source: Origin


def settings_diff(operation: Operation) -> list[SettingChange]:
    """Return every setting that is or will be something: the plan's first, then those of members that will be gone."""
    plan, old = operation.plan, operation.old_target
    before: Flat = to_jsonable_python(flattened(old.settings), exclude_none=True) if old else {}
    after: Flat = to_jsonable_python(flattened(plan.settings), exclude_none=True)
    # That an instance goes is said once; only the request does without one.
    gone = {name for name in before if is_member(name) and name not in after}
    return [
        SettingChange(
            name=name,
            before=before.get(name),
            after=after.get(name),
            source=Origin.REQUEST if name in gone else plan.origins.get(name, Origin.AWS_DEFAULT),
        )
        for name in dict.fromkeys([*after, *before])
        if (before.get(name) is not None or after.get(name) is not None) and name.rpartition(".")[0] not in gone
    ]
