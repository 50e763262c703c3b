"""What a run inherits: the target as it is, or as it last stood when it is gone or a failed run left it half-done."""

from dataclasses import dataclass

from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin
from utils.errors import KeyNotUsable, TargetNotBuildable
from utils.operation.target_record import TargetRecord
from utils.preflight.looks import Preflight
from utils.request.model import RestoreRequest
from utils.runtime.services import Services


@dataclass(frozen=True, kw_only=True)
class Base:
    """What is inherited: the settings that the target has or had, and where they were read."""

    settings: TargetSettings
    origin: Origin
    in_words: str = "as it is now"


def readable_record(target_id: str, services: Services) -> TargetRecord | None:
    """Return the target record, None also where nobody can read it: a target that stands needs none."""
    try:
        return services.operations.find_target_record(services.settings.target_region, target_id)
    except TargetNotBuildable:
        return None


def what_to_inherit(
    request: RestoreRequest, now: TargetSettings | None, remains_of: str | None, services: Services
) -> Base | None:
    """Return the settings to build from; None where there never was a target that is known.

    `remains_of` is the operation that left the target half-restored, or deleted in part.
    Raises `TargetNotBuildable` for a record that is needed and that nobody can read.
    """
    if now is not None and remains_of is None:
        return Base(settings=now, origin=Origin.OLD_TARGET)
    target = request.target
    if not target.inherit_settings:
        record = readable_record(target.cluster_id, services)
    else:
        record = services.operations.find_target_record(services.settings.target_region, target.cluster_id)
    if record is not None:
        return Base(settings=record.settings, origin=Origin.TARGET_RECORD, in_words=str(record))
    return Base(settings=now, origin=Origin.OLD_TARGET) if now is not None else None


def usable_key(
    request: RestoreRequest, base: Base | None, services: Services, preflight: Preflight
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
            preflight.warn(
                "key as before",
                gone.found,
                expected="the key of the target as it was",
                do="make it usable again, name another in target.kms_key_id, or let the stack's encrypt the new "
                "cluster",
            )
    return services.kms.usable_key_arn(services.settings.kms_key_id), Origin.STACK
