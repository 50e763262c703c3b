"""The settings of a whole target, put together from its cluster, its members and what hangs on it."""

from collections.abc import Mapping, Sequence
from typing import Any

from utils.aws.rds_models import Cluster, Instance
from utils.cluster_settings.model import TargetSettings


def settings_of(
    cluster: Cluster, members: Sequence[Instance], attached: Mapping[str, Any] | None = None
) -> TargetSettings:
    """Put the settings together; readers of Application Auto Scaling are its policy's business, not members.

    Neither is one a member that somebody is deleting; of a cluster that goes as a whole all are.
    """
    fixed = [member for member in members if not member.is_autoscaled]
    if cluster.status != "deleting":
        fixed = [member for member in fixed if member.status != "deleting"] or fixed
    fixed.sort(key=lambda member: (member.identifier != cluster.writer_id, member.settings.promotion_tier or 0))
    return TargetSettings.model_validate(
        {name: getattr(cluster.settings, name) for name in type(cluster.settings).model_fields}
        | dict(attached or {})
        | {
            "engine_version": cluster.engine_version,
            "manage_master_user_password": cluster.master_secret is not None,
            "members": [member.settings for member in fixed],
        }
    )


def not_put_back(cluster: Cluster, members: Sequence[Instance]) -> list[str]:
    """Name what no restore brings back."""
    return [*cluster.not_put_back, *(line for member in members for line in member.not_put_back)]
