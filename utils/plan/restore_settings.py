"""The settings of the cluster to be restored: asked for, else as the old target had them, else AWS's defaults."""

from typing import Any

from utils.aws.rds_models import Cluster, Instance, RestoreSettings, Snapshot
from utils.request.model import RestoreRequest

DEFAULT_CLASS = "db.r8g.large"


def resolve_settings(
    request: RestoreRequest, snapshot: Snapshot, kms_key_id: str, old: Cluster | None, members: list[Instance]
) -> RestoreSettings:
    """Lay the request over the settings of the old target and its members."""
    version = request.target.engine_version or snapshot.engine_version
    instances = request.target.instances
    asked = request.target.model_dump(
        exclude_none=True, exclude={"cluster_id", "instances", "kms_key_id", "engine_version"}
    )
    inherited = _carried_over(old, members, version) if old else {}
    return RestoreSettings.model_validate(
        inherited
        | asked
        | {
            "engine_version": version,
            "kms_key_id": kms_key_id,
            "instance_class": instances.instance_class or (members[0].instance_class if members else DEFAULT_CLASS),
            "instance_count": instances.count or len(members) or 1,
        }
    )


def _carried_over(old: Cluster, members: list[Instance], version: str) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "port": old.port,
        "subnet_group": old.subnet_group,
        "security_group_ids": list(old.security_group_ids),
        "storage_type": old.storage_type,
        "log_exports": list(old.log_exports),
        "iam_authentication": old.iam_authentication,
        "serverless_v2": old.serverless_v2,
    }
    # A parameter group belongs to one major version; another one's would break the restore.
    if _major(old.engine_version) == _major(version):
        settings["cluster_parameter_group"] = old.parameter_group
        settings["instance_parameter_group"] = members[0].parameter_group if members else None
    return settings


def _major(engine_version: str) -> str:
    return engine_version.split(".", 1)[0]
