"""Puts values into the secrets. They come from a file, standard input or the random generator, never from arguments."""

import json
import secrets
import sys
from pathlib import Path
from typing import Any, cast

from botocore.exceptions import ClientError

from deployment.account import Account, Refused, error_code, explain, told
from deployment.stacks import Stack
from utils.aws.secrets import SecretsGateway
from utils.errors import SecretInvalid

_USUAL_USERS = {"application_user": "app_user", "readonly_user": "readonly_user", "devops_user": "devops_user"}


def put_secret(account: Account, prerequisites: Stack, environment: str, name: str, file: str | None) -> str:
    """Check a value as the pipeline will, put it, return the secret's name; `file` None generates passwords."""
    secret = f"aurora-restore/{environment}/{name}"
    text = _generated(name) if file is None else _read(file)
    _check(secret, name, text)
    with told():
        try:
            _client(account, prerequisites, name).put_secret_value(SecretId=secret, SecretString=text)
        except ClientError as error:
            if error_code(error) != "InvalidRequestException":
                raise
            # AWS refuses a secret that is marked for deletion, and says no more than that.
            where = f"--secret-id {secret} --region {account.region}"
            raise Refused(
                f"{explain(error)}; if it is marked for deletion (aws secretsmanager describe-secret {where}), "
                f"take that back with aws secretsmanager restore-secret {where}, then run this again"
            ) from None
    return secret


def _generated(name: str) -> str:
    if name == "master-credentials":
        return json.dumps({"username": "master", "password": _password()})
    return json.dumps({user: {"username": login, "password": _password()} for user, login in _USUAL_USERS.items()})


def _password() -> str:
    return secrets.token_urlsafe(24)  # no slash, quote, at sign or space, which RDS refuses


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"--file {file} cannot be read: {type(error).__name__}") from None


class _InHand:
    """Stands in for Secrets Manager, so that a value is judged before it is put, by the code that reads it later."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self, **_: object) -> dict[str, str]:
        return {"SecretString": self._text}


def _check(secret: str, name: str, text: str) -> None:
    gateway = SecretsGateway(cast(Any, _InHand(text)))
    try:
        if name == "master-credentials":
            gateway.master_credentials(secret)
        else:
            gateway.app_credentials(secret)
    except SecretInvalid as error:
        raise Refused(f"nothing was put. {error}") from None


def _client(account: Account, prerequisites: Stack, name: str) -> Any:
    """Return who may write the secret: the DBA role for the master's, which only the account's root need not take."""
    if name != "master-credentials" or account.caller_arn.endswith(":root"):
        return account.client("secretsmanager")
    role = prerequisites.outputs["DbaRoleArn"]
    if f":assumed-role/{role.rpartition('/')[2]}/" in account.caller_arn:
        return account.client("secretsmanager")
    try:
        given = account.client("sts").assume_role(RoleArn=role, RoleSessionName="deploy-put-secret")["Credentials"]
    except ClientError as error:
        if error_code(error).startswith("AccessDenied"):
            raise Refused(
                f"{account.caller_arn} may not assume {role}, which alone may write the master's password: "
                "give the caller sts:AssumeRole on it, or ask a DBA"
            ) from None
        raise
    return account.session.client(
        "secretsmanager",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
