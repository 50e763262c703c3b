"""The evidence of an operation as it is kept in S3, and the public half of the key that signed it."""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from deployment.account import Refused, told
from utils.evidence.attestation import sha256
from utils.operation.records import EvidenceRecord

PUBLIC_KEY = "public_key.pem"


def read(s3: Any, record: EvidenceRecord, name: str) -> bytes:
    """Return a file; raises `Refused` for one that is not what the operation's row says was written."""
    bucket, _, folder = (record.folder or "").removeprefix("s3://").partition("/")
    with told():
        content: bytes = s3.get_object(Bucket=bucket, Key=folder + name)["Body"].read()
    if sha256(content) != record.sha256.get(name):
        raise Refused(f"{record.folder}{name} is not what was written: an earlier version of the object may be")
    return content


def fetch(s3: Any, kms: Any, record: EvidenceRecord, folder: Path) -> list[Path]:
    """Write the files and the public key into a folder; return their paths."""
    files = {name: read(s3, record, name) for name in record.sha256}
    with told():
        der = kms.get_public_key(KeyId=record.signed_by)["PublicKey"]
    files[PUBLIC_KEY] = load_der_public_key(der).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise Refused(f"{folder} could not be written: {error}") from None
    return [folder / name for name in files]
