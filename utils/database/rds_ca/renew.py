"""Renews global-bundle.pem from AWS: `python3 utils/database/rds_ca/renew.py [file]`; needs the internet, or a file.

Keeps what has not expired, writes the README's table anew, and changes nothing if AWS's file is not what it should be.
"""

import hashlib
import re
import ssl
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

URL = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
BUNDLE = Path(__file__).with_name("global-bundle.pem")
README = Path(__file__).with_name("README.md")
# AWS has three roots for each of more than thirty Regions.
FEWEST = 80
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?")
_TABLE = re.compile(r"(?<=<!-- bundle:start -->\n).*(?=<!-- bundle:end -->)", re.DOTALL)


def main() -> None:
    """Fetch, check and write the bundle."""
    source = sys.argv[1] if len(sys.argv) > 1 else URL
    today = datetime.now(UTC)
    certificates = [text for text in found_in(_read(source)) if expiry(text) > today]
    if len(certificates) < FEWEST:
        raise SystemExit(
            f"only {len(certificates)} certificates in {source}, expected {FEWEST} or more: nothing changed"
        )
    bundle = "".join(certificates)
    BUNDLE.write_text(bundle)
    README.write_text(_TABLE.sub(lambda _: table(bundle, Path(source).name, today), README.read_text()))
    print(f"{len(certificates)} certificates written; see git diff, run the tests, deploy")  # noqa: T201


def found_in(text: str) -> list[str]:
    """Return the certificates of a PEM file, in its order; comments between them are dropped."""
    return [match.rstrip("\n") + "\n" for match in _CERTIFICATE.findall(text.replace("\r\n", "\n"))]


def expiry(certificate: str) -> datetime:
    """Return the end of a CA certificate's validity; raises `SystemExit` for anything but a CA of Amazon RDS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate)
    decoded: dict[str, Any] = dict(next(iter(context.get_ca_certs()), {}))
    names = [value for part in decoded.get("subject", ()) for name, value in part if name == "commonName"]
    if not any(name.startswith("Amazon RDS ") for name in names):
        raise SystemExit(f"not a CA of Amazon RDS: {names}: nothing changed")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(decoded["notAfter"]), UTC)


def table(bundle: str, source: str, at: datetime) -> str:
    """Return the README's table about a bundle."""
    return (
        "| | |\n|---|---|\n"
        f"| Taken from | {source} |\n"
        f"| Date | {at:%Y-%m-%d} |\n"
        f"| Certificates | {len(found_in(bundle))} |\n"
        f"| SHA-256 of global-bundle.pem | {hashlib.sha256(bundle.encode()).hexdigest()} |\n"
    )


def _read(source: str) -> str:
    if source != URL:
        return Path(source).read_text()
    with urllib.request.urlopen(URL, timeout=30) as answer:
        text: bytes = answer.read(4_000_000)
    return text.decode("ascii")


if __name__ == "__main__":
    main()
