"""How the restored database is told apart from anybody who pretends to be it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SHIPPED_CA_FILE = Path(__file__).parent.parent / "rds_ca" / "global-bundle.pem"


class TlsMode(StrEnum):
    """libpq's `sslmode`, without the modes that would talk in clear."""

    VERIFY_FULL = "verify-full"
    REQUIRE = "require"


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Which server is trusted: one with a certificate of these CAs for its host name, or (`REQUIRE`) any."""

    mode: TlsMode = TlsMode.VERIFY_FULL
    ca_file: Path = SHIPPED_CA_FILE

    def parameters(self) -> dict[str, str]:
        """Return libpq's connection parameters."""
        # Here, because every function's settings name a `Tls`, and one function connects.
        from psycopg2.extensions import libpq_version

        # A Kerberos ticket in the environment would make libpq try GSSAPI encryption first.
        parameters = {"sslmode": self.mode.value, "gssencmode": "disable"}
        if libpq_version() >= 160_000:
            # RDS asks for no certificate of a client: in a home that it may not read, libpq would fail to look for one.
            parameters["sslcertmode"] = "disable"
        if self.mode is TlsMode.VERIFY_FULL:
            parameters["sslrootcert"] = str(self.ca_file)
        return parameters


# libpq has no codes for these; the texts are of fe-secure-openssl.c and fe-secure-common.c.
_UNTRUSTED = (
    "SSL error:",
    "does not match host name",
    "could not get server's host name",
    "server does not support SSL",
    "root certificate file",
)
_BROKEN_OFF = "unexpected eof"


def is_untrusted(message: str) -> bool:
    """Tell from libpq's message whether a connection failed because the server could not be trusted."""
    return any(text in message for text in _UNTRUSTED) and _BROKEN_OFF not in message
