"""The local KMS judges a signature by algorithm, by kind of message and by the key behind an alias, as AWS does."""

import hashlib
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from local_cloud.cloud import LocalCloud
from tests.local_cloud.conftest import Workbench

pytestmark = pytest.mark.local_cloud
DIGEST = hashlib.sha256(b"evidence").digest()
WANTED = {"Message": DIGEST, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}


@pytest.fixture
def key(cloud: LocalCloud) -> dict[str, str]:
    """A key that signs, and its alias."""
    kms, alias = cloud.client("kms"), f"alias/signs-{uuid.uuid4().hex[:8]}"
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
    return {"arn": made["Arn"], "alias": alias}


def client_of(cloud: LocalCloud, bench: Workbench, **statement: Any) -> Any:
    role = bench.role({"Effect": "Allow", "Action": "kms:Sign", **statement})
    endpoint, named = cloud.environment()["AWS_ENDPOINT_URL"], bench.session(role)
    session = boto3.Session(region_name="us-west-2", **named)  # type: ignore[arg-type]
    return session.client("kms", endpoint_url=endpoint)


def test_a_digest_is_signed_so_that_the_public_half_verifies_it(cloud: LocalCloud, key: dict[str, str]) -> None:
    kms = cloud.client("kms")
    signature = kms.sign(KeyId=key["alias"], **WANTED)["Signature"]

    public = load_der_public_key(kms.get_public_key(KeyId=key["alias"])["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, DIGEST, ec.ECDSA(Prehashed(SHA256())))


def test_a_right_to_the_key_is_one_under_its_alias_as_well(
    cloud: LocalCloud, bench: Workbench, key: dict[str, str]
) -> None:
    may = client_of(cloud, bench, Resource=key["arn"])
    assert may.sign(KeyId=key["alias"], **WANTED)["KeyId"] == key["arn"]
    may_not = client_of(cloud, bench, Resource=f"{key['arn']}-other")
    with pytest.raises(ClientError, match="AccessDenied"):
        may_not.sign(KeyId=key["alias"], **WANTED)


@pytest.mark.parametrize(
    ("condition", "is_let_in"),
    [
        ({"kms:SigningAlgorithm": "ECDSA_SHA_256"}, True),
        ({"kms:SigningAlgorithm": "RSASSA_PSS_SHA_256"}, False),
        ({"kms:MessageType": "DIGEST"}, True),
        ({"kms:MessageType": "RAW"}, False),
        ({"kms:CallerAccount": "123456789012"}, True),
        ({"kms:CallerAccount": "999999999999"}, False),
    ],
)
def test_what_a_signature_is_asked_for_is_a_condition(
    cloud: LocalCloud, bench: Workbench, key: dict[str, str], condition: dict[str, str], is_let_in: bool
) -> None:
    kms = client_of(cloud, bench, Resource=key["arn"], Condition={"StringEquals": condition})
    if is_let_in:
        assert kms.sign(KeyId=key["arn"], **WANTED)["Signature"]
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            kms.sign(KeyId=key["arn"], **WANTED)
