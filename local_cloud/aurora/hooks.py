"""What the local Aurora asks of the cloud around it: who calls, may they, keys, secrets.

The defaults suit tests: everybody may do everything, every key exists, secrets live in memory.
"""

from __future__ import annotations

import re
import secrets as random_source
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from local_cloud.aurora.errors import ApiError

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([a-z0-9-]+)/rds/aws4_request")
SCOPE_PARTS = 5  # of a credential: key, date, Region, service, aws4_request


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sent a request; `arn` is the IAM ARN that an access-denied message names."""

    account_id: str
    arn: str
    access_key_id: str = ""


@dataclass(frozen=True, kw_only=True)
class ResourceRequest:
    """One resource that an action touches, with the condition context of that resource.

    Context keys: aws:ResourceTag/<k>, rds:<type>-tag/<k>, aws:RequestTag/<k>, rds:req-tag/<k>, aws:TagKeys,
    aws:RequestedRegion, and for actions on keys kms:ViaService and kms:GrantIsForAWSResource.
    """

    arn: str
    context: Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class KmsKey:
    """A KMS key as RDS sees it; `aws_managed` is true for the key behind alias/aws/rds."""

    arn: str
    enabled: bool = True
    aws_managed: bool = False


class Authenticator(Protocol):
    """Tells who calls."""

    def authenticate(self, headers: Mapping[str, str], body: bytes) -> Caller:
        """Return the caller; raise ApiError (403) for bad credentials. Header names are in lower case."""

    def authenticate_url(self, url: str) -> Caller:
        """Return who presigned a GET of this URL; raise ApiError (403) for bad credentials."""


class Authorizer(Protocol):
    """Tells whether the caller may."""

    def authorize(self, caller: Caller, action: str, resources: Sequence[ResourceRequest]) -> None:
        """Raise AccessDeniedError unless `action` (rds:…, kms:…, secretsmanager:…) is allowed on every resource."""


class KeyStore(Protocol):
    """Looks KMS keys up."""

    def find_key(self, account_id: str, region: str, key_id: str) -> KmsKey | None:
        """Return the key of an id, ARN, alias name or alias ARN as `account_id` sees it from `region`, else None.

        `alias/aws/rds` and `alias/aws/secretsmanager` always exist.
        """


class Functions(Protocol):
    """Reaches the functions that work in the databases."""

    def kill(self, operation_id: str) -> None:
        """End the process of the function that works on an operation."""

    def run_again(self, operation_id: str) -> None:
        """Run that function once more with the same event, and wait for its end."""


class SecretStore(Protocol):
    """Keeps the secrets of RDS-managed master passwords."""

    def create(
        self, account_id: str, region: str, name: str, value: str, kms_key_id: str | None, tags: Mapping[str, str]
    ) -> str:
        """Create a secret and return its ARN."""

    def update(self, arn: str, value: str) -> None:
        """Give a secret a new value."""

    def get(self, arn: str) -> str:
        """Return a secret's value."""

    def delete(self, arn: str) -> None:
        """Delete a secret at once."""


def credential_scope(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return access key id and Region of the SigV4 credential scope."""
    found = _CREDENTIAL.search(headers.get("authorization", ""))
    if not found:
        raise ApiError("MissingAuthenticationToken", "Request is missing Authentication Token", http_status=403)
    return found[1], found[2]


def presigning_key(url: str) -> tuple[str, str]:
    """Return access key id and Region of a presigned URL."""
    scope = parse_qs(urlsplit(url).query).get("X-Amz-Credential", [""])[-1].split("/")
    if len(scope) != SCOPE_PARTS:
        raise ApiError("MissingAuthenticationToken", "The URL is not signed", http_status=403)
    return scope[0], scope[2]


class AnyCaller:
    """Believes every caller; a 12-digit access key id is taken as the account id."""

    def __init__(self, default_account_id: str) -> None:
        self._default_account_id = default_account_id

    def authenticate(self, headers: Mapping[str, str], body: bytes) -> Caller:  # noqa: ARG002
        """Return the caller of the credential scope, with an unchecked signature."""
        key, _ = credential_scope(headers)
        return self._caller(key)

    def authenticate_url(self, url: str) -> Caller:
        """Return the caller of the credential scope, with an unchecked signature."""
        return self._caller(presigning_key(url)[0])

    def _caller(self, key: str) -> Caller:
        account = key if re.fullmatch(r"\d{12}", key) else self._default_account_id
        return Caller(account_id=account, arn=f"arn:aws:iam::{account}:user/local", access_key_id=key)


class AllowAll:
    """Allows everything."""

    def authorize(self, caller: Caller, action: str, resources: Sequence[ResourceRequest]) -> None:
        """Allow."""


class AnyKey:
    """Knows every key: any name is an enabled key of the caller's account, an ARN is itself."""

    def find_key(self, account_id: str, region: str, key_id: str) -> KmsKey | None:
        """Return the key that the name stands for."""
        if key_id.startswith("arn:"):
            return KmsKey(arn=key_id) if f":{region}:" in key_id else None
        name = key_id.removeprefix("alias/").replace("/", "-")
        return KmsKey(
            arn=f"arn:aws:kms:{region}:{account_id}:key/{name}",
            aws_managed=key_id.startswith("alias/aws/"),
        )


@dataclass
class SecretsInMemory:
    """Keeps secrets in a dictionary."""

    values: dict[str, str] = field(default_factory=dict)

    def create(
        self,
        account_id: str,
        region: str,
        name: str,
        value: str,
        kms_key_id: str | None,  # noqa: ARG002
        tags: Mapping[str, str],  # noqa: ARG002
    ) -> str:
        """Keep a new secret."""
        arn = f"arn:aws:secretsmanager:{region}:{account_id}:secret:{name}-{random_source.token_hex(3)}"
        self.values[arn] = value
        return arn

    def update(self, arn: str, value: str) -> None:
        """Replace the value."""
        self.values[arn] = value

    def get(self, arn: str) -> str:
        """Return the value."""
        return self.values[arn]

    def delete(self, arn: str) -> None:
        """Forget the secret."""
        del self.values[arn]


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """All that the local Aurora asks of the cloud around it."""

    authenticator: Authenticator
    authorizer: Authorizer = field(default_factory=AllowAll)
    keys: KeyStore = field(default_factory=AnyKey)
    secrets: SecretStore = field(default_factory=SecretsInMemory)
    functions: Functions | None = None


def permissive_hooks(account_id: str) -> Hooks:
    """Return hooks for tests: nothing is refused."""
    return Hooks(authenticator=AnyCaller(account_id))
