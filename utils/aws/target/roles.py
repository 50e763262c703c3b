"""The IAM roles that settings name: whether they are there."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code

if TYPE_CHECKING:
    from mypy_boto3_iam.client import IAMClient


class RoleReader:
    """What the pipeline asks of IAM, in the account of the target."""

    def __init__(self, client: "IAMClient") -> None:
        self._client = client

    def arn_of(self, name: str) -> str | None:
        """Return the ARN of a role of this account, by its name without the path; None when there is none."""
        with aws_call("iam:GetRole"):
            try:
                return self._client.get_role(RoleName=name)["Role"]["Arn"]
            except ClientError as error:
                if error_code(error) == "NoSuchEntity":
                    return None
                raise
