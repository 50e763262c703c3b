"""What the new cluster's parameter group forces on connections, beside what the old one's did."""

from utils.aws.offers import Offers
from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin
from utils.plan.inherited import Base
from utils.plan.restore_settings import Resolved
from utils.preflight.looks import Preflight
from utils.preflight.tls import look_at_tls
from utils.runtime.services import Services


def tls_of(group: str | None, offers: Offers) -> dict[str, str]:
    """Read the parameters of a group; nothing is known where no group is named."""
    return offers.tls_parameters(group) if group else {}


def with_tls(preflight: Preflight, resolved: Resolved, base: Base | None, services: Services) -> TargetSettings:
    """Complete the settings with these parameters, and look whether they let in more than before."""
    settings, origins = resolved.settings, resolved.origins
    # RDS names the group itself where nobody does.
    group = settings.cluster_parameter_group or f"default.aurora-postgresql{settings.engine_version.split('.', 1)[0]}"
    wanted = tls_of(group, services.offers)
    origins["tls_parameters"] = origins["cluster_parameter_group"]
    look_at_tls(
        preflight,
        base.settings.tls_parameters if base else None,
        wanted,
        # Who does not inherit asks for AWS's defaults.
        was_asked_for=origins["tls_parameters"] is Origin.REQUEST or not resolved.inherits,
    )
    return settings.model_copy(update={"tls_parameters": wanted})
