"""SCRAM-SHA-256 verifiers: what PostgreSQL stores of a password, so that clear text reaches no server log."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

# Few: the passwords are this machine's alone, and libpq pays for every iteration at every login.
_ITERATIONS = 1


def scram_verifier(password: str) -> str:
    """Return the verifier of an ASCII password, for CREATE ROLE ... PASSWORD (RFC 5803)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${_ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
