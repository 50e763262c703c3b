"""The credentials of the local cloud's accounts.

A 12-digit access key id is the root of that account. The secret is no secret: nothing outside of 127.0.0.1
knows these accounts.
"""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNT_ID = "123456789012"
OTHER_ACCOUNT_ID = "111111111111"
_SECRET_ACCESS_KEY = "local-cloud"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """An access key."""

    access_key_id: str
    secret_access_key: str


def root_credentials(account_id: str = ACCOUNT_ID) -> Credentials:
    """Return the credentials of an account's root, which may do everything in that account."""
    return Credentials(access_key_id=account_id, secret_access_key=_SECRET_ACCESS_KEY)
