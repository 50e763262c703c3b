"""What each function, the state machine and the schedule may do, made from the templates."""

import re
from collections.abc import Iterator
from typing import Any

from tests.conventions.cfn_yaml import as_list, load_template, resources_of_type, statements

HEADER = ["| Who | Statement | Actions | Resources | Only if |", "|---|---|---|---|---|"]
TEMPLATES = ("infrastructure/lambda.yaml", "infrastructure/stepfunctions.yaml")
PSEUDO_PARAMETERS = {
    "arn:${AWS::Partition}:": "",
    "${AWS::Region}": "<target Region>",
    "${SourceRegion}": "<source Region>",
    "${AWS::AccountId}": "<account>",
}


def permissions_table() -> str:
    """Return a row for each statement of each role; what all functions share comes first."""
    lines = list(HEADER)
    for template in map(load_template, TEMPLATES):
        for policy in resources_of_type(template, "AWS::IAM::ManagedPolicy").values():
            lines += _rows("all functions", policy)
        for role in resources_of_type(template, "AWS::IAM::Role").values():
            name = role["RoleName"]["Fn::Sub"].removeprefix("aurora-restore-").removesuffix("-${AWS::Region}")
            lines += _rows(f"`{name}`", role)
    return "\n".join(lines)


def _rows(who: str, properties: dict[str, Any]) -> Iterator[str]:
    for statement in statements(properties):
        cells = [
            who,
            statement["Sid"],
            _listed(statement["Action"]),
            _listed(statement["Resource"]),
            "<br>".join(_conditions(statement.get("Condition", {}))),
        ]
        yield f"| {' | '.join(cells)} |"


def _conditions(conditions: dict[str, dict[str, Any]]) -> Iterator[str]:
    for operator, keys in conditions.items():
        for key, value in keys.items():
            yield f"{operator} `{key}` {_listed(value, ' or ')}"


def _listed(values: Any, between: str = "<br>") -> str:
    return between.join(f"`{_readable(value)}`" for value in as_list(values))


def _readable(value: Any) -> str:
    if isinstance(value, str):
        return value
    [(function, argument)] = value.items()
    if function == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    if function == "Ref":
        return f"<{argument}>" if not argument.startswith("AWS::") else PSEUDO_PARAMETERS[f"${{{argument}}}"]
    text = str(argument)
    for pseudo, words in PSEUDO_PARAMETERS.items():
        text = text.replace(pseudo, words)
    return re.sub(r"\$\{(\w+)\}", r"<\1>", text)
