"""Reads what functions print as CloudWatch does: metrics in the embedded metric format."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One value under one set of dimensions."""

    namespace: str
    name: str
    unit: str
    value: float
    dimensions: dict[str, str]
    operation_id: str


def measured(log: str) -> list[Measured]:
    """Return every metric of a log, once for each of its sets of dimensions."""
    found = []
    for line in log.splitlines():
        if not line.startswith('{"_aws"'):
            continue
        blob = json.loads(line)
        for directive in blob["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                found += [
                    Measured(
                        namespace=directive["Namespace"],
                        name=metric["Name"],
                        unit=metric["Unit"],
                        value=value,
                        dimensions={name: blob[name] for name in names},
                        operation_id=blob["operation_id"],
                    )
                    for metric in directive["Metrics"]
                    for value in blob[metric["Name"]]
                ]
    return found
