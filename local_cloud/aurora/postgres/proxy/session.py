"""One client's connection, from its first byte to its end, in a thread of its own.

Streams of asyncio cost four times the processor time. One thread serves both directions: PostgreSQL answers what was
asked, so both sides never wait at once for the other to read.
"""

from __future__ import annotations

import itertools
import select
import socket
import ssl
import struct
from pathlib import Path

from local_cloud.aurora.postgres.proxy import protocol
from local_cloud.aurora.postgres.proxy.doorkeeper import LOGIN, Doorkeeper, Mishap, RoundTrip, path_to
from local_cloud.aurora.postgres.proxy.wire import DoorCloses, Ending, Wire

FATAL_CLASSES = ("08", "57P")
AFTER_THE_EFFECT = ("drop-after", "kill", "twice")
_connections = itertools.count(1)


class Finished(Exception):
    """The connection is over, and the client has been told all it may know."""


class Session:
    """Relays one client to the server behind the door."""

    def __init__(
        self,
        client: socket.socket,
        ending: Ending,
        server_socket: Path,
        port: int,
        tls: ssl.SSLContext,
        keeper: Doorkeeper,
    ) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ending = ending
        self._client = Wire(client, ending)
        self._wires = [self._client]
        self._server_socket = server_socket
        self._port = port
        self._tls = tls
        self._keeper = keeper
        self._number = next(_connections)
        self._parameters: dict[str, str] = {}
        self._asked = self._answered = 0
        self._spoiled: tuple[int, Mishap] | None = None
        self._statement = ""
        self._path: tuple[str, ...] = ()

    def run(self) -> None:
        """Serve the client until one side ends the connection, or the door closes."""
        try:
            self._pass_the_network()
            startup = self._greet()
            self._meet(self._round_trip(LOGIN))
            server = self._server()
            server.send(startup)
            self._let_in(server)
            self._relay(server)
        except (Finished, OSError, EOFError):  # one side is gone, or the server does not run
            pass
        except DoorCloses:
            self._client.reset()
        finally:
            for wire in self._wires:
                wire.close()

    def _pass_the_network(self) -> None:
        """Be as silent as a security group to whom it does not let in, until the client gives up."""
        if not self._keeper.reaches(self._client.peer_port):
            self._client.wait_for_its_end()
            raise Finished

    def _greet(self) -> bytes:
        """Do what comes before the login and return the StartupMessage."""
        encrypted = False
        while True:
            head = self._client.exactly(8)
            length, code = struct.unpack("!II", head)
            if not 8 <= length <= protocol.LONGEST_STARTUP:
                raise Finished
            body = self._client.exactly(length - 8)
            if code == protocol.SSL_REQUEST and not encrypted:
                self._client.send(b"S")
                self._client.start_tls(self._tls)
                encrypted = True
            elif code == protocol.GSS_ENCRYPTION_REQUEST and not encrypted:
                self._client.send(b"N")
            elif code == protocol.CANCEL_REQUEST:
                self._server().send(head + body)
                raise Finished
            elif code >> 16 != 3:
                self._refuse("0A000", f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}")
            else:
                self._parameters = protocol.startup_parameters(body)
                if not encrypted:  # as rds.force_ssl=1 answers
                    self._refuse(
                        "28000",
                        f'no pg_hba.conf entry for host "127.0.0.1", user "{self._user}", '
                        f'database "{self._database}", no encryption',
                    )
                return head + body

    def _let_in(self, server: Wire) -> None:
        """Leave the login to the server, except for those whom it trusts us to judge: the members of rds_iam."""
        answer = server.message()
        if answer[0] == protocol.AUTHENTICATION and answer[5:9] == b"\0\0\0\0":
            self._client.send(protocol.CLEARTEXT_PASSWORD_WANTED)
            message = self._client.message()
            token = message[5:].rstrip(b"\0").decode("utf-8", "replace")
            is_password = message[0] == protocol.PASSWORD
            if not (is_password and self._keeper.admits(self._user, self._port, token)):
                self._refuse("28000", f'PAM authentication failed for user "{self._user}"')
        self._client.send(answer)

    def _relay(self, server: Wire) -> None:
        self._asked = 1  # the login
        waiting = select.poll()
        for side in (self._client, server, self._ending):
            waiting.register(side, select.POLLIN)
        from_client, from_server = bytearray(), bytearray()
        while True:
            ready = dict(waiting.poll())
            if self._ending.fileno() in ready:
                raise DoorCloses
            if server.fileno() in ready:
                self._to_client(server.read(), from_server)
            if self._client.fileno() in ready:
                self._to_server(self._client.read(), from_client, server)

    def _to_server(self, data: bytes, buffer: bytearray, server: Wire) -> None:
        if not data:
            raise Finished
        buffer += data
        sent = scanned = 0
        for kind, start, end in protocol.messages(buffer):
            if kind == protocol.PARSE and not self._statement:
                self._statement = protocol.first_words(protocol.sql_of_parse(bytes(buffer[start:end])))
            elif kind == protocol.QUERY:
                self._statement = protocol.first_words(protocol.sql_of_query(bytes(buffer[start:end])))
            if kind in protocol.ENDS_ROUND_TRIP:
                server.send(bytes(buffer[sent:start]))
                self._ask(server, bytes(buffer[start:end]))
                sent = end
            scanned = end
        server.send(bytes(buffer[sent:scanned]))
        del buffer[:scanned]

    def _ask(self, server: Wire, request: bytes) -> None:
        mishap = self._meet(self._round_trip(self._statement))
        self._statement = ""
        self._asked += 1
        if mishap and mishap.kind in AFTER_THE_EFFECT:
            self._spoiled = (self._asked, mishap)
        if mishap and mishap.kind == "error":
            request = protocol.failing_query(mishap.sqlstate, mishap.message)
        server.send(request)

    def _to_client(self, data: bytes, buffer: bytearray) -> None:
        if not data:
            raise Finished
        buffer += data
        scanned = 0
        for kind, _, end in protocol.messages(buffer):
            if kind == protocol.READY_FOR_QUERY:
                self._answered += 1
                if self._spoiled and self._spoiled[0] == self._answered:
                    self._spoil(self._spoiled[1])
            scanned = end
        self._client.send(data)
        del buffer[:scanned]

    def _spoil(self, mishap: Mishap) -> None:
        """Do what happens between the statement's effect and its answer."""
        mishap.act()
        if mishap.kind != "twice":
            self._client.reset()
            raise Finished

    def _meet(self, round_trip: RoundTrip) -> Mishap | None:
        """Note a round trip; do what happens before the server sees it."""
        mishap = self._keeper.meet(round_trip)
        if mishap is None:
            return None
        if mishap.kind == "delay":
            self._pause(mishap.seconds)
        elif mishap.kind == "drop":
            self._client.reset()
            raise Finished
        elif mishap.kind == "error" and (round_trip.number == 0 or mishap.sqlstate.startswith(FATAL_CLASSES)):
            self._refuse(mishap.sqlstate, mishap.message)
        elif mishap.kind in AFTER_THE_EFFECT and round_trip.number == 0:
            self._spoiled = (1, mishap)
        return mishap

    def _round_trip(self, statement: str) -> RoundTrip:
        self._path = path_to(statement, self._path)
        return RoundTrip(
            connection=self._number,
            number=self._asked,
            user=self._user,
            database=self._database,
            application_name=self._parameters.get("application_name", ""),
            statement=statement,
            path=self._path,
        )

    def _refuse(self, sqlstate: str, message: str) -> None:
        self._client.send(protocol.error_response("FATAL", sqlstate, message))
        raise Finished

    def _server(self) -> Wire:
        raw = socket.socket(socket.AF_UNIX)
        wire = Wire(raw, self._ending)
        self._wires.append(wire)
        raw.connect(str(self._server_socket))
        return wire

    def _pause(self, seconds: float) -> None:
        if self._ending.comes_within(seconds):
            raise DoorCloses

    @property
    def _user(self) -> str:
        return self._parameters.get("user", "")

    @property
    def _database(self) -> str:
        return self._parameters.get("database", self._user)
