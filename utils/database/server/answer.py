"""Whether a PostgreSQL server answers under a name, without a login."""

import socket
import struct

from utils.database.server.connection import DatabaseServer

_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_ANSWERS = (b"S", b"N")
_SECONDS = 2.0


def answers(server: DatabaseServer) -> bool:
    """Ask for TLS, as every client does first, and tell whether there was an answer within two seconds."""
    try:
        with socket.create_connection((server.host, server.port), timeout=_SECONDS) as connection:
            connection.sendall(_SSL_REQUEST)
            return connection.recv(1) in _ANSWERS
    except OSError:
        return False


def leads_to(host: str, other: str) -> bool:
    """Tell whether both names lead to the same address now."""
    try:
        return bool(_addresses(host) & _addresses(other))
    except OSError:
        return False


def _addresses(host: str) -> set[str]:
    return {str(address[0]) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
