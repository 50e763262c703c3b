"""ExecuteStatement: who asks, of which cluster, with which secret."""

from __future__ import annotations

import json
from typing import Any

from local_cloud.aurora.data_api.statement import refuse_several_statements, run
from local_cloud.aurora.engine import Engine
from local_cloud.aurora.errors import AccessDeniedError, ApiError, NotSupportedError
from local_cloud.aurora.hooks import Caller, ResourceRequest
from local_cloud.aurora.state.resources import Cluster

# `continueAfterTimeout` changes nothing for what ends in time.
_TAKEN = {"resourceArn", "secretArn", "sql", "database", "continueAfterTimeout"}


class DataApi:
    """The Data API of every cluster of a local Aurora."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, caller: Caller, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer ExecuteStatement of a caller who may call it; raises ApiError."""
        if more := sorted({name for name, value in params.items() if value} - _TAKEN):
            raise NotSupportedError(f"ExecuteStatement with {', '.join(more)}")
        refuse_several_statements(params["sql"])
        user, password = self._login(caller, region, params["secretArn"])
        with self._engine.timeline.lock:
            cluster = self._cluster(caller, region, params["resourceArn"])
            access = cluster.server.way_in_behind_the_door()
        database = params.get("database") or user  # PostgreSQL's own default (aws-cli#8577)
        return run({**access, "user": user, "password": password, "dbname": database}, params["sql"])

    def _cluster(self, caller: Caller, region: str, arn: str) -> Cluster:
        found = self._engine.store.find(arn)
        if not isinstance(found, Cluster) or (found.account_id, found.region) != (caller.account_id, region):
            raise ApiError("BadRequestException", f"Cluster {arn} is not found")
        if not found.http_endpoint:
            raise ApiError("HttpEndpointNotEnabledException", f"HttpEndpoint is not enabled for cluster {arn}")
        if not found.members:
            raise ApiError("DatabaseNotFoundException", "The DB cluster doesn't have a DB instance.", 404)
        if not found.server.running:
            raise ApiError("DatabaseUnavailableException", "The writer instance isn't available.", 504)
        return found

    def _login(self, caller: Caller, region: str, secret: str) -> tuple[str, str]:
        """Return user name and password of a secret that the caller may read."""
        hooks = self._engine.hooks
        found = hooks.secrets.find(secret)
        tags = {f"aws:ResourceTag/{key}": [value] for key, value in found.tags.items()} if found else {}
        request = ResourceRequest(arn=secret, context={"aws:RequestedRegion": [region], **tags})
        try:
            hooks.authorizer.authorize(caller, "secretsmanager:GetSecretValue", [request])
        except AccessDeniedError as refusal:
            raise ApiError("AccessDeniedException", refusal.message, 403) from None
        if found is None:
            raise ApiError("SecretsErrorException", f"The secret {secret} was not found")
        try:
            document = json.loads(found.value)
            return str(document["username"]), str(document["password"])
        except (ValueError, KeyError, TypeError):
            raise ApiError("InvalidSecretException", "The secret has no username and password") from None
