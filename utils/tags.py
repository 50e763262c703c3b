"""The tags by which the pipeline knows its own resources."""

from collections.abc import Mapping
from enum import StrEnum
from unicodedata import category

MANAGED = "aurora-restore:managed"
OPERATION_ID = "aurora-restore:operation-id"
ROLE = "aurora-restore:role"
TARGET_CLUSTER_ID = "aurora-restore:target-cluster-id"
REPLACEABLE = "aurora-restore:replaceable"
ARCHIVED_AT = "aurora-restore:archived-at"

# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Tag.html; a resource bears at most 50.
_TAG_SIGNS, _TAG_CATEGORIES = "_.:/=+-@", "LZN"  # letters, blanks that are no controls, digits
MOST, MOST_OF_A_REQUEST = 50, 45
# Keys that no request may have: AWS's and the pipeline's.
RESERVED = ("aws:", "rds:", "aurora-restore:")


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
