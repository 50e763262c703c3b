"""Environments of one account and Region share no name and no mark: what is written once is on a list here."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conventions.cfn_yaml import load_as_written

TEMPLATES = ("template.yaml", *(f"infrastructure/{name}.yaml" for name in (
    "prerequisites", "dynamodb", "lambda", "stepfunctions", "monitoring",
)))  # fmt: skip
# What all environments of an account have in common, and why it may be.
SHARED = re.compile(
    r"^aurora-restore$"  # the source of the events, each of which names its execution; the default of NamePrefix
    r"|^\.\./build/functions/aurora-restore-[a-z-]+$"  # the code
    r"|^aurora-restore/\$\{Environment\}/[a-z-]+$"  # secrets, which have the environment's name in any case
    r"|:cluster-snapshot:aurora-restore-(copy|final|source)-\*$"  # with the mark beside it, as below
    r"|^aurora-restore:archived-at$"
    r"|:stack/aurora-restore\*/\*$"  # only looked at, to find which environments are here
)
# A name that only the Region tells from another one: IAM, S3 and dashboards are the same in all Regions of an account.
GLOBAL = {
    "AWS::IAM::Role": "RoleName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Chatbot::SlackChannelConfiguration": "ConfigurationName",
}
MARKED = re.compile(r"^aws:(Resource|Request)Tag/aurora-restore:(managed|replaceable)$")


def texts_of(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a template that is no description, with the key that it stands under."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name not in {
                "Description",
                "AlarmDescription",
                "ConstraintDescription",
                "AssertDescription",
                "Metadata",
            }:
                yield from texts_of(value, name if not name.startswith("Fn::") else key)
    elif isinstance(node, list):
        for item in node:
            yield from texts_of(item, key)
    elif isinstance(node, str):
        yield key, node


@pytest.mark.parametrize("path", TEMPLATES)
def test_nothing_is_named_without_its_environment_but_what_all_may_share(path: str) -> None:
    template = load_as_written(path)
    named = [text for _, text in texts_of(template["Resources"]) if "aurora-restore" in text]
    exports = [text for _, text in texts_of(template.get("Outputs", {})) if "aurora-restore" in text]
    assert [text for text in (*named, *exports) if not SHARED.search(text)] == []


@pytest.mark.parametrize("path", TEMPLATES)
def test_a_name_that_all_regions_of_an_account_share_has_the_region_in_it(path: str) -> None:
    for name, resource in load_as_written(path)["Resources"].items():
        given = resource.get("Properties", {}).get(GLOBAL.get(resource["Type"], ""))
        if given is not None and name != "DbaRole":
            assert given["Fn::Sub"].startswith("${NamePrefix}-"), name
            assert given["Fn::Sub"].endswith("-${AWS::Region}"), name


LONGEST = {"NamePrefix": "aurora-restore-staging", "AWS::Region": "us-isof-south-1", "AWS::AccountId": "123456789012"}
# https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
LIMITS = {
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::S3::Bucket": ("BucketName", 63),
    "AWS::Serverless::Function": ("FunctionName", 64),
    "AWS::Serverless::StateMachine": ("Name", 80),
    "AWS::Scheduler::Schedule": ("Name", 64),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::SQS::Queue": ("QueueName", 80),
}


@pytest.mark.parametrize("path", TEMPLATES)
def test_the_longest_environment_in_the_longest_region_stays_within_the_limits_of_names(path: str) -> None:
    for name, resource in load_as_written(path)["Resources"].items():
        member, limit = LIMITS.get(resource["Type"], ("", 0))
        for _, given in texts_of(resource.get("Properties", {}).get(member)):
            text = re.sub(r"\$\{([^}]+)\}", lambda part: LONGEST[part[1]], given)
            assert len(text) <= limit, f"{name}: {text}"


def test_the_dba_role_has_the_guides_name_and_in_a_second_region_the_regions_in_it() -> None:
    template = load_as_written("infrastructure/prerequisites.yaml")
    condition, further, first = template["Resources"]["DbaRole"]["Properties"]["RoleName"]["Fn::If"]
    assert template["Conditions"][condition] == {"Fn::Equals": [{"Ref": "DbaRoleNamedAfterRegion"}, "true"]}
    assert (further, first) == (
        {"Fn::Sub": "${NamePrefix}-dba-role-${AWS::Region}"},
        {"Fn::Sub": "${NamePrefix}-dba-role"},
    )
    assert template["Parameters"]["DbaRoleNamedAfterRegion"]["Default"] == "false"


def marks(node: Any) -> Iterator[tuple[str, Any]]:
    """What every condition on a mark of the pipeline asks for."""
    if isinstance(node, dict):
        for key, value in node.items():
            if MARKED.match(key):
                yield key, value
            yield from marks(value)
    elif isinstance(node, list):
        for item in node:
            yield from marks(item)


def test_every_right_on_a_cluster_or_snapshot_asks_for_the_mark_of_its_own_environment() -> None:
    asked = [item for path in TEMPLATES for item in marks(load_as_written(path))]
    assert len(asked) > 20
    assert [value for _, value in asked if value != {"Ref": "OwnershipMark"}] == []


def test_a_right_to_a_snapshot_by_its_name_asks_for_the_mark_as_well() -> None:
    template = load_as_written("infrastructure/lambda.yaml")
    found = 0
    for statement in _statements(template["Resources"]):
        if ":cluster-snapshot:aurora-restore-" in str(statement.get("Resource")):
            found += 1
            condition = statement["Condition"]
            assert list(marks(condition)) or condition == {"Bool": {"rds:TagsFromRequest": "false"}}, statement
    assert found > 5


def _statements(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "Effect" in node:
            yield node
        for value in node.values():
            yield from _statements(value)
    elif isinstance(node, list):
        for item in node:
            yield from _statements(item)


def test_the_mark_is_true_with_the_guides_names_and_the_environments_name_beside_them() -> None:
    root = load_as_written("template.yaml")
    given = root["Resources"]["Functions"]["Properties"]["Parameters"]["OwnershipMark"]
    assert given == {"Fn::If": ["HasGuidesNames", "true", {"Ref": "Environment"}]}
    assert root["Conditions"]["HasGuidesNames"] == {"Fn::Equals": [{"Ref": "NamePrefix"}, "aurora-restore"]}
    for path in ("template.yaml", "infrastructure/prerequisites.yaml"):
        parameters = load_as_written(path)["Parameters"]
        environments = parameters["Environment"]["AllowedValues"]
        assert parameters["NamePrefix"]["AllowedValues"] == [
            "aurora-restore", *(f"aurora-restore-{name}" for name in environments)
        ]  # fmt: skip
