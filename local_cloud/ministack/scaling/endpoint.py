"""Puts Application Auto Scaling behind ministack's endpoint, with its authentication and IAM."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules
from local_cloud.ministack.scaling import policies
from local_cloud.ministack.scaling.targets import DIMENSION, NAMESPACE, Targets
from local_cloud.ministack.scaling.wire import (
    SERVICE,
    TARGET_PREFIX,
    Answer,
    Json,
    ScalingError,
    answer,
    refusal,
    request,
)

ClusterExists = Callable[[str, str, str], bool]
Operation = Callable[[Targets, Json], Json]
_BY_ARN = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})


def install(cluster_exists: ClusterExists) -> None:
    """Register the service; `cluster_exists` tells whether an account has a cluster in a Region."""
    endpoint = _Endpoint(cluster_exists)
    ministack_modules.core("router").SERVICE_PATTERNS[SERVICE] = {"target_prefixes": [f"{TARGET_PREFIX}."]}
    ministack_modules.core("iam_actions").SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    ministack_modules.app().SERVICE_HANDLERS[SERVICE] = endpoint.handle_request
    _tell_the_resource()


def _tell_the_resource() -> None:
    """Judge a call on the scalable targets of its account: their ids are not in the request."""
    actions = ministack_modules.core("iam_actions")
    original: Callable[..., str] = actions.extract_resource_arn

    def extract(service: str, *args: Any) -> str:
        if service != SERVICE:
            return original(service, *args)
        headers, region, account_id = args[2], args[-2], args[-1]
        if "Describe" in headers.get("x-amz-target", ""):
            return "*"
        given = json.loads(args[3] or b"{}").get("ResourceARN") if args[3][:1] == b"{" else None
        return given or f"arn:aws:application-autoscaling:{region}:{account_id}:scalable-target/*"

    actions.extract_resource_arn = extract


class _Endpoint:
    def __init__(self, cluster_exists: ClusterExists) -> None:
        self._cluster_exists = cluster_exists
        self._targets: dict[tuple[str, str], Targets] = {}
        self._lock = threading.Lock()

    async def handle_request(
        self,
        method: str,  # noqa: ARG002
        path: str,  # noqa: ARG002
        headers: Json,
        body: bytes,
        query_params: Json,  # noqa: ARG002
    ) -> Answer:
        # In a thread: the local Aurora, which is asked for the cluster, may be asking this endpoint at the same time.
        return await asyncio.to_thread(self._answer, headers, body)

    def _answer(self, headers: Json, body: bytes) -> Answer:
        responses = ministack_modules.core("responses")
        home = (str(responses.get_account_id()), str(responses.get_region()))
        try:
            operation, params = request(headers, body)
            self._refuse(operation, params, home)
            with self._lock:
                targets = self._targets.setdefault(home, Targets(*home))
                return answer(OPERATIONS[operation](targets, params))
        except ScalingError as error:
            return refusal(error)

    def _refuse(self, operation: str, params: Json, home: tuple[str, str]) -> None:
        """Refuse what is not here: other services, other operations, clusters that nobody has made."""
        if operation not in OPERATIONS:
            raise ScalingError("NotSupportedByLocalCloud", f"{operation} is not supported by the local cloud")
        if operation in _BY_ARN:
            return
        if params["ServiceNamespace"] != NAMESPACE:
            raise ScalingError(
                "NotSupportedByLocalCloud",
                f"ServiceNamespace {params['ServiceNamespace']} is not supported by the local cloud",
            )
        if params.get("ScalableDimension", DIMENSION) != DIMENSION:
            raise ScalingError("ValidationException", f"Unsupported scalable dimension: {params['ScalableDimension']}")
        if operation == "RegisterScalableTarget":
            kind, _, name = params["ResourceId"].partition(":")
            if kind != "cluster" or not self._cluster_exists(*home, name):
                raise ScalingError("ValidationException", f"DB cluster not found: {params['ResourceId']}")


def _list_tags(targets: Targets, params: Json) -> Json:
    return {"Tags": targets.tagged(params["ResourceARN"]).tags}


def _tag(targets: Targets, params: Json) -> Json:
    targets.tagged(params["ResourceARN"]).tags |= params["Tags"]
    return {}


def _untag(targets: Targets, params: Json) -> Json:
    found = targets.tagged(params["ResourceARN"])
    found.tags = {key: value for key, value in found.tags.items() if key not in params["TagKeys"]}
    return {}


OPERATIONS: dict[str, Operation] = {
    "RegisterScalableTarget": Targets.register,
    "DeregisterScalableTarget": Targets.deregister,
    "DescribeScalableTargets": Targets.describe,
    "PutScalingPolicy": policies.put_policy,
    "DescribeScalingPolicies": policies.describe_policies,
    "DeleteScalingPolicy": policies.delete_policy,
    "PutScheduledAction": policies.put_scheduled_action,
    "DescribeScheduledActions": policies.describe_scheduled_actions,
    "DeleteScheduledAction": policies.delete_scheduled_action,
    "DescribeScalingActivities": lambda _targets, _params: {"ScalingActivities": []},
    "ListTagsForResource": _list_tags,
    "TagResource": _tag,
    "UntagResource": _untag,
}
