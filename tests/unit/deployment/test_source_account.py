"""What would deploy well into the source account and never share anything is refused, with what to correct."""

from argparse import Namespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from deployment.account import Account, Refused
from deployment.source_account import bootstrap_source_account

REGION, OWNER, TARGET = "us-east-1", "123456789012", "210987654321"
GIVEN = {
    "TargetAccountId": TARGET,
    "TargetRegion": "us-west-2",
    "SourceClusterId": "shop-production",
    "SourceKeyArn": f"arn:aws:kms:{REGION}:{OWNER}:key/1",
}


class Owner(Account):
    """The account that owns production: no stack of ours, one cluster."""

    def client(self, service: str) -> Any:
        client = boto3.session.Session("key", "secret").client(service, region_name=REGION)  # type: ignore[call-overload]
        stub = Stubber(client)
        if service == "cloudformation":
            text = "Stack with id aurora-restore-source does not exist"
            stub.add_client_error("describe_stacks", "ValidationError", text)
        else:
            stub.add_response("describe_db_clusters", {"DBClusters": [{"DBClusterIdentifier": "shop-production"}]}, {})
        stub.activate()
        return client


@pytest.fixture
def owner() -> Account:
    return Owner(REGION, OWNER, f"arn:aws:iam::{OWNER}:user/dba", boto3.session.Session())


def bootstrap(owner: Account, **changed: str | None) -> int:
    given = {name: value for name, value in {**GIVEN, **changed}.items() if value is not None}
    return bootstrap_source_account(owner, Namespace(parameters=[f"{n}={v}" for n, v in given.items()], yes=True))


def test_what_is_missing_is_named_all_at_once(owner: Account) -> None:
    with pytest.raises(Refused, match="nothing for TargetRegion, SourceKeyArn: add --set TargetRegion=… --set SourceK"):
        bootstrap(owner, TargetRegion=None, SourceKeyArn=None)


def test_the_target_accounts_own_credentials_are_refused(owner: Account) -> None:
    with pytest.raises(Refused, match="expected those of the account that owns production"):
        bootstrap(owner, TargetAccountId=OWNER)


def test_a_cluster_that_is_not_here_is_refused(owner: Account) -> None:
    with pytest.raises(Refused, match=f"no cluster shop in account {OWNER}, Region {REGION}: correct"):
        bootstrap(owner, SourceClusterId="shop")


def test_a_parameter_that_the_template_does_not_have_is_refused(owner: Account) -> None:
    with pytest.raises(Refused, match="KeepSnapshots: expected NAME=VALUE with one of"):
        bootstrap(owner, KeepSnapshots="2")
