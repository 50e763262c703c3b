"""What the gates let pass: suppressions with a reason, actions of others by commit."""

import re
from typing import Any

import pytest
import yaml

from tests.conventions.cfn_yaml import REPOSITORY, load_template

TEMPLATES = [
    "template.yaml",
    *sorted(f"infrastructure/{path.name}" for path in REPOSITORY.glob("infrastructure/*.yaml")),
]
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_suppression_of_checkov_says_why(template: str) -> None:
    for name, resource in load_template(template).get("Resources", {}).items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            assert re.fullmatch(r"CKV_\w+", skip["id"]), name
            assert len(skip["comment"].split()) > 4, f"{name}: {skip}"


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
