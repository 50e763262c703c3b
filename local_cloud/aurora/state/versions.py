"""Engine versions and instance classes that the local Aurora knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

ENGINE = "aurora-postgresql"
# As in a Region of AWS: the default version is neither the oldest nor the newest minor
MINORS = {14: (15, 17, 18, 19), 15: (10, 12, 13, 14), 16: (6, 8, 9, 10), 17: (4, 5, 6, 7)}
VERSIONS = tuple(f"{major}.{minor}" for major, minors in MINORS.items() for minor in minors)
DEFAULT_IN_MAJOR = {major: f"{major}.{minors[1]}" for major, minors in MINORS.items()}
DEFAULT_VERSION = DEFAULT_IN_MAJOR[17]
# Release calendar of Aurora PostgreSQL: first release, end of standard support; Extended Support is three years more
SUPPORT = {
    14: (datetime(2022, 6, 20, tzinfo=UTC), datetime(2027, 2, 28, tzinfo=UTC)),
    15: (datetime(2023, 2, 23, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)),
    16: (datetime(2024, 1, 31, tzinfo=UTC), datetime(2029, 2, 28, tzinfo=UTC)),
    17: (datetime(2025, 5, 1, tzinfo=UTC), datetime(2030, 2, 28, tzinfo=UTC)),
}
EXTENDED_YEARS = 3
FAMILIES = {major: f"{ENGINE}{major}" for major in MINORS}
LOG_EXPORTS = ("postgresql", "instance", "iam-db-auth-error")
STORAGE_TYPES = ("aurora", "aurora-iopt1")

_SIZES = (
    "large",
    "xlarge",
    "2xlarge",
    "4xlarge",
    "8xlarge",
    "12xlarge",
    "16xlarge",
    "24xlarge",
    "32xlarge",
    "48xlarge",
)
# Aurora User Guide, "DB instance class types": the largest size of each family that Aurora PostgreSQL offers
_LARGEST = {
    "r5": "24xlarge",
    "r6g": "16xlarge",
    "r6i": "32xlarge",
    "r7g": "16xlarge",
    "r7i": "48xlarge",
    "r8g": "48xlarge",
    "x2g": "16xlarge",
}
_A_MOMENT = timedelta(milliseconds=1)
_NO_32XLARGE = frozenset({"r7i", "r8g"})
INSTANCE_CLASSES = (
    "db.serverless",
    "db.t3.medium",
    "db.t3.large",
    "db.t4g.medium",
    "db.t4g.large",
    *(
        f"db.{family}.{size}"
        for family, largest in _LARGEST.items()
        for size in _SIZES[: _SIZES.index(largest) + 1]
        if not (size == "32xlarge" and family in _NO_32XLARGE)
    ),
)
# Families of other engines of RDS: such a class exists, only not for Aurora PostgreSQL
OTHER_CLASSES = re.compile(
    r"db\.(?:t2|t3|t4g|m4|m5|m5d|m6g|m6gd|m6i|m7g|m7i|m8g|r3|r4|r5b|x1|x1e|x2idn|x2iedn|z1d)\.\w+"
)


def major_of(version: str) -> int:
    """Return the major of an engine version."""
    return int(version.partition(".")[0])


def family_of(version: str) -> str:
    """Return the parameter group family of an engine version."""
    return FAMILIES[major_of(version)]


def support_of(major: int) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield each kind of support of a major version, with the moments of its begin and its end."""
    begins, last_day = SUPPORT[major]
    next_day = last_day + timedelta(days=1)
    yield "open-source-rds-standard-support", begins, next_day - _A_MOMENT
    yield (
        "open-source-rds-extended-support",
        next_day,
        next_day.replace(year=next_day.year + EXTENDED_YEARS) - _A_MOMENT,
    )


def order_of(version: str) -> tuple[int, ...]:
    """Return a key that sorts engine versions."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def upgrade_targets(version: str) -> list[str]:
    """Return the versions a cluster of this version can be upgraded to."""
    return [other for other in VERSIONS if order_of(other) > order_of(version)]
