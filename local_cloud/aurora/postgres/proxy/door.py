"""The doors: a port of 127.0.0.1 before each server, all on one event loop."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from local_cloud.aurora.postgres.proxy.doorkeeper import Doorkeeper
from local_cloud.aurora.postgres.proxy.session import Session, Wire
from local_cloud.aurora.postgres.tls import ServerTls

T = TypeVar("T")
BACKLOG = 128


class DoorLoop:
    """The thread in which all doors of a local Aurora work; it ends with the process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="postgres-doors", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the thread; the doors are closed before. Nothing to do the second time."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Door:
    """Accepts the clients of one server and relays them to its Unix socket: that of `number` in `socket_dir`."""

    def __init__(self, loop: DoorLoop, tls: ServerTls, socket_dir: Path, port: int, keeper: Doorkeeper) -> None:
        self._loop = loop
        self._keeper = keeper
        self._tls, self._old_tls = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2))
        self._tls.load_cert_chain(tls.certificate, tls.key)
        self._old_tls.load_cert_chain(tls.old_certificate, tls.key)
        self.shows_old_name = False
        self._listener: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self.socket_dir, self.number, self.port = socket_dir, port, port

    def open(self) -> None:
        """Begin to accept; on another port if somebody has taken ours meanwhile."""
        if self._listener is None:
            self._listener = self._loop.run(self._listen())

    def close(self) -> None:
        """Accept no more and break off what is open."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._loop.run(self._end(listener))

    async def _listen(self) -> asyncio.Server:
        try:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=BACKLOG)
        except OSError:
            listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.port = listener.getsockname()[1]
        return await asyncio.start_server(self._serve, sock=listener)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_socket = self.socket_dir / f".s.PGSQL.{self.number}"
        tls = self._old_tls if self.shows_old_name else self._tls
        session = Session(Wire(reader, writer), server_socket, self.port, tls, self._keeper)
        task = asyncio.create_task(session.run())
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)

    async def _end(self, listener: asyncio.Server) -> None:
        listener.close()
        sessions = list(self._sessions)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
