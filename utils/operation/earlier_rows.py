"""Rows of operations that an earlier version planned, so that they can still be resumed and told of."""

from typing import Any

Row = dict[str, Any]

_OF_THE_CLUSTER = (
    "port",
    "subnet_group",
    "security_group_ids",
    "storage_type",
    "log_exports",
    "iam_authentication",
    "deletion_protection",
    "tags",
    "engine_version",
)


def of_this_version(row: Row) -> Row:
    """Return a row with settings as they are kept now: of the whole cluster, and of each instance by itself."""
    plan, old = row.get("plan"), row.get("old_target")
    changes: Row = {}
    if isinstance(plan, dict) and "instance_count" in (settings := plan.get("settings") or {}):
        managed = bool((row.get("request") or {}).get("manage_master_user_password"))
        settings = _with_members(settings, row["identifiers"]["instance_ids"])
        changes["plan"] = plan | {"settings": settings | {"manage_master_user_password": managed}}
    if isinstance(old, dict) and "settings" not in old:
        kept = {name: old[name] for name in ("arn", "resource_id", "status", "member_ids", "endpoint") if name in old}
        settings = {name: old[name] for name in _OF_THE_CLUSTER if name in old}
        changes["old_target"] = kept | {
            "settings": settings | {"cluster_parameter_group": old.get("parameter_group"), "members": []}
        }
    return row | changes if changes else row


def _with_members(settings: Row, names: list[str]) -> Row:
    member = {"instance_class": settings["instance_class"], "parameter_group": settings.get("instance_parameter_group")}
    gone = {"instance_class", "instance_count", "instance_parameter_group"}
    return {name: value for name, value in settings.items() if name not in gone} | {
        "members": [member | {"identifier": name} for name in names]
    }
