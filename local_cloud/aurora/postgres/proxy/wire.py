"""One side of a session: a socket that is waited for together with the end of its door."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import struct

CHUNK = 65_536
HANDSHAKE_SECONDS = 60.0


class DoorCloses(Exception):
    """The door closes while a session waits."""


class Ending:
    """Tells the threads of a door that it closes: they wait for it beside their own sockets."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def fileno(self) -> int:
        """Return what can be read once the door closes."""
        return self._read

    def comes_within(self, seconds: float) -> bool:
        """Wait so long, and tell whether the door closes."""
        waiting = select.poll()  # a process with many sessions has files beyond what select() takes
        waiting.register(self, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))

    def begin(self) -> None:
        """Let everybody know."""
        os.close(self._write)

    def __del__(self) -> None:
        os.close(self._read)


class Wire:
    """A connection to a client or to a server."""

    def __init__(self, raw: socket.socket, ending: Ending) -> None:
        self._socket, self._ending = raw, ending
        self._poll = select.poll()
        for waited_for in (raw, ending):
            self._poll.register(waited_for, select.POLLIN)

    @property
    def peer_port(self) -> int:
        """The port of the other side, on this machine."""
        port: int = self._socket.getpeername()[1]
        return port

    def fileno(self) -> int:
        """Return what can be read when something has come."""
        return self._socket.fileno()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Be the server of TLS from here on."""
        self._socket.settimeout(HANDSHAKE_SECONDS)
        self._socket = context.wrap_socket(self._socket, server_side=True)
        self._socket.settimeout(None)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        if data:
            self._socket.sendall(data)

    def read(self, size: int = CHUNK) -> bytes:
        """Return what has come, or comes next; b"" at the end."""
        return self._socket.recv(size)

    def exactly(self, size: int) -> bytes:
        """Return so many bytes; raise EOFError if the connection ends before."""
        data = b""
        while len(data) < size:
            if not self._has_decrypted():
                self._wait()
            more = self._socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def wait_for_its_end(self) -> None:
        """Answer nothing, whatever comes."""
        with contextlib.suppress(EOFError):
            while self.exactly(1):
                pass

    def message(self) -> bytes:
        """Return the next message whole."""
        header = self.exactly(5)
        return header + self.exactly(int.from_bytes(header[1:]) - 4)

    def reset(self) -> None:
        """Break the connection off, as a network does."""
        if self._socket.family == socket.AF_INET:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """End the connection in order; nothing to do when it is broken off."""
        with self._socket:
            with contextlib.suppress(OSError):
                self._socket.setblocking(False)
                while self._socket.recv(CHUNK):  # what nobody has read would break the connection off
                    pass
            with contextlib.suppress(OSError, ValueError):
                if isinstance(self._socket, ssl.SSLSocket):
                    self._socket.unwrap()  # only says good-bye: the answer is not waited for

    def _has_decrypted(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _wait(self) -> None:
        if self._ending.fileno() in dict(self._poll.poll()):
            raise DoorCloses
