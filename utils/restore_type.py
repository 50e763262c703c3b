"""In which way the data of a source come into the new cluster."""

from enum import StrEnum


class RestoreType(StrEnum):
    """From a snapshot, or as RestoreDBClusterToPointInTime names its two."""

    SNAPSHOT = "snapshot"
    FULL_COPY = "full-copy"
    COPY_ON_WRITE = "copy-on-write"
