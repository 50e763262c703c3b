"""Commands that deploy.sh tells people to type name their Region, as people's shells have another one or none."""

import ast
import re
from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from deployment import destroy, secret_values, stacks
from deployment.account import Account, Refused
from deployment.names import Names
from deployment.stacks import Stack
from tests.conventions.cfn_yaml import REPOSITORY
from tests.unit.operation.tables import make_table

REGION = "us-west-2"
# With what belongs to it; a command that is only named has no options.
_COMMAND = re.compile(r"aws (?!sso )[a-z0-9]+ [a-z0-9]+(?:-[a-z0-9]+)+ (?:--|\{)[^;]*|aws logs tail [^;]*")


def texts() -> Iterator[str]:
    for path in sorted((REPOSITORY / "deployment").rglob("*.py")):
        yield from (
            ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)
        )


def test_every_command_names_its_region() -> None:
    found = [command for text in texts() for command in _COMMAND.findall(text)]
    assert len(found) > 12
    # `where` is the end of a command that is told twice, its Region included.
    assert [command for command in found if not re.search(r"region|\{where\}", command)] == []


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account(REGION, "123456789012", "arn:aws:iam::123456789012:root", boto3.session.Session(None, None))


def test_what_stays_after_the_stack_is_removed_in_its_region(
    account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_table("aurora-restore-state", "operation_id")
    monkeypatch.setattr(stacks, "find_stack", lambda _account, name: Stack(name, "CREATE_COMPLETE", {}, {}))
    destroy._tell_what_stays(account, Names(), None)
    lines = [line for line in capsys.readouterr().out.splitlines() if ": aws " in line]
    assert len(lines) == 2
    assert all(f" --region {REGION}" in line for line in lines), lines


def test_a_value_for_a_secret_that_is_marked_for_deletion_is_refused_with_the_command_that_takes_that_back(
    monkeypatch: pytest.MonkeyPatch, account: Account
) -> None:
    client = boto3.client("secretsmanager", region_name=REGION)
    stub = Stubber(client)
    stub.add_client_error("put_secret_value", "InvalidRequestException", "You can't perform this operation now.")
    stub.activate()
    monkeypatch.setattr(Account, "client", lambda _self, _service: client)
    prerequisites = Stack("aurora-restore-prerequisites", "CREATE_COMPLETE", {}, {})
    with pytest.raises(Refused) as refused:
        secret_values.put_secret(account, prerequisites, "dev", "app-credentials", None)
    secret = "aurora-restore/dev/app-credentials"
    assert f"aws secretsmanager restore-secret --secret-id {secret} --region {REGION}" in str(refused.value)
    assert "You can't perform this operation now." in str(refused.value)
