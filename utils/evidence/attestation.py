"""What is signed: an in-toto Statement about the two files, in a DSSE envelope.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from utils.evidence.model import Evidence
from utils.evidence.period import Period

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:aurora-restore:evidence:v1"
PERIOD_TYPE = "urn:aurora-restore:drills:v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def statement(files: Mapping[str, bytes], evidence: Evidence, key_id: str) -> bytes:
    """Return the statement that `files`, by name, are the evidence of this operation, to be signed with this key."""
    return _statement(files, PREDICATE_TYPE, _predicate(evidence, key_id))


def statement_of_period(files: Mapping[str, bytes], period: Period, key_id: str) -> bytes:
    """Return the statement that `files`, by name, are the evidence of this period, to be signed with this key."""
    predicate = {
        "version": period.version,
        "since": period.since.isoformat(),
        "until": period.until.isoformat(),
        "region": period.region,
        "keyId": key_id,
    }
    return _statement(files, PERIOD_TYPE, predicate)


def _statement(files: Mapping[str, bytes], predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    subjects = [{"name": name, "digest": {"sha256": sha256(content)}} for name, content in files.items()]
    return json.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects,
            "predicateType": predicate_type,
            "predicate": predicate,
        },
        separators=(",", ":"),
    ).encode()


def pre_authentication_encoding(payload: bytes) -> bytes:
    """Return the bytes that a signature of a DSSE envelope is over."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def envelope(payload: bytes, key_id: str, signature: bytes) -> str:
    """Return `report.dsse.json`."""
    signed = {"keyid": key_id, "sig": base64.b64encode(signature).decode()}
    content = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [signed],
    }
    return json.dumps(content, indent=2) + "\n"


def sha256(content: bytes) -> str:
    """Return the digest in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _predicate(evidence: Evidence, key_id: str) -> dict[str, Any]:
    return {
        "version": evidence.version,
        "operationId": evidence.operation_id,
        "result": evidence.verdict.result.value,
        "madeAt": evidence.made_at.isoformat(),
        "sourceSnapshot": evidence.source.snapshot_arn,
        "targetCluster": evidence.target.cluster_id,
        # The envelope's own `keyid` is not covered by its signature.
        "keyId": key_id,
    }
