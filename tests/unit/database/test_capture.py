"""What a listener on the network sees of a set-up: a request for TLS, then TLS."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from tests.unit.database.production import USERS, Restored
from utils.database.setup import set_up_users

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
TLS_RECORDS = {20, 21, 22, 23}  # change_cipher_spec, alert, handshake, application_data (RFC 8446, 5.1)


@dataclass
class Listener:
    """A TCP hop that keeps what passes: a pair (from the client, from the server) for each connection."""

    port_behind: int
    heard: list[tuple[bytearray, bytearray]] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)
    door: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        return int(self.door.getsockname()[1])

    def listen(self) -> None:
        while True:
            try:
                client, _ = self.door.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port_behind))
            self.sockets += [client, server]
            pair = (bytearray(), bytearray())
            self.heard.append(pair)
            for source, sink, kept in ((client, server, pair[0]), (server, client, pair[1])):
                threading.Thread(target=_pass_on, args=(source, sink, kept), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    with contextlib.suppress(OSError):  # either side may break off
        while data := source.recv(65_536):
            kept += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def listener(restored: Restored) -> Iterator[Listener]:
    hop = Listener(restored.server.port)
    thread = threading.Thread(target=hop.listen, daemon=True)
    thread.start()
    yield hop
    hop.door.shutdown(socket.SHUT_RDWR)
    hop.door.close()
    thread.join(5)
    for each in hop.sockets:
        each.close()


def records(data: bytes) -> Iterator[int]:
    """Yield the type of every TLS record; fail where something else stands."""
    position = 0
    while position < len(data):
        kind, major = data[position], data[position + 1]
        assert (kind in TLS_RECORDS, major) == (True, 3), f"no TLS at byte {position}"
        yield kind
        position += 5 + int.from_bytes(data[position + 3 : position + 5])


def test_every_connection_of_the_set_up_is_tls_from_the_first_packet_after_the_request(
    restored: Restored, listener: Listener
) -> None:
    set_up_users(replace(restored.master, server=replace(restored.address, port=listener.port)), USERS)

    assert len(listener.heard) > len(USERS), "the proof logs in as each of them"
    for to_server, to_client in listener.heard:
        assert to_server.startswith(SSL_REQUEST)
        assert to_client[:1] == b"S"
        assert next(records(bytes(to_server[8:]))) == 22, "the handshake comes first"
        assert set(records(bytes(to_server[8:]))) <= TLS_RECORDS
        assert set(records(bytes(to_client[1:]))) <= TLS_RECORDS
    everything = b"".join(bytes(part) for pair in listener.heard for part in pair)
    words = [b"application_name", b"GRANT", *(user.name.encode() + b"\0" for user in USERS)]
    assert [word for word in words if word in everything] == []
