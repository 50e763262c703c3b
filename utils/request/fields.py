"""What single fields of a request may hold, and how a wrong value is told.

Digits are written [0-9]: AWS takes no other scripts' digits, which a class of characters would.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from utils import identifiers, tags

LEAST_HOURS = 0.001
_LOG_TYPES = ("postgresql", "instance", "iam-db-auth-error")


def _identifier(value: str) -> str:
    if not re.fullmatch(identifiers.CLUSTER_ID_PATTERN, value):
        raise ValueError(
            "1 to 63 letters, digits or hyphens, a letter first, no hyphen at the end, no two hyphens in a row"
        )
    return value.lower()


def _snapshot(value: str) -> str:
    patterns = (identifiers.SNAPSHOT_ARN_PATTERN, identifiers.SNAPSHOT_ID_PATTERN)
    if not any(re.fullmatch(pattern, value) for pattern in patterns):
        raise ValueError("'latest', the identifier of a DB cluster snapshot, or its ARN")
    return value


def _region(value: str) -> str:
    if not re.fullmatch(identifiers.REGION_PATTERN, value):
        raise ValueError("an AWS Region such as us-east-1")
    return value


def _account(value: str) -> str:
    if not re.fullmatch(identifiers.ACCOUNT_PATTERN, value):
        raise ValueError("an AWS account id of 12 digits, as a string")
    return value


def _engine_version(value: str) -> str:
    if not re.fullmatch(r"[0-9]{2}\.[0-9]{1,2}", value):
        raise ValueError("an Aurora PostgreSQL version such as 17.4")
    return value


def _instance_class(value: str) -> str:
    if not re.fullmatch(r"db\.[a-z0-9-]+(\.[a-z0-9-]+)?", value):
        raise ValueError("a DB instance class such as db.r8g.large or db.serverless")
    return value


def _tag_values(value: dict[str, str]) -> dict[str, str]:
    if len(value) > tags.MOST_OF_A_REQUEST:
        raise ValueError(f"at most {tags.MOST_OF_A_REQUEST} tags, which leaves room for the pipeline's own")
    for key, text in value.items():
        if key.lower().startswith(tags.RESERVED) or not 1 <= len(key) <= 128 or len(text) > 256:
            raise ValueError(
                "keys of 1 to 128 characters that do not start with 'aws:', 'rds:' or 'aurora-restore:', "
                "values of at most 256 characters"
            )
        if not (tags.is_tag_text(key) and tags.is_tag_text(text)):
            raise ValueError("keys and values of letters, digits, spaces and _ . : / = + - @, as RDS takes them")
    return value


def _security_groups(value: list[str]) -> list[str]:
    if not value:
        raise ValueError("at least one security group; left out, the old target's are taken")
    return value


def _log_types(value: list[str]) -> list[str]:
    if not set(value) <= set(_LOG_TYPES):
        raise ValueError(f"log types of {', '.join(_LOG_TYPES)}")
    return value


def _hours(value: float) -> float:
    if 0 < value < LEAST_HOURS:
        raise ValueError(f"0, or at least {LEAST_HOURS:g} hours")
    return value


def _each_once(value: list[str]) -> list[str]:
    twice = sorted({item for item in value if value.count(item) > 1})
    if twice:
        raise ValueError(f"each of them once, not {', '.join(twice)} twice")
    return value


def matching(pattern: str, words: str) -> AfterValidator:
    """Take text that a pattern fits as a whole; `words` say what is expected instead of any other."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(words)
        return value

    return AfterValidator(check)


Identifier = Annotated[str, AfterValidator(_identifier)]
SnapshotName = Annotated[str, AfterValidator(_snapshot)]
Region = Annotated[str, AfterValidator(_region)]
AccountId = Annotated[str, AfterValidator(_account)]
EngineVersion = Annotated[str, AfterValidator(_engine_version)]
InstanceClass = Annotated[str, AfterValidator(_instance_class)]
Tags = Annotated[dict[str, str], AfterValidator(_tag_values)]
_EACH_ONCE = AfterValidator(_each_once)
SecurityGroups = Annotated[list[str], AfterValidator(_security_groups), _EACH_ONCE]
LogTypes = Annotated[
    list[str],
    AfterValidator(_log_types),
    _EACH_ONCE,
    Field(json_schema_extra={"items": {"type": "string", "enum": list(_LOG_TYPES)}}),
]
# A lower bound because DynamoDB cannot hold every float: 1e-300 would fail when the row is written.
Budget = Annotated[float, Field(ge=LEAST_HOURS, le=120)]
Hours = Annotated[float, Field(ge=0, le=8000), AfterValidator(_hours)]
Kept = Annotated[int, Field(ge=1, le=90)]
Text = Annotated[str, Field(min_length=1, max_length=2048)]
Port = Annotated[int, Field(ge=1150, le=65_535)]
PromotionTier = Annotated[int, Field(ge=0, le=15)]
RetentionDays = Annotated[int, Field(ge=1, le=35)]
Zone = Annotated[str, matching(r"[a-z]{2}(-[a-z]+)+-[0-9][a-z]", "an Availability Zone such as us-east-1a")]
DailyWindow = Annotated[
    str, matching(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]", "a window of UTC such as 03:00-03:30")
]
WeeklyWindow = Annotated[
    str,
    matching(
        r"(?ai)({0}):([01][0-9]|2[0-3]):[0-5][0-9]-({0}):([01][0-9]|2[0-3]):[0-5][0-9]".format(
            "mon|tue|wed|thu|fri|sat|sun"
        ),
        "a window of UTC such as sun:05:00-sun:05:30",
    ),
]
