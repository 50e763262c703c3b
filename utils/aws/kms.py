"""KMS in the target Region: whether a key can be used, and a signature."""

import hashlib
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code
from utils.errors import KeyNotUsable, ResourceBusy

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient


_SYMMETRIC = "SYMMETRIC_DEFAULT"
# Of a multi-Region key: its replica is being made, or another of its keys becomes the primary one.
_PASSING = {"Creating", "Updating"}
_COLONS_OF_AN_ARN = 5


class KmsGateway:
    """What the pipeline asks of KMS."""

    def __init__(self, client: "KMSClient") -> None:
        self._client = client

    def usable_key_arn(self, key_id: str, field: str = "target.kms_key_id") -> str:
        """Return the ARN of an enabled symmetric encryption key that RDS can use, by id, ARN or alias.

        Raises `KeyNotUsable`; `ResourceBusy` while KMS makes the replica of a multi-Region key, or changes one.
        """
        self._check_place(key_id, field)
        with aws_call("kms:DescribeKey"):
            try:
                key = self._client.describe_key(KeyId=key_id)["KeyMetadata"]
            except ClientError as error:
                # KMS says the one as well of a key that is not there: it does not tell strangers which ones are.
                code = error_code(error)
                if code not in {"AccessDeniedException", "NotFoundException"}:
                    raise
                raise KeyNotUsable(
                    f"KMS key {key_id}, which is missing or not open to the pipeline ({code} from kms:DescribeKey)",
                    field=field,
                    expected="an enabled key for ENCRYPT_DECRYPT in the target Region",
                    action="correct the name, or let the function's role call kms:DescribeKey in the key's policy "
                    "(by itself: a statement with kms:ViaService lets in RDS only)",
                ) from None
        state, usage, spec = key.get("KeyState", ""), key.get("KeyUsage", ""), key.get("KeySpec", _SYMMETRIC)
        if state in _PASSING:
            raise ResourceBusy(
                f"KMS key {key_id} in state {state}",
                expected="state Enabled, which it reaches by itself",
                action="nothing, the step is tried again for a while",
            )
        if state != "Enabled" or usage != "ENCRYPT_DECRYPT":
            raise KeyNotUsable(
                f"KMS key {key_id} in state {state} for {usage}",
                field=field,
                expected="an enabled key for ENCRYPT_DECRYPT in the target Region",
                action="enable the key or name another one",
            )
        if spec != _SYMMETRIC:
            raise KeyNotUsable(
                f"KMS key {key_id} of kind {spec}",
                field=field,
                expected="a symmetric key, the only kind that RDS encrypts with",
                action="name another key",
            )
        if "alias/aws/" in key_id and not key_id.endswith("alias/aws/rds"):
            raise KeyNotUsable(
                f"KMS key {key_id}, AWS's own for another service",
                field=field,
                expected="a key that RDS may use: a customer managed one, or alias/aws/rds",
                action="name another key",
            )
        return key["Arn"]

    def _check_place(self, key_id: str, field: str) -> None:
        """Refuse the ARN of another Region, of which this Region's KMS says only that there is no such key."""
        region = key_id.split(":")[3] if key_id.count(":") >= _COLONS_OF_AN_ARN else self._client.meta.region_name
        if region == self._client.meta.region_name:
            return
        is_multi_region = key_id.rpartition("/")[2].startswith("mrk-")
        raise KeyNotUsable(
            f"KMS key {key_id} of the Region {region}",
            field=field,
            expected=f"a key in the target Region {self._client.meta.region_name}",
            action="name its replica there, or replicate it: its id is the same, its Region is not"
            if is_multi_region
            else "name a key there: a snapshot that is copied is encrypted anew",
        )

    def sign(self, key_id: str, message: bytes) -> bytes:
        """Sign with an ECC_NIST_P256 key; return the signature in DER.

        KMS takes messages of up to 4,096 bytes, so that it gets the digest.
        """
        with aws_call("kms:Sign"):
            answer = self._client.sign(
                KeyId=key_id,
                Message=hashlib.sha256(message).digest(),
                MessageType="DIGEST",
                SigningAlgorithm="ECDSA_SHA_256",
            )
        return answer["Signature"]
