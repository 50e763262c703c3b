"""Every policy of the templates as lines of text: who may do what on what, and only if."""

from collections.abc import Iterator
from typing import Any

from tests.conventions.cfn_yaml import REPOSITORY, as_list, load_template

TEMPLATES = sorted(str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("infrastructure/*.yaml"))
PARTITION = "arn:${AWS::Partition}:"


def all_templates() -> dict[str, dict[str, Any]]:
    """Return every template that could hold a policy, by its path."""
    return {path: load_template(path) for path in ("template.yaml", *TEMPLATES)}


def lines_of(templates: dict[str, dict[str, Any]]) -> list[str]:
    """Return the lines of all policies, in the order of the templates."""
    return [
        line
        for path, template in templates.items()
        for name, resource in template["Resources"].items()
        for line in _of_resource(f"{path} {name}", resource)
    ]


def documents_of(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Find every policy document of a resource, wherever it stands."""
    if isinstance(node, dict):
        if "Statement" in node:
            yield path, node
            return
        for key, value in node.items():
            yield from documents_of(value, f"{path} {key}".strip())
    elif isinstance(node, list):
        for value in node:
            yield from documents_of(value, path)


def _of_resource(title: str, resource: dict[str, Any]) -> Iterator[str]:
    properties = resource.get("Properties", {})
    for where, document in documents_of(properties):
        yield f"{title} {where.removesuffix('PolicyDocument').removesuffix('Policies ')}".strip()
        for statement in document["Statement"]:
            yield from _of_statement(statement)
    for name in ("ManagedPolicyArns", "GuardrailPolicies"):
        yield from (f"{title} {name} {readable(arn)}" for arn in properties.get(name, []))
    if resource["Type"] == "AWS::Lambda::Permission":
        yield f"{title} {', '.join(f'{key} {readable(value)}' for key, value in properties.items())}"


def _of_statement(statement: dict[str, Any]) -> Iterator[str]:
    when = ""
    if "Fn::If" in statement:
        condition, statement, otherwise = statement["Fn::If"]
        assert otherwise == {"Ref": "AWS::NoValue"}
        when = f" when {condition}"
    known = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    assert statement.keys() <= known, statement.keys() - known
    yield f"  {statement.get('Sid', '-')}: {statement['Effect']}{when}"
    yield from (f"    {action}" for action in as_list(statement["Action"]))
    for kind, who in _principals(statement.get("Principal", {})):
        yield f"    by {kind} {readable(who)}"
    yield from (f"    on {readable(resource)}" for resource in as_list(statement.get("Resource", [])))
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield f"    if {operator} {key} {' or '.join(readable(value) for value in as_list(values))}"


def _principals(principal: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(principal, str):
        yield "anybody", principal
        return
    for kind, values in principal.items():
        yield from ((kind, value) for value in as_list(values))


def readable(value: Any) -> str:
    """Return a value of a template in one word; an ARN without its partition."""
    if not isinstance(value, dict):
        return str(value)
    [(function, argument)] = value.items()
    if function == "Fn::Sub":
        return str(argument).removeprefix(PARTITION)
    return f"<{'.'.join(as_list(argument))}>"
