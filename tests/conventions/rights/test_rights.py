"""Who may do what is a list kept by hand: no policy of a template grants anything else, or on other conditions."""

import copy
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conventions.cfn_yaml import as_list
from tests.conventions.rights.documents import all_templates, documents_of, lines_of

ALLOWED = (Path(__file__).parent / "allowed.txt").read_text().splitlines()
TEMPLATES = all_templates()
Statement = dict[str, Any]
# The keys that the Service Authorization Reference knows for an action or for a resource of it; AWS takes a policy with
# any other without a word, and never puts it into a request.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
REQUEST_TAGS = {"aws:RequestTag/", "aws:TagKeys"}
RESOURCE_TAGS = {"aws:ResourceTag/"}
KEYS = {
    "rds:AddTagsToResource": REQUEST_TAGS | RESOURCE_TAGS | {"rds:TagsFromRequest"},
    "rds:CopyDBClusterSnapshot": REQUEST_TAGS | RESOURCE_TAGS,
    "rds:CreateDBClusterSnapshot": REQUEST_TAGS | RESOURCE_TAGS,
    "rds:CreateDBInstance": REQUEST_TAGS | RESOURCE_TAGS | {"rds:PubliclyAccessible"},
    "rds:DeleteDBCluster": RESOURCE_TAGS,
    "rds:DeleteDBClusterSnapshot": RESOURCE_TAGS,
    "rds:DeleteDBInstance": RESOURCE_TAGS,
    "rds:EnableHttpEndpoint": RESOURCE_TAGS,
    # Not rds:ManageMasterUserPassword: RDS fills it in where a request is silent, so it cannot be asked to be absent.
    "rds:ModifyDBCluster": RESOURCE_TAGS,
    "rds:ModifyDBClusterSnapshotAttribute": RESOURCE_TAGS,
    "rds:ModifyDBInstance": RESOURCE_TAGS,
    "rds:RestoreDBClusterFromSnapshot": REQUEST_TAGS | RESOURCE_TAGS,
    "rds:RestoreDBClusterToPointInTime": REQUEST_TAGS | RESOURCE_TAGS,
    "rds:StartDBCluster": RESOURCE_TAGS,
    "rds:StopDBCluster": RESOURCE_TAGS,
    "secretsmanager:GetSecretValue": RESOURCE_TAGS,
}


def all_statements(templates: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Statement]]:
    """Every statement of every policy, with a name, as it stands in the templates."""
    for path, template in templates.items():
        for name, resource in template["Resources"].items():
            for where, document in documents_of(resource.get("Properties", {})):
                for statement in document["Statement"]:
                    inner = statement["Fn::If"][1] if "Fn::If" in statement else statement
                    yield f"{path} {name} {where} {inner.get('Sid', '-')}", inner


def test_the_policies_grant_what_is_on_the_list_and_nothing_else() -> None:
    difference = list(difflib.unified_diff(ALLOWED, lines_of(TEMPLATES), "allowed.txt", "the templates", lineterm=""))
    assert not difference, "\n".join(["if this is meant, write it into allowed.txt by hand:", *difference])


def wider(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """Every way to widen a statement by one thing."""
    if "Resource" in statement and statement["Resource"] != "*":
        yield "any resource", {**statement, "Resource": "*"}
    if "Condition" in statement:
        yield "no condition", {key: value for key, value in statement.items() if key != "Condition"}
    for operator, keys in statement.get("Condition", {}).items():
        for key in keys:
            fewer = copy.deepcopy(statement)
            del fewer["Condition"][operator][key]
            yield f"without {key}", fewer
            weaker = copy.deepcopy(statement)
            weaker["Condition"][f"{operator}IfExists"] = {key: weaker["Condition"][operator].pop(key)}
            yield f"{key} if it exists", weaker
    yield "one action more", {**statement, "Action": [*as_list(statement["Action"]), "kms:ScheduleKeyDeletion"]}
    yield "every action", {**statement, "Action": "*"}
    if "Principal" in statement:
        yield "anybody", {**statement, "Principal": "*"}


def _really(changed: Iterator[tuple[str, Statement]], whole: Statement) -> Iterator[tuple[str, Statement]]:
    return ((how, statement) for how, statement in changed if statement != whole)


def test_no_statement_can_be_widened_unnoticed() -> None:
    tried, unnoticed = 0, []
    for path, template in TEMPLATES.items():
        for logical_id, resource in template["Resources"].items():
            changing = {path: {"Resources": {logical_id: copy.deepcopy(resource)}}}
            whole = lines_of(changing)
            for name, statement in all_statements(changing):
                as_it_is = dict(statement)
                for how, widened in _really(wider(as_it_is), as_it_is):
                    statement.clear()
                    statement.update(widened)
                    tried += 1
                    unnoticed += [f"{name}: {how}"] * (lines_of(changing) == whole)
                statement.clear()
                statement.update(as_it_is)
    assert tried > 400
    assert unnoticed == []


def test_a_condition_asks_for_what_aws_puts_into_a_request() -> None:
    for name, statement in all_statements(TEMPLATES):
        keys = {key for block in statement.get("Condition", {}).values() for key in block}
        # The others are in every request, or KMS's own.
        particular = {
            key for key in keys if key.startswith(("aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys", "rds:"))
        }
        for action in as_list(statement["Action"]):
            known = KEYS.get(action, set())
            assert all(any(key.startswith(prefix) for prefix in known) for key in particular), (name, action)


def test_a_condition_that_an_absent_key_meets_says_that_it_must_be_there() -> None:
    """`…IfExists` and `ForAllValues:` hold when the key is not in the request; an allowance needs more than that."""
    for name, statement in all_statements(TEMPLATES):
        conditions = statement.get("Condition", {})
        met_by_nothing = {key for operator, keys in conditions.items() if is_met_by_nothing(operator) for key in keys}
        present = {key for key, absent in conditions.get("Null", {}).items() if absent == "false"}
        if statement["Effect"] == "Allow":
            assert met_by_nothing <= present, name


def is_met_by_nothing(operator: str) -> bool:
    return operator.endswith("IfExists") or operator.startswith("ForAllValues:")
