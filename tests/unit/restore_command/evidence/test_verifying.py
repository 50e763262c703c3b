"""Evidence is verified with the public key alone; one changed byte is told by the name of its file."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto import mock_aws

from deployment.account import Refused
from restore_command.evidence.reporting import verify_report
from restore_command.evidence.verifying import Verified, verify
from restore_command.exit_codes import FAILED, SUCCEEDED
from tests.shell_blocks import shell_blocks
from tests.unit.evidence.runs import a_restore, at, rows
from tests.unit.restore_command.desk import Desk
from utils.evidence.attestation import envelope, pre_authentication_encoding, statement, statement_of_period
from utils.evidence.compiling import evidence_of
from utils.evidence.page import page_of
from utils.evidence.period import Period

KEY = "arn:aws:kms:us-west-2:123456789012:key/evidence"
SIGNER, STRANGER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
FILES = ("report.json", "report.html", "report.dsse.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The three files as the pipeline writes them, and the public key."""
    evidence = evidence_of(a_restore(), rows(), at(35))
    files = {"report.json": evidence.as_text().encode(), "report.html": page_of(evidence).encode()}
    payload = statement(files, evidence, KEY)
    signature = SIGNER.sign(pre_authentication_encoding(payload), ec.ECDSA(SHA256()))
    files["report.dsse.json"] = envelope(payload, KEY, signature).encode()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    write_key(tmp_path / "public_key.pem", SIGNER.public_key())
    return tmp_path


@pytest.fixture
def printing() -> Iterator[Desk]:
    with mock_aws():
        yield Desk()


def write_key(path: Path, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> Path:
    path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def verified(folder: Path) -> Verified:
    return verify([folder / name for name in FILES], folder / "public_key.pem")


def test_what_was_signed_is_verified_and_said_with_what_that_does_not_prove(folder: Path) -> None:
    found = verified(folder)

    assert (found.holds, found.wrong) == (True, [])
    assert found.right == [
        f"report.dsse.json: signed with this key, {KEY}",
        "report.json: SHA-256 is the one that was signed",
        "report.html: SHA-256 is the one that was signed",
    ]
    assert found.predicate["operationId"] == "nightly-1"
    assert any("pipeline's own account" in line for line in found.document()["does_not_prove"])


@pytest.mark.parametrize("name", FILES)
def test_every_changed_byte_is_noticed_and_its_file_named(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    # All of the envelope, of which the signature covers a part; the digests of the others miss no byte.
    places = range(len(content)) if name == "report.dsse.json" else range(0, len(content), 997)
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1
        (folder / name).write_bytes(changed)
        found = verified(folder)
        assert [line.split(":")[0].split(" ")[0] for line in found.wrong] == [name], place


def test_a_byte_more_is_noticed_as_well(folder: Path) -> None:
    for name in FILES:
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(before + b"\n")
        assert verified(folder).wrong[0].startswith(name)
        (folder / name).write_bytes(before)


def test_another_key_is_refused_and_so_is_what_is_no_such_key(folder: Path) -> None:
    write_key(folder / "public_key.pem", STRANGER.public_key())
    assert "the signature is not this key's" in verified(folder).wrong[0]

    write_key(folder / "public_key.pem", rsa.generate_private_key(65537, 2048).public_key())
    with pytest.raises(Refused, match="expected ECDSA on the curve NIST P-256"):
        verified(folder)
    (folder / "public_key.pem").write_text("-----BEGIN NONSENSE-----")
    with pytest.raises(Refused, match="no public key in PEM"):
        verified(folder)


def test_evidence_of_another_run_is_not_taken_for_this_one(folder: Path) -> None:
    other = evidence_of(a_restore("nightly-2"), rows(), at(35))
    (folder / "report.json").write_text(other.as_text())
    assert verified(folder).wrong[0].startswith("report.json was changed: its SHA-256 is ")


def test_the_report_of_a_period_is_verified_the_same_way(tmp_path: Path) -> None:
    period = Period(made_at=at(60), until=at(60), days=90, fresh_days=30, region="us-west-2")
    files = {"drills.json": b"{}\n", "drills.html": b"<!doctype html>"}
    payload = statement_of_period(files, period, KEY)
    signature = SIGNER.sign(pre_authentication_encoding(payload), ec.ECDSA(SHA256()))
    files["drills.dsse.json"] = envelope(payload, KEY, signature).encode()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    key = write_key(tmp_path / "public_key.pem", SIGNER.public_key())

    found = verify([tmp_path], key)
    assert found.wrong == []
    assert found.of == f"Evidence of the drills in us-west-2 from {period.since.isoformat()} to {at(60).isoformat()}"
    (tmp_path / "drills.json").write_bytes(b"[]\n")
    [wrong] = verify([tmp_path], key).wrong
    assert wrong.startswith("drills.json was changed")


def test_a_statement_about_something_else_is_no_evidence_though_the_key_signed_it(folder: Path) -> None:
    text = json.dumps({"_type": "https://in-toto.io/Statement/v1", "predicateType": "x", "predicate": {"keyId": KEY}})
    signature = SIGNER.sign(pre_authentication_encoding(text.encode()), ec.ECDSA(SHA256()))
    (folder / "report.dsse.json").write_text(envelope(text.encode(), KEY, signature))
    expected = "urn:aurora-restore:evidence:v1 or urn:aurora-restore:drills:v1"
    assert verified(folder).wrong == [f"report.dsse.json states 'x', expected {expected}"]


def test_a_folder_stands_for_its_files_and_what_is_missing_is_said(folder: Path) -> None:
    assert verify([folder], folder / "public_key.pem").holds

    found = verify([folder / "report.dsse.json", folder / "report.json"], folder / "public_key.pem")
    assert found.holds
    assert found.not_given == ["report.html"]
    assert not any("report.html" in line for line in found.right)
    alone = verify([folder / "report.dsse.json"], folder / "public_key.pem")
    assert not alone.holds
    with pytest.raises(Refused, match="found 0 files"):
        verify([folder / "report.json"], folder / "public_key.pem")
    with pytest.raises(Refused, match="could not be read"):
        verify([folder / "nothing.json"], folder / "public_key.pem")


def test_the_exit_code_says_whether_it_holds(folder: Path, printing: Desk) -> None:
    files, key = [folder], folder / "public_key.pem"
    assert verify_report(printing.output(), files, key) == SUCCEEDED
    printed = " ".join(printing.printed.split())
    what = "Evidence of nightly-1 (restored, 2026-11-22T03:35:00.123456+00:00): staging from arn:aws:rds:us-east-1:"
    assert f" VERIFIED {what}" in printed
    (folder / "report.html").write_text("<p>better")
    assert verify_report(printing.output(as_json=True), files, key) == FAILED
    assert '"verified": false' in printing.printed
    verify_report(printing.output(), files, key)
    assert printing.printed.count("Evidence of") == 1


def test_openssl_says_the_same_with_the_documented_commands(folder: Path) -> None:
    [block] = [block for block in shell_blocks("docs/evidence.md") if block.reason is None]

    def typed() -> subprocess.CompletedProcess[str]:
        command = ["bash", "-euo", "pipefail", "-c", block.commands]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    done = typed()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Verified OK", "report.json: OK", "report.html: OK"]
    (folder / "report.html").write_text("<p>better")
    assert "report.html: FAILED" in typed().stdout
    write_key(folder / "public_key.pem", STRANGER.public_key())
    assert typed().returncode != 0
