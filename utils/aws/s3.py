"""S3: the SQL scripts that a request names, and the evidence that is kept."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code
from utils.errors import AccessDenied, PostRestoreSqlFailed

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

LARGEST_SCRIPT = 1024 * 1024  # bytes


@dataclass(frozen=True, kw_only=True)
class Script:
    """A script as it was read; `version_id` is S3's, None in a bucket without versions."""

    s3_uri: str
    version_id: str | None
    sha256: str
    text: str


class S3Gateway:
    """Reads scripts and writes evidence; every method raises the errors of `utils.errors` only."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def script(self, s3_uri: str) -> Script:
        """Read the newest version of a UTF-8 text of at most 1 MiB; raises `PostRestoreSqlFailed`."""
        bucket, _, key = s3_uri.removeprefix("s3://").partition("/")
        with aws_call("s3:GetObject"):
            try:
                answer = self._client.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error_code(error) == "AccessDenied":
                    raise _closed_or_missing(s3_uri) from None
                if error_code(error) not in {"NoSuchKey", "NoSuchBucket"}:
                    raise
                raise _unusable(s3_uri, "no such object", "an object that the functions may read") from None
            if answer["ContentLength"] > LARGEST_SCRIPT:
                raise _unusable(s3_uri, f"{answer['ContentLength']} bytes", f"at most {LARGEST_SCRIPT}")
            content = answer["Body"].read()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _unusable(s3_uri, f"a byte at {error.start} that is not UTF-8", "UTF-8 text") from None
        if "\0" in text:
            raise _unusable(s3_uri, "a NUL character", "UTF-8 text without it")
        return Script(
            s3_uri=s3_uri,
            version_id=answer.get("VersionId"),
            sha256=hashlib.sha256(content).hexdigest(),
            text=text,
        )

    def put(self, bucket: str, key: str, content: bytes, content_type: str) -> None:
        """Write an object, as a new version of one that is there."""
        with aws_call("s3:PutObject"):
            self._client.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)


def _closed_or_missing(s3_uri: str) -> AccessDenied:
    """Say what S3 leaves open: to who may not list a bucket it does not tell an object that is not there from others.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    return AccessDenied(
        f"AccessDenied from s3:GetObject of {s3_uri}, which is not there or is closed to the function",
        expected="an object that the functions may read",
        action="look first whether it is there under exactly this name; if it is, compare the role with "
        "infrastructure/lambda.yaml, and look at the policy and the key of the bucket",
    )


def _unusable(s3_uri: str, found: str, expected: str) -> PostRestoreSqlFailed:
    return PostRestoreSqlFailed(
        found,
        field=f"post_restore_sql, {s3_uri}",
        expected=expected,
        action="put the script where the request says, then start a new run; nobody was let in",
    )
