"""KMS in the target Region, asked whether a key can be used."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code
from utils.errors import KeyNotUsable

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient


_SYMMETRIC = "SYMMETRIC_DEFAULT"


class KmsGateway:
    """The one question the pipeline asks KMS."""

    def __init__(self, client: "KMSClient") -> None:
        self._client = client

    def usable_key_arn(self, key_id: str) -> str:
        """Return the ARN of an enabled symmetric encryption key, by id, ARN or alias; raises `KeyNotUsable`."""
        with aws_call("kms:DescribeKey"):
            try:
                key = self._client.describe_key(KeyId=key_id)["KeyMetadata"]
            except ClientError as error:
                # KMS says this as well of a key that is not there: it does not tell strangers which ones are.
                if error_code(error) != "AccessDeniedException":
                    raise
                raise KeyNotUsable(
                    f"KMS key {key_id}, which is missing or not open to the pipeline",
                    field="target.kms_key_id",
                    expected="an enabled key for ENCRYPT_DECRYPT in the target Region",
                    action="correct the name, or open the key to the function's role in its key policy",
                ) from None
        state, usage, spec = key.get("KeyState", ""), key.get("KeyUsage", ""), key.get("KeySpec", _SYMMETRIC)
        if state != "Enabled" or usage != "ENCRYPT_DECRYPT":
            raise KeyNotUsable(
                f"KMS key {key_id} in state {state} for {usage}",
                field="target.kms_key_id",
                expected="an enabled key for ENCRYPT_DECRYPT in the target Region",
                action="enable the key or name another one",
            )
        if spec != _SYMMETRIC:
            raise KeyNotUsable(
                f"KMS key {key_id} of kind {spec}",
                field="target.kms_key_id",
                expected="a symmetric key, the only kind that RDS encrypts with",
                action="name another key",
            )
        return key["Arn"]
