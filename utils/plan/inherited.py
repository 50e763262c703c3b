"""What a run inherits: the target as it is, or as it last stood when it is gone or a failed run left it half-done."""

from collections.abc import Callable
from dataclasses import dataclass

from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin
from utils.errors import KeyNotUsable
from utils.request.model import RestoreRequest
from utils.runtime.services import Services


@dataclass(frozen=True, kw_only=True)
class Base:
    """What is inherited: the settings that the target has or had, and where they were read."""

    settings: TargetSettings
    origin: Origin
    in_words: str = "as it is now"


def what_to_inherit(
    target_id: str, now: TargetSettings | None, leftover_of: str | None, services: Services
) -> Base | None:
    """Return the settings to build from; None where there never was a target that is known."""
    if now is not None and leftover_of is None:
        return Base(settings=now, origin=Origin.OLD_TARGET)
    record = services.operations.find_target_record(services.settings.target_region, target_id)
    if record is not None:
        return Base(settings=record.settings, origin=Origin.TARGET_RECORD, in_words=str(record))
    return Base(settings=now, origin=Origin.OLD_TARGET) if now is not None else None


def usable_key(
    request: RestoreRequest, base: Base | None, services: Services, warn: Callable[[KeyNotUsable], None]
) -> tuple[str, Origin]:
    """Return the ARN of the key to encrypt with and its origin: asked for, as before if it can be used, the stack's.

    Raises `KeyNotUsable`; warns of a key that cannot be used any more.
    """
    if request.target.kms_key_id:
        return services.kms.usable_key_arn(request.target.kms_key_id), Origin.REQUEST
    if base and base.settings.kms_key_id and request.target.inherit_settings:
        try:
            return services.kms.usable_key_arn(base.settings.kms_key_id), base.origin
        except KeyNotUsable as gone:
            # Deleted, disabled or closed to us since: the cluster that it encrypts goes, the new one gets another.
            warn(gone)
    return services.kms.usable_key_arn(services.settings.kms_key_id), Origin.STACK
