"""KMS and Secrets Manager: signatures, keys and secrets that are about to be deleted, what is missing."""

import hashlib
import json

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.conformance.bench import Bench
from tests.conformance.fact import fact
from tests.conformance.stated import equal, true

_DIGEST = hashlib.sha256(b"evidence").digest()
_SIGNING = {"MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}


@fact("kms", "KMS API, Sign", minutes=1)
def a_signature_verifies_with_the_public_key(bench: Bench) -> None:
    """Sign of a digest with ECDSA_SHA_256 gives an ASN.1 signature that the key of GetPublicKey verifies."""
    keys, key = bench.client("kms"), bench.made.signing_key
    signature = keys.sign(KeyId=key, Message=_DIGEST, **_SIGNING)["Signature"]
    public = load_der_public_key(keys.get_public_key(KeyId=key)["PublicKey"])
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise TypeError(f"a key of another kind: {type(public)}")
    public.verify(signature, _DIGEST, ec.ECDSA(Prehashed(SHA256())))


@fact("kms", "KMS API, Sign")
def a_digest_has_its_algorithms_length(bench: Bench) -> None:
    """Sign of a digest that is too short for the algorithm: ValidationException."""
    keys, key = bench.client("kms"), bench.made.signing_key
    bench.refused("ValidationException", lambda: keys.sign(KeyId=key, Message=_DIGEST[:20], **_SIGNING))


@fact("kms", "KMS API, DescribeKey")
def a_missing_alias_is_told(bench: Bench) -> None:
    """DescribeKey of no alias: NotFoundException."""
    keys = bench.client("kms")
    bench.refused("NotFoundException", lambda: keys.describe_key(KeyId=f"alias/{bench.name('none')}"))


@fact("kms", "KMS Developer Guide, Key states", minutes=1)
def a_disabled_key_does_not_sign(bench: Bench) -> None:
    """Sign with a disabled key: DisabledException; DescribeKey tells Disabled."""
    keys, key = bench.client("kms"), bench.made.signing_key
    keys.disable_key(KeyId=key)
    equal(keys.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Disabled", "the state")
    bench.refused("DisabledException", lambda: keys.sign(KeyId=key, Message=_DIGEST, **_SIGNING))
    keys.enable_key(KeyId=key)


@fact("secretsmanager", "Secrets Manager API, GetSecretValue")
def a_missing_secret_is_told(bench: Bench) -> None:
    """GetSecretValue of no secret: ResourceNotFoundException."""
    secrets = bench.client("secretsmanager")
    bench.refused("ResourceNotFoundException", lambda: secrets.get_secret_value(SecretId=bench.name("none")))


@fact("secretsmanager", "Secrets Manager API, GetSecretValue")
def a_secret_is_read_by_its_name(bench: Bench) -> None:
    """GetSecretValue answers the current version, and an ARN with six characters behind the name."""
    secrets, name = bench.client("secretsmanager"), bench.made.secret()
    found = secrets.get_secret_value(SecretId=name)
    equal(json.loads(found["SecretString"]), {"password": "not-a-secret"}, "the value")
    equal(found["VersionStages"], ["AWSCURRENT"], "the stages")
    equal(len(found["ARN"].rpartition(f"{name}-")[2]), 6, "the characters behind the name")


@fact("secretsmanager", "Secrets Manager API, DeleteSecret")
def a_secret_that_will_be_deleted_is_not_read(bench: Bench) -> None:
    """GetSecretValue, and CreateSecret of its name, while a deletion is scheduled: InvalidRequestException."""
    secrets, name = bench.client("secretsmanager"), bench.made.secret()
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    bench.refused("InvalidRequestException", lambda: secrets.get_secret_value(SecretId=name))
    bench.refused(
        "InvalidRequestException", lambda: secrets.create_secret(Name=name, SecretString="{}"), saying="deletion"
    )
    true("DeletedDate" in secrets.describe_secret(SecretId=name), "the description tells no date of deletion")
