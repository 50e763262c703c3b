"""The account and Region that are deployed to, and how their errors are told."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

_CONFIG = Config(connect_timeout=5, read_timeout=300, retries={"mode": "standard", "total_max_attempts": 4})
_DENIED = ("AccessDenied", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized")
_READS_A_TABLE = ("GetItem", "Query", "Scan")
_NOT_LOGGED_IN = ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient", "SignatureDoesNotMatch")


class Refused(Exception):
    """What deploy.sh was asked for cannot be done; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """Where things are deployed, in whose name."""

    region: str
    account_id: str
    caller_arn: str
    session: boto3.session.Session

    @classmethod
    def of_environment(cls, region: str | None) -> "Account":
        """Find Region and credentials as the AWS CLI does; raises `Refused` if either is missing."""
        with told():
            session = boto3.session.Session(region_name=region or os.environ.get("AWS_REGION"))
            if session.region_name is None:
                raise NoRegionError
            known = session.get_available_regions("sts")
            if session.region_name not in known:
                raise Refused(
                    f"no Region {session.region_name!r}: name one such as us-west-2 with --region or AWS_REGION"
                )
            identity = session.client("sts", config=_CONFIG).get_caller_identity()
        return cls(session.region_name, identity["Account"], identity["Arn"], session)

    @property
    def partition(self) -> str:
        """The partition in this account's ARNs: aws, aws-cn or aws-us-gov."""
        return self.caller_arn.split(":")[1] or "aws"

    def client(self, service: str) -> Any:
        """Return a boto3 client in this Region."""
        return _client(self.session, service)


@cache
def _client(session: boto3.session.Session, service: Any) -> Any:
    return session.client(service, config=_CONFIG)


def error_code(error: ClientError) -> str:
    """Return AWS's code of an error, such as AccessDenied."""
    return str(error.response.get("Error", {}).get("Code", ""))


def if_there(call: Callable[..., Any], *missing: str, **arguments: Any) -> Any:
    """Return what a call answers, None where AWS refuses it with a code that says that there is no such thing."""
    try:
        return call(**arguments)
    except ClientError as error:
        if error_code(error) in missing:
            return None
        raise


def require_word(ask: Callable[[str], str], question: str, word: str, otherwise: str) -> None:
    """Ask once; raises `Refused` with `otherwise` for any answer but `word`, and where nobody can answer."""
    try:
        answer = ask(question)
    except EOFError:
        answer = ""
    if answer.strip() != word:
        raise Refused(otherwise)


@contextmanager
def told() -> Iterator[None]:
    """Turn boto3's errors into `Refused`, with what to do."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise Refused(explain(error)) from error


def explain(error: ClientError | BotoCoreError) -> str:
    """Say in one line what went wrong and what to do."""
    if isinstance(error, NoRegionError):
        return "no Region: pass --region, or set AWS_REGION"
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, ProfileNotFound)):
        return f"no AWS credentials ({error}): set AWS_PROFILE, or log in with aws sso login"
    if isinstance(error, ClientError):
        code, text = error_code(error), error.response.get("Error", {}).get("Message", "")
        if code.startswith(_DENIED):
            return f"no permission for {error.operation_name}: {text}; use credentials that are allowed to"
        if code.startswith(_NOT_LOGGED_IN):
            return f"AWS does not take the credentials ({code}): log in again, or set AWS_PROFILE"
        if code == "ResourceNotFoundException" and error.operation_name in _READS_A_TABLE:
            return "no table of the pipeline here: deploy it (./deploy.sh deploy), or name its Region with --region"
        return f"{error.operation_name} failed with {code}: {text}"
    return f"no answer from AWS ({type(error).__name__}: {error}): check the network and try again"
