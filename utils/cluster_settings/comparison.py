"""Before, wanted, after: what came back, what changed as asked, what did not come out as planned."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin, flattened, is_member
from utils.cluster_settings.tls import weaker_tls

# A difference in these stops the run before users are opened: who may reach the copy, and what protects it.
_SAFETY = {
    "kms_key_id",
    "subnet_group",
    "security_group_ids",
    "network_type",
    "iam_authentication",
    "deletion_protection",
    "cluster_parameter_group",
    "log_exports",
    "tls_parameters",
    # Of each member
    "publicly_accessible",
}
# Names of nothing: an empty list and a no are what AWS has where nobody asked for anything.
_NOTHING: tuple[Any, ...] = (None, [], {}, False)
_MOST_NAMED = 20
_LONGEST_VALUE = 120


class Severity(StrEnum):
    """What a difference means."""

    SAFETY = "safety"
    TOLD = "told"


class Difference(BaseModel):
    """A setting that is not as wanted."""

    path: str
    wanted: str
    found: str
    severity: Severity

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path}: wanted {self.wanted}, found {self.found}"


class Comparison(BaseModel):
    """The settings of the restored target beside those that it had and those that were wanted; names and counts."""

    as_before: int = 0
    changed: list[str] = Field(default_factory=list, description="Paths that are otherwise than before, as planned.")
    changed_count: int = 0
    changed_by_stack: list[str] = Field(
        default_factory=list, description="Paths that are otherwise than before, and that nobody asked for."
    )
    changed_otherwise: list[str] = Field(
        default_factory=list,
        description="Paths that are otherwise than before because the plan takes them over in part or not at all.",
    )
    differences: list[Difference] = Field(default_factory=list, description="What is not as wanted.")
    not_put_back: list[str] = Field(default_factory=list, description="What no restore brings back.")

    @property
    def unsafe(self) -> list[Difference]:
        """The differences that stop the run."""
        return [difference for difference in self.differences if difference.severity is Severity.SAFETY]

    def __str__(self) -> str:
        """Say it in one line, such as `37 settings as before, 2 changed as asked`."""
        parts = [f"{self.as_before} settings as before"] if self.as_before else []
        if self.changed_count:
            parts.append(f"{self.changed_count} changed as asked")
        if self.changed_by_stack:
            parts.append(f"{len(self.changed_by_stack)} as the stack has it: {', '.join(self.changed_by_stack)}")
        if self.changed_otherwise:
            parts.append(f"{len(self.changed_otherwise)} not taken over: {', '.join(self.changed_otherwise)}")
        if self.differences:
            parts.append(f"{len(self.differences)} could not be put back: {'; '.join(map(str, self.differences))}")
        if self.not_put_back:
            parts.append(f"not rebuilt: {'; '.join(self.not_put_back)}")
        return ", ".join(parts) or "none: there was no target before"


def compare(
    before: TargetSettings | None,
    wanted: TargetSettings,
    after: TargetSettings,
    origins: dict[str, Origin],
    not_put_back: list[str],
) -> Comparison:
    """Compare field by field; what nobody asked for and no target had is AWS's to choose."""
    was = flattened(before) if before else {}
    want, found = flattened(wanted), flattened(after)
    differences = [
        Difference(
            path=path,
            wanted=_shown(value),
            found=_shown(found.get(path)),
            severity=Severity.SAFETY if path.rpartition(".")[2] in _SAFETY else Severity.TOLD,
        )
        for path, value in want.items()
        if value is not None and not _as_wanted(path, value, found.get(path))
    ]
    missed = {difference.path for difference in differences}
    settled = [path for path in was.keys() | want.keys() if path not in missed and path != "engine_version"]
    as_before = [path for path in settled if was.get(path) is not None and _same(path, was[path], found.get(path))]
    other = sorted(path for path in settled if path not in as_before and path in was)
    # Of an instance that the request does without, its name says enough.
    gone = {path for path in was.keys() - want.keys() if is_member(path)}
    changed = [path for path in other if path in gone or origins.get(path) is Origin.REQUEST]
    silent = [
        path
        for path in other
        if path in want and was[path] is not None and origins.get(path) not in {Origin.REQUEST, Origin.STACK}
    ]
    return Comparison(
        as_before=len(as_before),
        changed=changed[:_MOST_NAMED],
        changed_count=len(changed),
        changed_by_stack=[path for path in other if origins.get(path) is Origin.STACK][:_MOST_NAMED],
        changed_otherwise=silent[:_MOST_NAMED],
        # What stops the run is judged by what is kept here: it comes first, whatever is too much.
        differences=sorted(differences, key=lambda one: one.severity is not Severity.SAFETY)[:_MOST_NAMED],
        not_put_back=not_put_back[:_MOST_NAMED],
    )


def _as_wanted(path: str, wanted: Any, found: Any) -> bool:
    if path == "tls_parameters":
        # What forces more than was wanted is nobody's harm.
        return not weaker_tls(wanted, found or {})
    return _same(path, wanted, found)


def _same(path: str, one: Any, other: Any) -> bool:
    if path == "availability_zones" and one and other:
        # RDS adds zones of its own to those that it is told.
        return set(one) <= set(other)
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    if path == "kms_key_id" and isinstance(one, str) and isinstance(other, str):
        # The one may be an id where the other is an ARN.
        return one.rpartition("/")[2] == other.rpartition("/")[2]
    return one == other or (_is_nothing(one) and _is_nothing(other))


def _is_nothing(value: Any) -> bool:
    if getattr(value, "interval_seconds", None) == 0 or getattr(value, "enabled", None) is False:
        return True
    return (any(value is nothing or value == nothing for nothing in _NOTHING) and value != 0) or value is False


def _shown(value: Any) -> str:
    text = "nothing" if value in (None, [], {}) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
