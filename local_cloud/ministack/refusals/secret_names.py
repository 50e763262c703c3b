"""Secrets: the name of one that is to be deleted is not free before it is.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules


def install() -> None:
    """Refuse a new secret of such a name as Secrets Manager does."""
    secrets = ministack_modules.service("secretsmanager")
    create: Callable[[dict[str, Any]], Any] = secrets._create_secret

    def create_if_free(data: dict[str, Any]) -> Any:
        name = data.get("Name")
        if name in secrets._secrets and secrets._secrets[name].get("DeletedDate"):
            return secrets.error_response_json(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
                400,
            )
        return create(data)

    secrets._create_secret = create_if_free
