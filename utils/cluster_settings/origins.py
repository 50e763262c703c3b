"""Where the value of each setting comes from, and all settings by their paths."""

from enum import StrEnum
from typing import Any

from utils.cluster_settings.model import ClusterSettings, Member, TargetSettings

Flat = dict[str, Any]


class Origin(StrEnum):
    """Where a value comes from, the strongest first."""

    REQUEST = "the request"
    OLD_TARGET = "the old target"
    TARGET_RECORD = "the target record"
    SNAPSHOT = "the snapshot"
    STACK = "the stack"
    AWS_DEFAULT = "AWS's default"


def member_path(identifier: str, field: str) -> str:
    """Return the path of a member's setting, such as `members.staging-1.instance_class`."""
    return f"members.{identifier}.{field}"


def is_member(path: str) -> bool:
    """Tell whether the path is that of a whole member, `members.<name>`."""
    return path.startswith("members.") and path.count(".") == 1


def flattened(settings: TargetSettings) -> Flat:
    """Return every setting by its path; a member that is there has the path `members.<name>`."""
    flat: Flat = {name: getattr(settings, name) for name in TargetSettings.model_fields if name != "members"}
    for member in settings.members:
        flat[f"members.{member.identifier}"] = True
        flat |= {
            member_path(member.identifier, name): getattr(member, name)
            for name in Member.model_fields
            if name != "identifier"
        }
    return flat


CLUSTER_FIELDS = tuple(ClusterSettings.model_fields)
