"""AddTagsToResource, RemoveTagsFromResource, ListTagsForResource."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora import errors
from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, invalid_value
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.state.resources import Resource
from local_cloud.aurora.state.tagging import describe_tags, requested_tags, require_room


@operation("AddTagsToResource", identifier="ResourceName", supports="Tags")
def add_tags_to_resource(call: Call) -> dict[str, Any]:
    """Answer AddTagsToResource."""
    resource = _resource(call)
    tags = resource.tags | requested_tags(call.params)
    require_room(tags)
    resource.tags = tags
    return {}


@operation("RemoveTagsFromResource", identifier="ResourceName", supports="TagKeys")
def remove_tags_from_resource(call: Call) -> dict[str, Any]:
    """Answer RemoveTagsFromResource; a tag that is not there is no error."""
    resource = _resource(call)
    resource.tags = {key: value for key, value in resource.tags.items() if key not in call.params["TagKeys"]}
    return {}


@operation("ListTagsForResource", identifier="ResourceName")
def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """Answer ListTagsForResource."""
    return {"TagList": describe_tags(_resource(call).tags)}


def _resource(call: Call) -> Resource:
    """Return the resource of an ARN of the caller's account in this Region."""
    name = call.params["ResourceName"]
    parts = name.split(":", 6)
    if len(parts) != 7 or parts[:3] != ["arn", "aws", "rds"]:
        raise invalid_value(f"Invalid resource name: {name}")
    if parts[3] != call.region:
        raise invalid_value(f"The specified resource name {name} does not match an RDS resource in this region.")
    found = call.engine.store.find(name)
    if found is None or parts[4] != call.caller.account_id:
        raise _not_found(parts[5], parts[6])
    return found


def _not_found(kind: str, identifier: str) -> ApiError:
    known = {
        "cluster": errors.cluster_not_found,
        "db": errors.instance_not_found,
        "cluster-snapshot": errors.snapshot_not_found,
    }
    if kind in known:
        return known[kind](identifier)
    return invalid_value(f"The specified resource {kind}:{identifier} does not exist.")
