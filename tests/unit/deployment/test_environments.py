"""Several environments of one account: whose names are meant, and that no cluster can be the target of two."""

from argparse import Namespace
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import product

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from deployment import commands, stacks
from deployment.account import Account, Refused
from deployment.environments import (
    has_dba_role_elsewhere,
    names_beside,
    overlap,
    refuse_shared_targets,
    the_only_one,
)
from deployment.names import Names
from deployment.stacks import Stack, names_of, parameters_of, prerequisites_of

HERE, ELSEWHERE = "us-west-2", "eu-west-1"
STAGING = Names.beside("staging")


class Stacks:
    """The stacks of an account, by Region and name."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Stack] = {}

    def prerequisites(self, names: Names, environment: str, region: str = HERE, role: str = "") -> None:
        self._made[region, names.prerequisites] = Stack(
            names.prerequisites, "CREATE_COMPLETE", {}, {"Environment": environment, "DbaRoleArn": role}
        )

    def pipeline(self, names: Names, **parameters: str) -> None:
        self._made[HERE, names.pipeline] = Stack(names.pipeline, "UPDATE_COMPLETE", parameters, {})

    def find(self, account: Account, name: str) -> Stack | None:
        return self._made.get((account.region, name))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    found = Stacks()
    monkeypatch.setattr(stacks, "find_stack", found.find)
    return found


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield Account.of_environment(HERE)


def test_the_first_environment_of_a_region_has_the_guides_names_and_one_beside_it_its_own(
    made: Stacks, account: Account
) -> None:
    assert names_of(account, "staging") == Names()
    made.prerequisites(Names(), "staging")
    assert names_of(account, "staging") == Names()
    made.prerequisites(Names.beside("dev"), "dev")
    assert (names_of(account, "dev").of("delete-rds"), names_of(account, "dev").mark) == (
        "aurora-restore-dev-delete-rds", "dev",
    )  # fmt: skip
    assert prerequisites_of(account, "dev").name == "aurora-restore-dev-prerequisites"
    assert prerequisites_of(account, "staging").name == "aurora-restore-prerequisites"


def test_an_environment_that_is_not_there_is_refused_with_the_way_to_have_it_beside_the_other(
    made: Stacks, account: Account
) -> None:
    made.prerequisites(Names(), "dev")
    with pytest.raises(Refused, match=r"for dev, not for staging.*--env staging --region us-west-2 --beside"):
        prerequisites_of(account, "staging")


def test_whoever_names_no_environment_means_the_only_one_or_that_with_the_guides_names(
    made: Stacks, account: Account
) -> None:
    assert the_only_one(account) == Names()
    made.pipeline(STAGING)
    assert the_only_one(account) == STAGING
    made.pipeline(Names.beside("prod"))
    with pytest.raises(Refused, match="2 environments: pass --env staging or --env prod"):
        the_only_one(account)
    made.pipeline(Names())
    assert the_only_one(account) == Names()


def test_whoever_may_look_at_the_guides_stack_alone_is_asked_for_no_other(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def find(_: Account, name: str) -> Stack:
        looked.append(name)
        return Stack(name, "CREATE_COMPLETE", {}, {"Environment": "dev"})

    monkeypatch.setattr(stacks, "find_stack", find)
    assert the_only_one(account) == names_of(account, "dev") == Names()
    assert looked == ["aurora-restore", "aurora-restore-prerequisites"]


def test_a_pattern_of_targets_that_fits_another_environments_is_refused(made: Stacks, account: Account) -> None:
    made.pipeline(Names())  # any name, unless its stack says otherwise
    with pytest.raises(Refused, match=r"staging-\*, and \* of stack aurora-restore in us-west-2"):
        refuse_shared_targets(account, STAGING, "staging-*")
    made.pipeline(Names(), TargetClusterPattern="dev-*")
    refuse_shared_targets(account, STAGING, "staging-*")
    made.pipeline(STAGING, TargetClusterPattern="staging-*")
    refuse_shared_targets(account, STAGING, "stag*")  # its own of before does not count
    with pytest.raises(Refused, match="of stack aurora-restore-staging"):
        refuse_shared_targets(account, Names(), "*-1")


@pytest.mark.parametrize(
    ("section", "parameter"),
    [
        ("dev", "NamePrefix=aurora-restore-dev"),  # no command would find the stack
        ("dev", "ExistingTables=state-and-audit"),  # CloudFormation would delete the tables that it made
        ("dev-prerequisites", "MasterCredentialsValue=placeholder"),  # the password would be overwritten
        ("dev-prerequisites", "AccessDeletionPolicy=Delete"),  # what was adopted would go with the stack
    ],
)
def test_nobody_sets_by_hand_what_deploy_sh_decides(section: str, parameter: str) -> None:
    with pytest.raises(Refused, match=f"--set {parameter.partition('=')[0]}: expected NAME=VALUE with one of "):
        parameters_of(section, [parameter])


def test_an_environment_is_not_put_beside_itself(made: Stacks, account: Account) -> None:
    assert names_beside(account, "staging") == STAGING
    made.prerequisites(Names(), "dev")
    assert names_beside(account, "staging") == STAGING
    with pytest.raises(Refused, match=r"dev is in us-west-2 already.*leave --beside out"):
        names_beside(account, "dev")


def test_two_patterns_overlap_where_some_name_fits_both() -> None:
    patterns = ["".join(text) for length in range(1, 4) for text in product("ab*?", repeat=length)]
    names = ["".join(text) for length in range(6) for text in product("ab", repeat=length)]
    fit = {pattern: {name for name in names if fnmatchcase(name, pattern)} for pattern in patterns}
    wrong = [pair for pair in product(patterns, patterns) if overlap(*pair) != bool(fit[pair[0]] & fit[pair[1]])]
    assert wrong == []


def test_the_dba_role_that_another_region_made_is_found_by_that_regions_stack(made: Stacks, account: Account) -> None:
    assert not has_dba_role_elsewhere(account, Names())
    s3 = boto3.client("s3", region_name="us-east-1")
    for region in (HERE, ELSEWHERE):
        s3.create_bucket(Bucket=f"aurora-restore-lambda-code-{account.account_id}-{region}")
    # A bucket without a stack was made by hand, and so may the role have been.
    assert not has_dba_role_elsewhere(account, Names())
    made.prerequisites(Names(), "dev", ELSEWHERE, "arn:aws:iam::123456789012:role/aurora-restore-dba-role")
    assert has_dba_role_elsewhere(account, Names())
    assert not has_dba_role_elsewhere(account, STAGING)


def test_a_region_that_does_not_answer_keeps_nobody_from_another(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3.client("s3", region_name="us-east-1").create_bucket(
        Bucket=f"aurora-restore-lambda-code-{account.account_id}-{ELSEWHERE}"
    )

    def find(asked: Account, _name: str) -> Stack | None:
        if asked.region == ELSEWHERE:
            raise EndpointConnectionError(endpoint_url="https://cloudformation.eu-west-1.amazonaws.com")
        return None

    monkeypatch.setattr(stacks, "find_stack", find)
    with pytest.raises(Refused, match=f"{ELSEWHERE} has a code bucket.*--set DbaRoleNamedAfterRegion=true"):
        has_dba_role_elsewhere(account, Names())
    deployed: list[dict[str, str]] = []
    monkeypatch.setattr(stacks, "sam_deploy", lambda *asked, **_: deployed.append(asked[3]))
    given = ["DbaRoleNamedAfterRegion=true"]
    options = Namespace(env="dev", beside=False, yes=True, parameters=given, source_account=False)
    assert commands._bootstrap(account, options) == 0
    assert [parameters["DbaRoleNamedAfterRegion"] for parameters in deployed] == ["true"]
