"""Checks that RDS makes on single members."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.errors import NotSupportedError, invalid_combination, invalid_value
from local_cloud.aurora.state.versions import DEFAULT_IN_MAJOR, DEFAULT_VERSION, ENGINE, VERSIONS, major_of

IDENTIFIER = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*")
DIRECTORY = re.compile(r"d-[0-9a-f]{10}")
RESERVED_NAMES = frozenset({"rdsadmin", "admin", "rds_superuser", "public", "none", "user", "table"})
LONGEST_IDENTIFIER = 63
PASSWORD_LENGTH = range(8, 100)  # Aurora PostgreSQL: 8-99


def identifier(params: Mapping[str, Any], member: str) -> str:
    """Return an identifier in lower case as RDS stores it; raise InvalidParameterValue."""
    value: str = params[member]
    if len(value) > LONGEST_IDENTIFIER or not IDENTIFIER.fullmatch(value):
        raise invalid_value(
            f"The parameter {member} is not a valid identifier. Identifiers must begin with a letter; "
            "must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or "
            "contain two consecutive hyphens."
        )
    return value.lower()


def password(value: str) -> str:
    """Return a master password that RDS accepts; raise InvalidParameterValue."""
    if len(value) < PASSWORD_LENGTH.start:
        raise invalid_value(
            "The parameter MasterUserPassword is not a valid password because it is shorter than "
            f"{PASSWORD_LENGTH.start} characters."
        )
    if len(value) >= PASSWORD_LENGTH.stop:
        raise invalid_value(
            "The parameter MasterUserPassword is not a valid password because it is longer than "
            f"{PASSWORD_LENGTH.stop - 1} characters."
        )
    if not re.fullmatch(r"[!-~]+", value) or set(value) & set("/@\"' "):
        raise invalid_value(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters "
            "besides '/', '@', '\"', ' ' may be used."
        )
    return value


def master_username(value: str) -> str:
    """Return a master user name that RDS accepts; raise InvalidParameterValue."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", value):
        raise invalid_value(f"The parameter MasterUsername must match [A-Za-z][A-Za-z0-9_]*: {value}")
    if value.lower() in RESERVED_NAMES or value.lower().startswith("pg_"):
        raise invalid_value(f"MasterUsername {value} cannot be used as it is a reserved word used by the engine")
    return value


def database_name(value: str | None) -> str | None:
    """Return a database name that RDS accepts; raise InvalidParameterValue."""
    if value is None:
        return None
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", value) or value.lower() in {
        "rdsadmin",
        "template0",
        "template1",
    }:
        raise invalid_value(
            f"DatabaseName {value} is not valid: it must begin with a letter and contain only "
            "letters, digits and underscores."
        )
    return value


def engine(params: Mapping[str, Any]) -> None:
    """Refuse every engine but Aurora PostgreSQL."""
    value = params["Engine"]
    if value != ENGINE:
        if value in {"aurora-mysql", "mysql", "postgres"}:
            raise NotSupportedError(f"Engine {value}")
        raise invalid_value(f"Invalid DB engine: {value}")


def engine_version(value: str | None) -> str:
    """Return a version of the catalogue: the Region's default if omitted, a major's default minor for a bare major."""
    if value is None:
        return DEFAULT_VERSION
    if value not in VERSIONS and not default_in_major(value):
        raise invalid_combination(f"Cannot find version {value} for {ENGINE}")
    return default_in_major(value) or value


def default_in_major(value: str | None) -> str | None:
    """Return the default minor version of a bare major one."""
    return DEFAULT_IN_MAJOR.get(int(value)) if value and re.fullmatch(r"[0-9]{2}", value) else None


def installed_major(version: str, majors: frozenset[int]) -> int:
    """Return the major of a version whose PostgreSQL is installed on this machine."""
    major = major_of(version)
    if major not in majors:
        installed = ", ".join(map(str, sorted(majors)))
        raise NotSupportedError(f"Engine version {version} (PostgreSQL installed on this machine: {installed})")
    return major


def number(params: Mapping[str, Any], member: str, default: int, allowed: range) -> int:
    """Return a whole number within a range; raise InvalidParameterValue."""
    value: int = params.get(member, default)
    if value not in allowed:
        raise invalid_value(
            f"Invalid value {value} for {member}. Must be between {allowed.start} and {allowed.stop - 1}"
        )
    return value


def serverless_scaling(params: Mapping[str, Any]) -> dict[str, float] | None:
    """Return the Serverless v2 capacity range; raise InvalidParameterValue/-Combination."""
    scaling: dict[str, float] | None = params.get("ServerlessV2ScalingConfiguration")
    if scaling is None:
        return None
    if "MinCapacity" not in scaling or "MaxCapacity" not in scaling:
        raise invalid_combination("Both MinCapacity and MaxCapacity are required for Serverless v2 scaling.")
    low, high = scaling["MinCapacity"], scaling["MaxCapacity"]
    if low % 0.5 or high % 0.5 or not 0 <= low <= 256 or not 1 <= high <= 256 or low > high:
        raise invalid_value(
            f"Serverless v2 capacity {low}-{high} isn't valid: steps of 0.5, minimum 0-256, maximum 1-256."
        )
    pause = scaling.get("SecondsUntilAutoPause")
    if pause is not None and (low != 0 or not 300 <= pause <= 86400):
        raise invalid_value("SecondsUntilAutoPause must be 300-86400 and needs MinCapacity 0.")
    return dict(scaling)


def one_of(params: Mapping[str, Any], member: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return one of the allowed words; raise InvalidParameterValue."""
    value: str = params.get(member, default)
    if value not in allowed:
        raise invalid_value(f"Invalid {member}: {value}. Valid values: {', '.join(allowed)}")
    return value


def require(condition: object, error: errors.ApiError) -> None:
    """Raise the error unless the condition holds."""
    if not condition:
        raise error
