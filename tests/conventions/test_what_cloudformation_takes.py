"""What CloudFormation refuses of a template before it makes anything, and no linter says."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conventions.cfn_yaml import REPOSITORY, load_as_written

TEMPLATES = [
    "template.yaml",
    *(f"infrastructure/{path.name}" for path in (REPOSITORY / "infrastructure").glob("*.yaml")),
]
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html
OF_RULES = {
    "Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::Not", "Fn::Or",
    "Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll", "Ref",
}  # fmt: skip


def every(node: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield every value with its name and the way to it."""
    found = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in found:
        yield f"{path}/{key}", str(key), value
        yield from every(value, f"{path}/{key}")


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_is_null(template: str) -> None:
    """\"'null' values are not allowed in templates\", also within a state machine's definition."""
    assert [path for path, _, value in every(load_as_written(template)) if value is None] == []


@pytest.mark.parametrize("template", TEMPLATES)
def test_rules_are_made_of_what_rules_may_have(template: str) -> None:
    """\"Following functions are not supported in the Rules block of the template\"."""
    rules = load_as_written(template).get("Rules", {})
    functions = {name for _, name, _ in every(rules) if name.startswith("Fn::") or name in {"Ref", "Condition"}}
    assert functions <= OF_RULES
