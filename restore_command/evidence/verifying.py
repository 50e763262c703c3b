"""Whether files are the evidence that a key signed: with the public key alone, without AWS."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from deployment.account import Refused
from utils.evidence.attestation import (
    PERIOD_TYPE,
    PREDICATE_TYPE,
    STATEMENT_TYPE,
    envelope,
    pre_authentication_encoding,
    sha256,
)
from utils.words import printable

ENVELOPE = ".dsse.json"
PROVES = ("that whoever holds the private key signed exactly these files, as the evidence of this operation or period",)
DOES_NOT_PROVE = (
    "that the key is the pipeline's: compare its ARN, and get the public key from the account that you trust",
    "when it was signed, other than by what the files say themselves",
    "that what the files say is so: they are the pipeline's own account of what it did",
)


@dataclass
class Verified:
    """What came out: a line for each thing that was looked at, and for each that is wrong."""

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    not_given: list[str] = field(default_factory=list)
    predicate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether all of it is right."""
        return not self.wrong

    @property
    def of(self) -> str:
        """What the signed statement says that it is about, in a line; empty if nothing is signed."""
        said = {name: printable(str(value)) for name, value in self.predicate.items()}
        if "operationId" in said:
            return (
                f"Evidence of {said['operationId']} ({said['result']}, {said['madeAt']}): "
                f"{said['targetCluster']} from {said['sourceSnapshot']}"
            )
        return f"Evidence of the drills in {said['region']} from {said['since']} to {said['until']}" if said else ""

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        said = {"proves": list(PROVES) if self.holds else [], "does_not_prove": list(DOES_NOT_PROVE)}
        return {
            "verified": self.holds,
            "right": self.right,
            "wrong": self.wrong,
            "not_given": self.not_given,
            **said,
        } | {"statement": dict(self.predicate)}


def verify(files: Iterable[Path], key_file: Path) -> Verified:
    """Check the envelope's signature, then each file against its digest; raises `Refused` for what is no evidence."""
    key = public_key(_read(key_file), str(key_file))
    contents = {path: _read(path) for path in _expanded(files)}
    envelopes = [path for path in contents if path.name.endswith(ENVELOPE)]
    if len(envelopes) != 1:
        raise Refused(f"found {len(envelopes)} files *{ENVELOPE}, expected the one that signs the others")
    found = Verified()
    payload = _signed_payload(contents.pop(envelopes[0]), envelopes[0].name, key, found)
    if payload is not None:
        _check_files({path.name: content for path, content in contents.items()}, payload, found)
    return found


def public_key(content: bytes, name: str) -> EllipticCurvePublicKey:
    """Return the public key of a PEM file; raises `Refused`."""
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused(f"{name} is no public key in PEM: {error}") from None
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise Refused(f"{name} is a key of another kind, expected ECDSA on the curve NIST P-256")
    return key


def _signed_payload(
    content: bytes, name: str, key: EllipticCurvePublicKey, found: Verified
) -> Mapping[str, Any] | None:
    """Return the statement if the key signed it; else say what is wrong."""
    try:
        parsed = json.loads(content)
        payload = base64.b64decode(parsed["payload"], validate=True)
        [signed] = parsed["signatures"]
        signature, key_id = base64.b64decode(signed["sig"], validate=True), signed["keyid"]
    except (ValueError, KeyError, TypeError):
        found.wrong.append(f"{name} was changed: it is no DSSE envelope with one signature")
        return None
    if not _is_signed(pre_authentication_encoding(payload), signature, key):
        found.wrong.append(f"{name}: the signature is not this key's, or the envelope was changed")
        return None
    statement: dict[str, Any] = json.loads(payload)
    # What the signature does not cover: spaces, other names, the envelope's own word on the key.
    if envelope(payload, str(statement["predicate"].get("keyId")), signature).encode() != content:
        found.wrong.append(f"{name} was changed beside what is signed; it names the key {key_id}")
        return None
    kind = statement.get("predicateType")
    if statement.get("_type") != STATEMENT_TYPE or kind not in {PREDICATE_TYPE, PERIOD_TYPE}:
        found.wrong.append(f"{name} states {kind!r}, expected {PREDICATE_TYPE} or {PERIOD_TYPE}")
        return None
    found.right.append(f"{name}: signed with this key, {key_id}")
    found.predicate = statement["predicate"]
    return statement


def _check_files(contents: Mapping[str, bytes], statement: Mapping[str, Any], found: Verified) -> None:
    digests = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    for name, content in contents.items():
        if name not in digests:
            found.wrong.append(f"{name} is not among what was signed: {', '.join(digests)}")
        elif sha256(content) != digests[name]:
            found.wrong.append(f"{name} was changed: its SHA-256 is {sha256(content)}, signed was {digests[name]}")
        else:
            found.right.append(f"{name}: SHA-256 is the one that was signed")
    missing = sorted(digests.keys() - contents.keys())
    found.not_given += missing
    if len(missing) == len(digests):
        found.wrong.append(f"no file to compare: give {' or '.join(missing)} as well")


def _is_signed(message: bytes, signature: bytes, key: EllipticCurvePublicKey) -> bool:
    try:
        key.verify(signature, message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _expanded(files: Iterable[Path]) -> list[Path]:
    """Return the files, and for a folder the three that are evidence, of a run or of a period."""
    found: list[Path] = []
    for path in files:
        found += sorted([*path.glob("report.*"), *path.glob("drills.*")]) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} could not be read: {error}") from None
