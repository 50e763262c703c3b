"""Parameters of an operation as options of the AWS CLI, for people to type."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from botocore import xform_name


def cli_options(parameters: Mapping[str, Any]) -> list[str]:
    """Return `--option value` for each parameter that says something."""
    return [_option(name, value) for name, value in parameters.items() if value is not None and value != []]


def _option(name: str, value: Any) -> str:
    option = xform_name(name, "-")
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return " ".join([f"--{option}", *(shlex.quote(_text(item)) for item in values)])


def _text(value: Any) -> str:
    """Return a value; of a structure the CLI's shorthand."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={_text(item)}" for key, item in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
