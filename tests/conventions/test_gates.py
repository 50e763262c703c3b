"""What the gates let pass: suppressions with a reason, actions of others by commit."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conventions.cfn_yaml import REPOSITORY, load_template, resources_of_type
from tooling.environments import environment_bin

TEMPLATES = [
    "template.yaml",
    *sorted(f"infrastructure/{path.name}" for path in REPOSITORY.glob("infrastructure/*.yaml")),
]
CHECKOV = REPOSITORY / ".checkov.yaml"
# What checkov wants of every function, and the functions that have it: these keep it, all others need the skip.
SKIPPED_FOR_FUNCTIONS = {
    "CKV_AWS_115": ("ReservedConcurrentExecutions", set[str]()),
    "CKV_AWS_116": ("DeadLetterQueue", {"SnsNotificationFunction"}),
    "CKV_AWS_117": ("VpcConfig", {"SetupDbUsersFunction", "CheckSwapStatusFunction"}),
    "CKV_AWS_173": ("KmsKeyArn", set[str]()),
}
# Why checkov still minds a resource that has a skip of its own.
SKIPPED_FOR_ONE: dict[str, Callable[[dict[str, Any]], bool]] = {
    "CKV_AWS_18": lambda bucket: "LoggingConfiguration" not in bucket,
    "CKV_AWS_27": lambda queue: "KmsMasterKeyId" not in queue,
    "CKV_AWS_33": lambda key: "'AWS': '*'" in str(key["KeyPolicy"]),
}
WITH_TOOLS = os.environ | {"PATH": f"{environment_bin('dev')}:{os.environ['PATH']}"}
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
    own = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    # Renewing pushes a branch and opens a pull request; it runs nothing of what it renews.
    assert own == {"renew.yml": {"renew": dict.fromkeys(("actions", "contents", "pull-requests"), "write")}}.get(
        path.name, {}
    )
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_commands_of_a_workflow_are_sound_bash(path: Path, tmp_path: Path) -> None:
    for number, command in enumerate(commands_of(path)):
        script = tmp_path / f"{number}.sh"
        script.write_text(f"#!/usr/bin/env bash\n{command}")
        done = subprocess.run(["shellcheck", str(script)], env=WITH_TOOLS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_renewed_locks_are_proposed_and_tested_and_nothing_is_when_nothing_changed(tmp_path: Path) -> None:
    origin, clone, programs = tmp_path / "origin", tmp_path / "clone", tmp_path / "bin"
    programs.mkdir()
    (programs / "gh").write_text('#!/bin/sh\necho "gh $*" >>"$RUNNER_TEMP/said"\n')
    (programs / "gh").chmod(0o755)
    (tmp_path / "summary.md").write_text("## dev\n")
    environment = WITH_TOOLS | {
        "PATH": f"{programs}:{WITH_TOOLS['PATH']}",
        "RUNNER_TEMP": str(tmp_path),
        "BRANCH": "renewed",
    }

    def shell(command: str, folder: Path = tmp_path) -> str:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, check=True, text=True,
            stdout=subprocess.PIPE,
        ).stdout  # fmt: skip

    shell("git init --quiet --bare origin; git clone --quiet origin clone 2>&1")
    shell("mkdir requirements; echo 1 >requirements/dev.txt; git add .", clone)
    shell("git -c user.name=t -c user.email=t@example.org commit --quiet --message first", clone)
    propose = commands_of(REPOSITORY / ".github/workflows/renew.yml")[-1]
    shell(propose, clone)
    assert not (tmp_path / "said").exists()
    (clone / "requirements/dev.txt").write_text("2\n")
    shell(propose, clone)
    assert shell("git log --format=%B -1 renewed", origin) == "Renew the locks\n\n## dev\n\n"
    said = (tmp_path / "said").read_text().splitlines()
    assert said[-2:] == [
        f"gh pr create --head renewed --title Renew the locks --body-file {tmp_path}/summary.md",
        "gh workflow run test.yml --ref renewed",
    ]


def commands_of(workflow: Path) -> list[str]:
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_only_a_person_starts_a_deployment() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/deploy.yml").read_text())
    assert list(workflow[True]) == ["workflow_dispatch"]  # YAML 1.1 reads the key `on` as true


def test_the_source_account_opens_its_key_to_three_roles_of_the_pipeline_only() -> None:
    resources = load_template("infrastructure/source-account.yaml")["Resources"]
    statements = resources["SharedSnapshotsKey"]["Properties"]["KeyPolicy"]["Statement"]
    others = [statement for statement in statements[1:] if "Service" not in statement["Principal"]]
    assert others
    for statement in others:
        assert "TargetAccountId" in str(statement["Principal"])
        assert "kms:*" not in statement["Action"]
        roles = re.findall(r"role/([\w-]+)-\$\{TargetRegion\}", str(statement["Condition"]["ArnEquals"]))
        assert roles
        assert set(roles) <= {f"aurora-restore-{step}" for step in ("snapshot-check", "copy-snapshot", "delete-rds")}
