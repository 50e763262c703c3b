"""One client's connection: from its first byte to its end."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

from local_cloud.aurora.postgres.proxy import protocol
from local_cloud.aurora.postgres.proxy.doorkeeper import LOGIN, Doorkeeper, Mishap, RoundTrip

CHUNK = 65_536
FATAL_CLASSES = ("08", "57P")
AFTER_THE_EFFECT = ("drop-after", "kill", "twice")
_connections = itertools.count(1)


class Finished(Exception):
    """The connection is over, and the client has been told all it may know."""


@dataclass(frozen=True)
class Wire:
    """Both directions of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send, and wait while the other side is behind."""
        self.writer.write(data)
        await self.writer.drain()

    async def message(self) -> bytes:
        """Return the next message whole; raise IncompleteReadError at the end."""
        header = await self.reader.readexactly(5)
        return header + await self.reader.readexactly(int.from_bytes(header[1:]) - 4)

    def reset(self) -> None:
        """Break the connection off, as a network does."""
        raw = self.writer.get_extra_info("socket")
        if raw is not None and raw.family == socket.AF_INET:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Session:
    """Relays one client to the server behind the door."""

    def __init__(self, client: Wire, server_socket: Path, port: int, tls: ssl.SSLContext, keeper: Doorkeeper) -> None:
        self._client = client
        self._wires = [client]
        self._server_socket = server_socket
        self._port = port
        self._tls = tls
        self._keeper = keeper
        self._number = next(_connections)
        self._parameters: dict[str, str] = {}
        self._asked = self._answered = 0
        self._spoiled: tuple[int, Mishap] | None = None
        self._statement = ""

    async def run(self) -> None:
        """Serve the client until one side ends the connection."""
        try:
            await self._pass_the_network()
            startup = await self._greet()
            await self._meet(self._round_trip(LOGIN))
            server = await self._server()
            await server.send(startup)
            await self._let_in(server)
            await self._relay(server)
        except (Finished, OSError, asyncio.IncompleteReadError):  # one side is gone, or the server does not run
            pass
        except asyncio.CancelledError:
            self._client.reset()
            raise
        finally:
            for wire in self._wires:
                wire.writer.close()

    async def _pass_the_network(self) -> None:
        """Be as silent as a security group to whom it does not let in, until the client gives up."""
        client_port: int = self._client.writer.get_extra_info("peername")[1]
        if await asyncio.to_thread(self._keeper.reaches, client_port):
            return
        while await self._client.reader.read(CHUNK):
            pass
        raise Finished

    async def _greet(self) -> bytes:
        """Do what comes before the login and return the StartupMessage."""
        encrypted = False
        while True:
            head = await self._client.reader.readexactly(8)
            length, code = struct.unpack("!II", head)
            if not 8 <= length <= protocol.LONGEST_STARTUP:
                raise Finished
            body = await self._client.reader.readexactly(length - 8)
            if code == protocol.SSL_REQUEST and not encrypted:
                self._client.writer.write(b"S")
                await self._client.writer.start_tls(self._tls)
                encrypted = True
            elif code == protocol.GSS_ENCRYPTION_REQUEST and not encrypted:
                await self._client.send(b"N")
            elif code == protocol.CANCEL_REQUEST:
                await (await self._server()).send(head + body)
                raise Finished
            elif code >> 16 != 3:
                await self._refuse("0A000", f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}")
            else:
                self._parameters = protocol.startup_parameters(body)
                if not encrypted:  # as rds.force_ssl=1 answers
                    await self._refuse(
                        "28000",
                        f'no pg_hba.conf entry for host "127.0.0.1", user "{self._user}", '
                        f'database "{self._database}", no encryption',
                    )
                return head + body

    async def _let_in(self, server: Wire) -> None:
        """Leave the login to the server, except for those whom it trusts us to judge: the members of rds_iam."""
        answer = await server.message()
        if answer[0] == protocol.AUTHENTICATION and answer[5:9] == b"\0\0\0\0":
            await self._client.send(protocol.CLEARTEXT_PASSWORD_WANTED)
            message = await self._client.message()
            token = message[5:].rstrip(b"\0").decode("utf-8", "replace")
            is_password = message[0] == protocol.PASSWORD
            if not (is_password and await asyncio.to_thread(self._keeper.admits, self._user, self._port, token)):
                await self._refuse("28000", f'PAM authentication failed for user "{self._user}"')
        await self._client.send(answer)

    async def _relay(self, server: Wire) -> None:
        self._asked = 1  # the login
        both = {asyncio.create_task(self._to_server(server)), asyncio.create_task(self._to_client(server))}
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _to_server(self, server: Wire) -> None:
        buffer = bytearray()
        while data := await self._client.reader.read(CHUNK):
            buffer += data
            sent = scanned = 0
            for kind, start, end in protocol.messages(buffer):
                if kind == protocol.PARSE and not self._statement:
                    self._statement = protocol.first_words(protocol.sql_of_parse(bytes(buffer[start:end])))
                elif kind == protocol.QUERY:
                    self._statement = protocol.first_words(protocol.sql_of_query(bytes(buffer[start:end])))
                if kind in protocol.ENDS_ROUND_TRIP:
                    await server.send(bytes(buffer[sent:start]))
                    await self._ask(server, bytes(buffer[start:end]))
                    sent = end
                scanned = end
            await server.send(bytes(buffer[sent:scanned]))
            del buffer[:scanned]

    async def _ask(self, server: Wire, request: bytes) -> None:
        mishap = await self._meet(self._round_trip(self._statement))
        self._statement = ""
        self._asked += 1
        if mishap and mishap.kind in AFTER_THE_EFFECT:
            self._spoiled = (self._asked, mishap)
        if mishap and mishap.kind == "error":
            request = protocol.failing_query(mishap.sqlstate, mishap.message)
        await server.send(request)

    async def _to_client(self, server: Wire) -> None:
        buffer = bytearray()
        while data := await server.reader.read(CHUNK):
            buffer += data
            scanned = 0
            for kind, _, end in protocol.messages(buffer):
                if kind == protocol.READY_FOR_QUERY:
                    self._answered += 1
                    if self._spoiled and self._spoiled[0] == self._answered:
                        await self._spoil(self._spoiled[1])
                scanned = end
            await self._client.send(data)
            del buffer[:scanned]

    async def _spoil(self, mishap: Mishap) -> None:
        """Do what happens between the statement's effect and its answer."""
        await asyncio.to_thread(mishap.act)
        if mishap.kind != "twice":
            self._client.reset()
            raise Finished

    async def _meet(self, round_trip: RoundTrip) -> Mishap | None:
        """Note a round trip; do what happens before the server sees it."""
        mishap = self._keeper.meet(round_trip)
        if mishap is None:
            return None
        if mishap.kind == "delay":
            await asyncio.sleep(mishap.seconds)
        elif mishap.kind == "drop":
            self._client.reset()
            raise Finished
        elif mishap.kind == "error" and (round_trip.number == 0 or mishap.sqlstate.startswith(FATAL_CLASSES)):
            await self._refuse(mishap.sqlstate, mishap.message)
        elif mishap.kind in AFTER_THE_EFFECT and round_trip.number == 0:
            self._spoiled = (1, mishap)
        return mishap

    def _round_trip(self, statement: str) -> RoundTrip:
        return RoundTrip(
            connection=self._number,
            number=self._asked,
            user=self._user,
            database=self._database,
            application_name=self._parameters.get("application_name", ""),
            statement=statement,
        )

    async def _refuse(self, sqlstate: str, message: str) -> None:
        await self._client.send(protocol.error_response("FATAL", sqlstate, message))
        raise Finished

    async def _server(self) -> Wire:
        wire = Wire(*await asyncio.open_unix_connection(str(self._server_socket)))
        self._wires.append(wire)
        return wire

    @property
    def _user(self) -> str:
        return self._parameters.get("user", "")

    @property
    def _database(self) -> str:
        return self._parameters.get("database", self._user)
