"""The tags by which the pipeline knows its own resources."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import category

MANAGED = "aurora-restore:managed"
OPERATION_ID = "aurora-restore:operation-id"
ROLE = "aurora-restore:role"
TARGET_CLUSTER_ID = "aurora-restore:target-cluster-id"
TARGET_REGION = "aurora-restore:target-region"
REPLACEABLE = "aurora-restore:replaceable"
ARCHIVED_AT = "aurora-restore:archived-at"

# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Tag.html; a resource bears at most 50.
_TAG_SIGNS, _TAG_CATEGORIES = "_.:/=+-@", "LZN"  # letters, blanks that are no controls, digits
MOST, MOST_OF_A_REQUEST = 50, 45
# Keys that no request may have: AWS's and the pipeline's.
RESERVED = ("aws:", "rds:", "aurora-restore:")


_MARKS = (MANAGED, REPLACEABLE)


@dataclass(frozen=True)
class Ownership:
    """Which environment's a cluster or snapshot is: the value of the tags `managed` and `replaceable`.

    It is `true` in an environment with the guide's names, and in one beside it the environment's own name. The code
    knows `true` alone, its own: these words are put in and taken out where RDS is read and written.
    """

    mark: str = "true"

    def read(self, found: Mapping[str, str]) -> dict[str, str]:
        """Return tags with `true` for what is marked as this environment's, and for nothing else."""
        return {key: self._read(value) if key in _MARKS else value for key, value in found.items()}

    def _read(self, value: str) -> str:
        if value == self.mark:
            return "true"
        return "true, the mark of another environment" if value == "true" else value

    def written(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return tags with this environment's mark where they say `true`."""
        return {key: self.mark if key in _MARKS and value == "true" else value for key, value in given.items()}


class Role(StrEnum):
    """What a resource made by the pipeline is."""

    COPY = "copy"
    FINAL = "final"
    TARGET = "target"
    SOURCE = "source"


def own_tags(role: Role, operation_id: str, target_cluster_id: str) -> dict[str, str]:
    """Return the tags of a resource that this operation makes."""
    tags = {
        MANAGED: "true",
        OPERATION_ID: operation_id,
        ROLE: role.value,
        TARGET_CLUSTER_ID: target_cluster_id,
    }
    return tags | {REPLACEABLE: "true"} if role is Role.TARGET else tags


def is_tag_text(text: str) -> bool:
    """Tell whether RDS takes `text` as a tag's key or value: letters, digits, blanks and _ . : / = + - @."""
    return all(letter in _TAG_SIGNS or category(letter)[0] in _TAG_CATEGORIES for letter in text)


def is_ours(tags: Mapping[str, str], operation_id: str) -> bool:
    """Tell whether a resource with these tags was made by this operation."""
    return tags.get(MANAGED) == "true" and tags.get(OPERATION_ID) == operation_id
