"""Hooks for tests: everybody may do everything, every key and role exists, secrets live in memory."""

from __future__ import annotations

import re
import secrets as random_source
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from local_cloud.aurora.hooks import Caller, Hooks, KmsKey, ResourceRequest, credential_scope, presigning_key


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


class AnyRole:
    """Knows every role, and that RDS in all its parts may take it on."""

    def trusted_services(self, arn: str) -> frozenset[str] | None:  # noqa: ARG002
        """Return the services of RDS."""
        return frozenset({"rds.amazonaws.com", "monitoring.rds.amazonaws.com", "directoryservice.rds.amazonaws.com"})


def permissive_hooks(account_id: str) -> Hooks:
    """Return hooks that refuse nothing."""
    return Hooks(
        authenticator=AnyCaller(account_id),
        authorizer=AllowAll(),
        keys=AnyKey(),
        secrets=SecretsInMemory(),
        roles=AnyRole(),
    )
