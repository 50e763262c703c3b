"""The settings that the restored cluster is to have: those of the plan, or of the old target that is brought back."""

from utils.cluster_settings.model import TargetSettings
from utils.operation.model import Operation


def wanted_settings(operation: Operation) -> TargetSettings:
    """Return them; an old target has its public addresses back only where the stack allows any."""
    old, plan = operation.old_target, operation.plan
    if operation.bring_back is None or old is None:
        return plan.settings
    settings, public_access = old.settings, plan.bring_back is not None and plan.bring_back.public_access
    # RDS names zones of the storage that no subnet need be in; where instances are, there are subnets.
    used = {member.availability_zone for member in settings.members}
    zones = [zone for zone in settings.availability_zones or [] if zone in used] or None
    members = [
        member.model_copy(update={"publicly_accessible": bool(member.publicly_accessible) and public_access})
        for member in settings.members
    ]
    return settings.model_copy(update={"availability_zones": zones, "members": members})


def not_put_back(operation: Operation) -> list[str]:
    """Return what the target had and will not have again, a line each."""
    plan = operation.plan
    return plan.bring_back.not_put_back if operation.bring_back and plan.bring_back else plan.not_put_back
