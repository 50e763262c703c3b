"""Hooks for tests: everybody may do everything; every key, role and subnet exists; secrets live in memory."""

from __future__ import annotations

import hashlib
import re
import secrets as random_source
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from local_cloud.aurora.hooks import (
    Caller,
    Hooks,
    KmsKey,
    ResourceRequest,
    Secret,
    Subnet,
    credential_scope,
    presigning_key,
)


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
        account = key if re.fullmatch(r"[0-9]{12}", key) else self._default_account_id
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

    def find(self, arn: str) -> Secret | None:
        """Return the secret without tags, None if there is none."""
        return Secret(value=self.values[arn], tags={}) if arn in self.values else None

    def delete(self, arn: str) -> None:
        """Forget the secret."""
        del self.values[arn]


class AnyRole:
    """Knows every role, and that RDS in all its parts may take it on."""

    def trusted_services(self, arn: str) -> frozenset[str] | None:  # noqa: ARG002
        """Return the services of RDS."""
        return frozenset({"rds.amazonaws.com", "monitoring.rds.amazonaws.com", "directoryservice.rds.amazonaws.com"})


@dataclass
class AnyNetwork:
    """Every subnet and group exists in the default VPC, but those that a test has put elsewhere (None: nowhere)."""

    placed_subnets: dict[str, Subnet | None] = field(default_factory=dict)
    placed_groups: dict[str, str | None] = field(default_factory=dict)
    closed_groups: set[str] = field(default_factory=set)

    def default_subnets(self, account_id: str, region: str) -> list[Subnet]:
        """Return a subnet in each of three zones."""
        names = [f"subnet-{_stable(account_id, region, letter)}" for letter in "abc"]
        return self.subnets(account_id, region, names)

    def default_security_group(self, account_id: str, region: str, vpc_id: str) -> str:
        """Return an id that is always the same."""
        return f"sg-{_stable(account_id, region, vpc_id)}"

    def subnets(self, account_id: str, region: str, identifiers: Sequence[str]) -> list[Subnet]:
        """Return the subnets, each in the next zone unless it was put somewhere."""
        vpc_id = f"vpc-{_stable(account_id, region, 'vpc')}"
        found = [
            self.placed_subnets.get(name, Subnet(identifier=name, vpc_id=vpc_id, zone=f"{region}{'abc'[position % 3]}"))
            for position, name in enumerate(identifiers)
        ]
        return [subnet for subnet in found if subnet]

    def security_groups(self, account_id: str, region: str, identifiers: Sequence[str]) -> dict[str, str]:
        """Return the groups with their VPC."""
        vpc_id = f"vpc-{_stable(account_id, region, 'vpc')}"
        found = {name: self.placed_groups.get(name, vpc_id) for name in identifiers}
        return {name: vpc for name, vpc in found.items() if vpc}

    def lets_in(self, account_id: str, region: str, identifiers: Sequence[str], client_port: int) -> bool:  # noqa: ARG002
        """Let everybody in, but into the groups that a test has closed."""
        return not self.closed_groups.intersection(identifiers)


def _stable(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:17]


def permissive_hooks(account_id: str) -> Hooks:
    """Return hooks that refuse nothing."""
    return Hooks(
        authenticator=AnyCaller(account_id),
        authorizer=AllowAll(),
        keys=AnyKey(),
        secrets=SecretsInMemory(),
        roles=AnyRole(),
        networks=AnyNetwork(),
    )
