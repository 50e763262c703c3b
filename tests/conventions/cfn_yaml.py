"""Reads CloudFormation templates: the short tags (`!Ref`, `!GetAtt`, …) become their long forms.

Names are those of an environment that has the guide's, unless the template is read as it is written.
"""

from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]


class _Loader(yaml.SafeLoader):
    """A safe loader that knows CloudFormation's tags."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix in {"Ref", "Condition"}:
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


# What an environment with the guide's names has for what others have their own name in.
GUIDES = {"NamePrefix": "aurora-restore", "TargetNamePrefix": "aurora-restore", "OwnershipMark": "true"}


def load_template(path: str) -> dict[str, Any]:
    """Return the template at a path below the repository's root, with the guide's names."""
    template: dict[str, Any] = _with_guides_names(load_as_written(path))
    return template


def load_as_written(path: str) -> dict[str, Any]:
    """Return the template at a path below the repository's root."""
    # The loader is a SafeLoader.
    template: dict[str, Any] = yaml.load((REPOSITORY / path).read_text(), _Loader)  # noqa: S506
    return template


def _with_guides_names(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_guides_names(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.keys() == {"Ref"} and node["Ref"] in GUIDES:
        return GUIDES[node["Ref"]]
    if node.keys() == {"Fn::Sub"} and isinstance(node["Fn::Sub"], str):
        text = node["Fn::Sub"]
        for name, value in GUIDES.items():
            text = text.replace(f"${{{name}}}", value)
        return {"Fn::Sub": text} if "${" in text else text
    return {key: _with_guides_names(value) for key, value in node.items()}


def resources_of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of every resource of a type, by logical id."""
    return {
        name: resource["Properties"] for name, resource in template["Resources"].items() if resource["Type"] == kind
    }


def references(value: Any) -> set[str]:
    """Return every logical id, parameter and attribute (`Id.Attribute`) that a value names."""
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    if not isinstance(value, dict):
        return set()
    if "Ref" in value:
        return {value["Ref"]}
    if "Fn::GetAtt" in value:
        return {".".join(value["Fn::GetAtt"])}
    if isinstance(text := value.get("Fn::Sub"), str):
        return {part.split("}")[0] for part in text.split("${")[1:]}
    return set().union(*(references(item) for item in value.values()))


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a role's inline policies or of a managed policy, conditional ones included."""
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    found = [statement for document in documents for statement in document["Statement"]]
    return [statement["Fn::If"][1] if "Fn::If" in statement else statement for statement in found]


def as_list(value: Any) -> list[Any]:
    """Return a value that IAM lets be one or many as a list."""
    return value if isinstance(value, list) else [value]
