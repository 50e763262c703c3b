"""Secrets are read or refused, and no error ever shows what is in one."""

import json
import traceback
from contextlib import nullcontext
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pydantic import ValidationError

from utils.aws.secrets import SecretsGateway
from utils.credentials import AppCredentials, Auth, Credentials, Profile
from utils.errors import AwsRequestRejected, SecretInvalid

PLANTED = "Planted-Pa55word"
MASTER = {"username": "master", "password": PLANTED}
USERS = {
    "application_user": {"username": "app", "password": PLANTED + "-1"},
    "readonly_user": {"username": "reader", "password": PLANTED + "-2"},
    "devops_user": {"username": "devops", "password": PLANTED + "-3"},
}


@pytest.fixture
def secrets() -> Any:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="us-west-2")


def put(secrets: Any, value: object) -> SecretsGateway:
    secrets.create_secret(Name="the-secret", SecretString=value if isinstance(value, str) else json.dumps(value))
    return SecretsGateway(secrets)


def texts_of(error: BaseException) -> str:
    """Everything an error shows to somebody who prints, logs or pickles it."""
    shown = [str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
    return "\n".join([*shown, texts_of(error.__cause__) if error.__cause__ else ""])


def test_the_masters_credentials_are_read(secrets: Any) -> None:
    credentials = put(secrets, MASTER | {"engine": "postgres"}).master_credentials("the-secret")
    assert (credentials.username, credentials.password.get_secret_value()) == ("master", PLANTED)


@pytest.mark.parametrize("character", ["/", "@", '"', " ", "é", "\n"])
def test_a_master_password_that_rds_would_refuse_is_refused_by_name_of_its_field(secrets: Any, character: str) -> None:
    gateway = put(secrets, MASTER | {"password": f"Planted{character}Pa55word"})
    with pytest.raises(SecretInvalid, match="the-secret, password: found a character that RDS refuses") as refused:
        gateway.master_credentials("the-secret")
    assert "Planted" not in texts_of(refused.value)


def test_the_users_credentials_are_read(secrets: Any) -> None:
    credentials = put(secrets, USERS).app_credentials("the-secret")
    assert credentials.devops_user.username == "devops"
    password = credentials.readonly_user.password
    assert password is not None
    assert password.get_secret_value() == PLANTED + "-2"


def test_more_users_say_their_profile_and_users_of_iam_need_no_password(secrets: Any) -> None:
    more = {"reports": {"username": "reports", "profile": "readonly", "auth": "iam"}}
    more["batch"] = {"username": "batch", "profile": "application", "password": PLANTED + "-4"}
    credentials = put(secrets, USERS | more).app_credentials("the-secret")
    assert [(entry, profile, login.auth, login.password is None) for entry, profile, login in credentials.logins()] == [
        ("application_user", Profile.APPLICATION, Auth.PASSWORD, False),
        ("readonly_user", Profile.READONLY, Auth.PASSWORD, False),
        ("devops_user", Profile.DEVOPS, Auth.PASSWORD, False),
        ("batch", Profile.APPLICATION, Auth.PASSWORD, False),
        ("reports", Profile.READONLY, Auth.IAM, True),
    ]
    assert PLANTED not in f"{credentials!r} {credentials.model_dump_json()}"


def test_credentials_do_not_show_their_password() -> None:
    for shown in (Credentials.model_validate(MASTER), AppCredentials.model_validate(USERS)):
        assert PLANTED not in f"{shown!r} {shown} {shown.model_dump()} {shown.model_dump_json()}"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (" ", "SecretString"),
        ("not json " + PLANTED, "SecretString"),
        ("[" * 50_000 + PLANTED, "SecretString"),
        (f'{{"password": {"9" * 5000}, "username": "{PLANTED}"}}', "SecretString"),
        (f'{{"password": "{PLANTED}", "password": "{PLANTED}-2"}}', "SecretString"),
        (f'{{"password": "{PLANTED}"', "SecretString"),
        ([PLANTED], ""),
        (PLANTED, "SecretString"),
        ({"password": PLANTED}, "username"),
        ({"username": "", "password": PLANTED}, "username"),
        ({"username": PLANTED * 10, "password": PLANTED}, "username"),
        ({"username": "master"}, "password"),
        ({"username": "master", "password": "Plant3d"}, "password"),
        ({"username": "master", "password": PLANTED * 20}, "password"),
        ({"username": "master", "password": [PLANTED]}, "password"),
        ({"username": "master", "password": {"value": PLANTED}}, "password"),
        ({"username": [PLANTED], "password": PLANTED}, "username"),
    ],
)
def test_a_malformed_master_secret_is_refused_by_place_only(secrets: Any, value: object, field: str) -> None:
    with pytest.raises(SecretInvalid) as refused:
        put(secrets, value).master_credentials("the-secret")
    assert refused.value.field == f"secret the-secret, {field}"
    assert "Plant" not in texts_of(refused.value)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (MASTER, "application_user"),
        ({name: USERS[name] for name in ("application_user", "readonly_user")}, "devops_user"),
        (USERS | {"dba": {"username": "dba", "password": PLANTED}}, "dba.profile"),
        (USERS | {"dba": {"username": "dba", "password": PLANTED, "profile": PLANTED}}, "dba.profile"),
        (USERS | {"dba": {"username": "reader", "password": PLANTED, "profile": "readonly"}}, "username"),
        (USERS | {"dba": PLANTED}, "dba"),
        (USERS | {"readonly_user": {"username": "reader", "password": PLANTED, "auth": "iam"}}, "readonly_user"),
        (USERS | {"readonly_user": {"username": "reader"}}, "readonly_user"),
        (USERS | {"readonly_user": {"username": "é" * 40, "password": PLANTED}}, "readonly_user.username"),
        (USERS | {"readonly_user": {"username": "rea\0der", "password": PLANTED}}, "readonly_user.username"),
        (USERS | {"readonly_user": {"username": "public", "password": PLANTED}}, "readonly_user.username"),
        (USERS | {"readonly_user": {"username": "none", "password": PLANTED}}, "readonly_user.username"),
        (USERS | {"readonly_user": USERS["application_user"]}, "username"),
        (USERS | {"readonly_user": PLANTED}, "readonly_user"),
        (USERS | {"readonly_user": {"username": "reader", "password": "Plant3d"}}, "readonly_user.password"),
    ],
)
def test_a_malformed_users_secret_is_refused_by_place_only(secrets: Any, value: object, field: str) -> None:
    with pytest.raises(SecretInvalid) as refused:
        put(secrets, value).app_credentials("the-secret")
    assert refused.value.field == f"secret the-secret, {field}"
    assert "Plant" not in texts_of(refused.value)


