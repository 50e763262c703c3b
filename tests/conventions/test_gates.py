"""What the gates let pass: suppressions with a reason, actions of others by commit."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.conventions.cfn_yaml import REPOSITORY, load_template, resources_of_type

TEMPLATES = [
    "template.yaml",
    *sorted(f"infrastructure/{path.name}" for path in REPOSITORY.glob("infrastructure/*.yaml")),
]
CHECKOV = REPOSITORY / ".checkov.yaml"
# What checkov wants of every function, and the functions that have it: these keep it, all others need the skip.
SKIPPED_FOR_FUNCTIONS = {
    "CKV_AWS_115": ("ReservedConcurrentExecutions", set[str]()),
    "CKV_AWS_116": ("DeadLetterQueue", {"SnsNotificationFunction"}),
    "CKV_AWS_117": ("VpcConfig", {"SetupDbUsersFunction"}),
    "CKV_AWS_173": ("KmsKeyArn", set[str]()),
}
# Why checkov still minds a resource that has a skip of its own.
SKIPPED_FOR_ONE: dict[str, Callable[[dict[str, Any]], bool]] = {
    "CKV_AWS_18": lambda bucket: "LoggingConfiguration" not in bucket,
    "CKV_AWS_27": lambda queue: "KmsMasterKeyId" not in queue,
    "CKV_AWS_33": lambda key: "'AWS': '*'" in str(key["KeyPolicy"]),
}
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_suppression_of_checkov_says_why_and_is_needed(template: str) -> None:
    for name, resource in load_template(template).get("Resources", {}).items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            assert re.fullmatch(r"CKV_\w+", skip["id"]), name
            assert len(skip["comment"].split()) > 4, f"{name}: {skip}"
            assert SKIPPED_FOR_ONE[skip["id"]](resource["Properties"]), f"{name}: {skip}"


def test_what_checkov_leaves_out_for_all_functions_is_said_once_with_its_reason() -> None:
    skipped = yaml.safe_load(CHECKOV.read_text())["skip-check"]
    assert set(skipped) == set(SKIPPED_FOR_FUNCTIONS)
    for check in skipped:
        reason = re.search(rf"((?:  # .*\n)+)  - {check}\n", CHECKOV.read_text())
        assert reason, check
        assert len(reason[1].split()) > 5, check
        assert [template for template in TEMPLATES if check in (REPOSITORY / template).read_text()] == []


@pytest.mark.parametrize("check", SKIPPED_FOR_FUNCTIONS)
def test_a_skip_for_all_functions_is_needed_and_takes_nothing_from_those_that_pass(check: str) -> None:
    wanted, having = SKIPPED_FOR_FUNCTIONS[check]
    template = load_template("infrastructure/lambda.yaml")
    assert wanted not in template["Globals"]["Function"]
    functions = resources_of_type(template, "AWS::Serverless::Function")
    assert {name for name, properties in functions.items() if wanted in properties} == having
    others = [template for template in TEMPLATES if template != "infrastructure/lambda.yaml"]
    assert not any(resources_of_type(load_template(other), "AWS::Serverless::Function") for other in others)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_uses_actions_by_commit_with_few_rights(path: Any) -> None:
    workflow = yaml.safe_load(path.read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)
    assert workflow["permissions"]["contents"] == "read"
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")]


def test_only_a_person_starts_a_deployment() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/deploy.yml").read_text())
    assert list(workflow[True]) == ["workflow_dispatch"]  # YAML 1.1 reads the key `on` as true


def test_the_source_account_opens_its_key_to_three_roles_of_the_pipeline_only() -> None:
    resources = load_template("infrastructure/source-account.yaml")["Resources"]
    statements = resources["SharedSnapshotsKey"]["Properties"]["KeyPolicy"]["Statement"]
    for statement in statements[1:]:
        assert "TargetAccountId" in str(statement["Principal"])
        assert "kms:*" not in statement["Action"]
        roles = re.findall(r"role/([\w-]+)-\$\{TargetRegion\}", str(statement["Condition"]["ArnEquals"]))
        assert roles
        assert set(roles) <= {f"aurora-restore-{step}" for step in ("snapshot-check", "copy-snapshot", "delete-rds")}
