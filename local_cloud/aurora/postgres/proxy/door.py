"""The doors: a port of 127.0.0.1 before each server, a thread for each and for each of its clients."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_cloud.aurora.postgres.proxy.doorkeeper import Doorkeeper
from local_cloud.aurora.postgres.proxy.session import Session
from local_cloud.aurora.postgres.proxy.wire import Ending
from local_cloud.aurora.postgres.tls import ServerTls

BACKLOG = 128
# A session that is waiting for something else than its two sides breaks off when that is over.
PATIENCE_SECONDS = 2.0


class Door:
    """Accepts the clients of one server and relays them to its Unix socket: that of `number` in `socket_dir`."""

    def __init__(self, tls: ServerTls, socket_dir: Path, port: int, keeper: Doorkeeper) -> None:
        self._keeper = keeper
        self._tls, self._old_tls = (_context(shown, tls.key) for shown in (tls.certificate, tls.old_certificate))
        self.shows_old_name = False
        self._ending: Ending | None = None
        self._threads: set[threading.Thread] = set()
        self.socket_dir, self.number, self.port = socket_dir, port, port

    @property
    def behind(self) -> dict[str, Any]:
        """The server's own host and port, as libpq has them."""
        return {"host": str(self.socket_dir), "port": self.number}

    def open(self) -> None:
        """Begin to accept; on another port if somebody has taken ours meanwhile."""
        if self._ending is None:
            listener = self._listen()
            self.port = listener.getsockname()[1]
            self._ending = Ending()
            self._start(self._accept, listener, self._ending)

    def close(self) -> None:
        """Accept no more and break off what is open."""
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.begin()
            give_up = time.monotonic() + PATIENCE_SECONDS
            for thread in self._threads.copy():
                thread.join(max(give_up - time.monotonic(), 0.0))

    def _listen(self) -> socket.socket:
        try:
            return socket.create_server(("127.0.0.1", self.port), backlog=BACKLOG)
        except OSError:
            return socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)

    def _accept(self, listener: socket.socket, ending: Ending) -> None:
        waiting = select.poll()
        waiting.register(listener, select.POLLIN)
        waiting.register(ending, select.POLLIN)
        with listener:
            while ending.fileno() not in dict(waiting.poll()):
                client, _ = listener.accept()
                self._start(self._serve, client, ending)

    def _serve(self, client: socket.socket, ending: Ending) -> None:
        server_socket = self.socket_dir / f".s.PGSQL.{self.number}"
        tls = self._old_tls if self.shows_old_name else self._tls
        Session(client, ending, server_socket, self.port, tls, self._keeper).run()

    def _start(self, work: Callable[[socket.socket, Ending], None], opened: socket.socket, ending: Ending) -> None:
        """Begin a thread that takes itself off the list."""

        def run() -> None:
            try:
                work(opened, ending)
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=run, name=f"postgres-door-{self.port}", daemon=True)
        self._threads.add(thread)
        thread.start()


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.num_tickets = 0  # libpq resumes no session
    return context