@pytest.mark.parametrize(("length", "is_taken"), [(8, True), (99, True), (100, False)])
def test_a_users_password_has_8_to_99_characters(length: int, is_taken: bool) -> None:
    reader = {"username": "reader", "password": "x" * length}
    with nullcontext() if is_taken else pytest.raises(ValidationError):
        AppCredentials.model_validate(USERS | {"readonly_user": reader})


def test_the_templates_placeholder_is_no_password(secrets: Any) -> None:
    with pytest.raises(SecretInvalid, match="found the placeholder of the template"):
        put(secrets, {"username": "master", "password": "PLACEHOLDER"}).master_credentials("the-secret")


@pytest.mark.parametrize("placeholder", ["APP_PASSWORD", "READONLY_PASSWORD", "DEVOPS_PASSWORD"])
def test_each_users_placeholder_is_refused(secrets: Any, placeholder: str) -> None:
    users = USERS | {"devops_user": {"username": "devops", "password": placeholder}}
    with pytest.raises(SecretInvalid, match="placeholder"):
        put(secrets, users).app_credentials("the-secret")


def test_a_secret_that_is_not_there_is_refused_by_name(secrets: Any) -> None:
    with pytest.raises(SecretInvalid, match="secret no-secret, SecretString: found no secret or no value"):
        SecretsGateway(secrets).master_credentials("no-secret")


def test_a_secret_of_bytes_is_refused(secrets: Any) -> None:
    secrets.create_secret(Name="the-secret", SecretBinary=PLANTED.encode())
    with pytest.raises(SecretInvalid) as refused:
        SecretsGateway(secrets).master_credentials("the-secret")
    assert "Plant" not in texts_of(refused.value)


def test_a_deleted_secret_is_what_aws_says_it_is(secrets: Any) -> None:
    gateway = put(secrets, MASTER)
    secrets.delete_secret(SecretId="the-secret")
    with pytest.raises(AwsRequestRejected, match="InvalidRequestException"):
        gateway.master_credentials("the-secret")


def test_a_password_that_is_too_short_is_said_to_be_so_in_characters(secrets: Any) -> None:
    users = USERS | {"readonly_user": {"username": "reader", "password": "Plant3d"}}
    with pytest.raises(SecretInvalid, match="expected at least 8 characters"):
        put(secrets, users).app_credentials("the-secret")
