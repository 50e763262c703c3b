"""The checks of what the evidence needs: the key that signs it, and the bucket that keeps it."""

from botocore.exceptions import ClientError

from deployment.account import error_code
from deployment.verify.findings import Answer, Check, Inspection, failed, passed

_GONE = {"NoSuchBucket", "404", "NoSuchPublicAccessBlockConfiguration"}


def _key(inspection: Inspection) -> Answer:
    """Look at the key without signing with it: only one function may."""
    wanted, alias = inspection.output("EvidenceKeyArn"), f"alias/{inspection.names.of('evidence')}"
    try:
        key = inspection.client("kms").describe_key(KeyId=alias)["KeyMetadata"]
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
        return failed(f"no key {alias}", _repair(inspection, "the evidence key's alias"))
    if key["Arn"] != wanted:
        region = inspection.account.region
        action = f"aws kms update-alias --alias-name {alias} --target-key-id {wanted} --region {region}"
        return failed(f"{alias} is key {key['Arn']}, the stack's is {wanted}", action)
    if (key.get("KeySpec"), key.get("KeyUsage")) != ("ECC_NIST_P256", "SIGN_VERIFY"):
        found = f"{alias} is {key.get('KeySpec')} for {key.get('KeyUsage')}, expected ECC_NIST_P256 for SIGN_VERIFY"
        return failed(found, _repair(inspection, "the evidence key"))
    if key["KeyState"] != "Enabled":
        where = f"--key-id {wanted} --region {inspection.account.region}"
        enable = f"aws kms enable-key {where}"
        cancel = f"aws kms cancel-key-deletion {where}; " if key["KeyState"] == "PendingDeletion" else ""
        return failed(f"{alias} is {key['KeyState']}: no evidence is signed", cancel + enable)
    return passed(f"{alias} is enabled and signs")


def _bucket(inspection: Inspection) -> Answer:
    name = inspection.output("EvidenceBucketName")
    s3 = inspection.client("s3")
    try:
        versioning = s3.get_bucket_versioning(Bucket=name).get("Status", "off")
        blocked = all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
    except ClientError as error:
        if error_code(error) not in _GONE:
            raise
        return failed(f"{name}: {error_code(error)}", _repair(inspection, "the evidence bucket"))
    if versioning != "Enabled" or not blocked:
        found = f"{name}: versioning {versioning}, public access {'blocked' if blocked else 'not blocked'}"
        return failed(found, _repair(inspection, "the evidence bucket"))
    return passed(f"{name} is versioned and private; {_lock(inspection, name)}")


def _lock(inspection: Inspection, name: str) -> str:
    try:
        lock = inspection.client("s3").get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    except ClientError as error:
        if error_code(error) != "ObjectLockConfigurationNotFoundError":
            raise
        return "it was made without Object Lock"
    kept = lock.get("Rule", {}).get("DefaultRetention")
    return f"Object Lock keeps {kept['Days']} days ({kept['Mode']})" if kept else "Object Lock keeps nothing"


def _repair(inspection: Inspection, what: str) -> str:
    return (
        f"somebody deleted or changed {what} that stack {inspection.names.prerequisites} made: undo that by hand, "
        "as docs/01_prerequisites.md shows (Repair); runs go on, and say that their evidence was not written"
    )


CHECKS = (
    Check("Evidence key", _key, ("Region",)),
    Check("Evidence bucket", _bucket, ("Region",)),
)
