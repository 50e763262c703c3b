"""What the local Aurora asks of the cloud around it: who calls, may they, keys, secrets, roles."""

from __future__ import annotations

import re
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
    symmetric: bool = True
    aws_managed: bool = False


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A subnet of a VPC as RDS sees it."""

    identifier: str
    vpc_id: str
    zone: str
    free_addresses: int = 4091
    ipv6: bool = False


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret of Secrets Manager."""

    value: str = field(repr=False)
    tags: Mapping[str, str]


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


class RoleStore(Protocol):
    """Looks IAM roles up."""

    def trusted_services(self, arn: str) -> frozenset[str] | None:
        """Return the services that may take a role on (rds.amazonaws.com), None if there is no such role."""


class Networks(Protocol):
    """Looks the VPCs of an account in a Region up."""

    def default_subnets(self, account_id: str, region: str) -> list[Subnet]:
        """Return the subnets of the default VPC."""

    def default_security_group(self, account_id: str, region: str, vpc_id: str) -> str:
        """Return the id of a VPC's default security group."""

    def subnets(self, account_id: str, region: str, identifiers: Sequence[str]) -> list[Subnet]:
        """Return those of the subnets that exist."""

    def security_groups(self, account_id: str, region: str, identifiers: Sequence[str]) -> dict[str, str]:
        """Return those of the security groups that exist, each with the id of its VPC."""

    def lets_in(self, account_id: str, region: str, identifiers: Sequence[str], client_port: int) -> bool:
        """Tell whether the groups let the client in that has a connection from this port of 127.0.0.1."""


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

    def find(self, arn: str) -> Secret | None:
        """Return a secret that anybody made, None if there is none."""

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


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """All that the local Aurora asks of the cloud around it."""

    authenticator: Authenticator
    authorizer: Authorizer
    keys: KeyStore
    secrets: SecretStore
    roles: RoleStore
    networks: Networks
    functions: Functions | None = None
