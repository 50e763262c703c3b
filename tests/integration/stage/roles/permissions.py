"""The policies of the deployed roles, entry by entry."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from local_cloud.ministack.journals.iam import FILE
from local_cloud.regions import TARGET_REGION
from tests.conventions.cfn_yaml import as_list
from tests.integration.stage.world import World

WITHOUT = "without-"  # the names of targets whose runs lack a permission begin so


class Entry(NamedTuple):
    """One action in one statement of a role's policies."""

    function: str
    sid: str
    action: str


def role_of(function: str) -> str:
    """Return the name of a function's role, or of the state machine's (`pipeline`)."""
    return f"aurora-restore-{function}-{TARGET_REGION}"


def granted_to(world: World, function: str) -> set[Entry]:
    """Return everything that a function may do."""
    return granted_in(world.client("iam"), role_of(function), function)


def granted_in(iam: Any, role: str, function: str) -> set[Entry]:
    """Return everything that a role of an account may do."""
    inline = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in inline]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    return {
        Entry(function, statement["Sid"], action)
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
    }


def needed_so_far(world: World, region: str = TARGET_REGION) -> set[Entry]:
    """Return the entries without which a call of the roles of a Region would have been refused."""
    lines = (json.loads(line) for line in (world.cloud.run_dir / FILE).read_text().splitlines())
    prefix, suffix = role_of("|").replace(TARGET_REGION, region).split("|")
    return {
        Entry(role.removeprefix(prefix).removesuffix(suffix), sid, action)
        for role, sid, action in lines
        if role.endswith(suffix)
    }


@contextlib.contextmanager
def without(world: World, entry: Entry) -> Iterator[None]:
    """Take one entry from the inline policy of a function's role."""
    iam, role = world.client("iam"), role_of(entry.function)
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(_narrower(document, entry)))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _narrower(document: dict[str, Any], entry: Entry) -> dict[str, Any]:
    statements = []
    for statement in document["Statement"]:
        actions = as_list(statement["Action"])
        if statement["Sid"] == entry.sid:
            actions = [action for action in actions if action != entry.action]
        if actions:
            statements.append({**statement, "Action": actions})
    assert statements != document["Statement"], f"no entry {entry}"
    return {**document, "Statement": statements}
