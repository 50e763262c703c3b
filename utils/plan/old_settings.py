"""The old target as the plan needs it: with what hangs on it, and as the operation's row keeps it."""

from collections.abc import Sequence

from utils import tags
from utils.aws.rds_models import Cluster, Instance
from utils.aws.target.whole import settings_of
from utils.cluster_settings.model import TargetSettings
from utils.operation.planned import OldTarget
from utils.plan.tls import tls_of
from utils.runtime.services import Services


def settings_as_they_are(old: Cluster, members: Sequence[Instance], services: Services) -> TargetSettings:
    """Read all settings of a target, also what belongs to them and is no part of its own description."""
    attached = services.attached.everything(old.identifier, old.member_ids)
    hanging = attached | {"tls_parameters": tls_of(old.settings.cluster_parameter_group, services.offers)}
    return settings_of(old, members, hanging)


def described(old: Cluster, settings: TargetSettings) -> OldTarget:
    """Return what the row keeps of the old target."""
    return OldTarget(
        arn=old.arn,
        resource_id=old.resource_id,
        status=old.status,
        member_ids=tuple(old.member_ids),
        endpoint=old.endpoint,
        settings=settings,
        made_by=old.tags.get(tags.OPERATION_ID),
    )
