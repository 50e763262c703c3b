"""Whether the old target could be brought back after a failure, as the request wants it."""

from utils.aws.kms import KmsGateway
from utils.errors import KeyNotUsable
from utils.operation.planned import OldTarget, Plan
from utils.preflight.looks import Preflight
from utils.request.model import BRING_BACK, RestoreRequest


def look_at_bring_back(
    preflight: Preflight, request: RestoreRequest, plan: Plan, old: OldTarget | None, kms: KmsGateway
) -> None:
    """Warn of what would not come back: of a key that cannot be used as well, as the final snapshot has no other."""
    if request.on_failure != BRING_BACK or (old is not None and not plan.delete_target):
        return
    if plan.bring_back is None or old is None:
        preflight.warn(
            "what is brought back",
            _nothing(plan, old),
            expected="an old target with a final snapshot, for on_failure: bring_back",
            do="nothing; a failure after the deletion leaves the target absent",
        )
        return
    key = old.settings.kms_key_id
    try:
        found = kms.usable_key_arn(key) if key is not None else None
    except KeyNotUsable as gone:
        preflight.warn(
            "what is brought back",
            gone.found,
            expected="the key of the old target, which encrypts its final snapshot, for on_failure: bring_back",
            do="make it usable, or count on a failure after the deletion leaving the target absent",
        )
    else:
        preflight.look("key to bring back with", lambda: found or "none")
    public = [member.identifier for member in old.settings.members if member.publicly_accessible]
    if public and not plan.bring_back.public_access:
        preflight.warn(
            "what is brought back",
            f"public access to {', '.join(public)}, which the stack does not allow",
            expected="the old target as it was, for on_failure: bring_back",
            do="deploy with AllowPublicAccess: true, or count on its coming back without public access",
        )


def _nothing(plan: Plan, old: OldTarget | None) -> str:
    if old is None:
        return "no old target"
    if plan.half_restored_by:
        return f"what operation {plan.half_restored_by} left half-restored, which is no data of anybody's"
    return f"{old.arn} without instances" if plan.take_final_snapshot else "no final snapshot"
