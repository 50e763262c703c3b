"""Scripts are read whole and as text, or refused with the reason."""

import hashlib
from collections.abc import Callable, Iterator

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from utils.aws.s3 import LARGEST_SCRIPT, S3Gateway
from utils.errors import AccessDenied, PostRestoreSqlFailed

Put = Callable[[bytes], S3Gateway]
URI = "s3://scripts/post-restore-sql/mask it.sql"


@pytest.fixture
def put() -> Iterator[Put]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="scripts")
        client.put_bucket_versioning(Bucket="scripts", VersioningConfiguration={"Status": "Enabled"})

        def put(content: bytes) -> S3Gateway:
            client.put_object(Bucket="scripts", Key="post-restore-sql/mask it.sql", Body=content)
            return S3Gateway(client)

        yield put


def test_a_script_is_read_with_its_version_and_checksum(put: Put) -> None:
    put(b"SELECT 1")
    content = "UPDATE t SET name = 'Žofie'".encode()
    script = put(content).script(URI)
    assert (script.s3_uri, script.text) == (URI, "UPDATE t SET name = 'Žofie'")
    assert script.sha256 == hashlib.sha256(content).hexdigest()
    assert script.version_id


def test_a_byte_order_mark_is_no_part_of_the_sql(put: Put) -> None:
    assert put(b"\xef\xbb\xbfSELECT 1").script(URI).text == "SELECT 1"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"SELECT '\xe4'", "a byte at 8 that is not UTF-8"),
        (b"SELECT 1\0", "a NUL character"),
        (b"-" * (LARGEST_SCRIPT + 1), "1048577 bytes"),
    ],
)
def test_what_is_no_script_is_refused(put: Put, content: bytes, found: str) -> None:
    with pytest.raises(PostRestoreSqlFailed, match=f"{URI}: found {found}"):
        put(content).script(URI)


@pytest.mark.parametrize("uri", ["s3://scripts/nothing.sql", "s3://no-bucket/post-restore-sql/mask.sql"])
def test_a_script_that_is_not_there_is_refused(put: Put, uri: str) -> None:
    with pytest.raises(PostRestoreSqlFailed, match="no such object"):
        put(b"").script(uri)


def test_a_script_that_is_not_there_or_closed_is_access_denied() -> None:
    client = boto3.client("s3", region_name="us-west-2")
    with Stubber(client) as stub:
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        with pytest.raises(AccessDenied, match="s3:GetObject") as denied:
            S3Gateway(client).script(URI)
    # The functions may not list the bucket, so S3 says so of what is not there as well.
    assert f"{URI}, which is not there or is closed" in str(denied.value)
    assert "look first whether it is there" in str(denied.value)
