"""The hop's HTTP servers on 127.0.0.1, one before each endpoint, and the control surface below /_hop/."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from local_cloud.hop.faults import HopFault, HopFaults
from local_cloud.hop.invocations import Invocation, Invocations
from local_cloud.hop.wire import Answer, Refusal, Request

CONTROL_PATH = "/_hop/"
_LONGEST_HANG_SECONDS = 300.0
_NOT_FORWARDED = {"connection", "keep-alive", "transfer-encoding", "content-length"}
RunAgain = Callable[[Invocation], None]


class Hop:
    """Stands before some endpoints; `run_again` invokes a function once more with an invocation's event."""

    def __init__(self, run_again: RunAgain) -> None:
        self.invocations = Invocations()
        self.faults = HopFaults()
        self.run_again = run_again
        self._servers: list[_HopServer] = []

    def before(self, endpoint: str) -> str:
        """Listen before an endpoint; return the URL to use instead."""
        server = _HopServer(self, endpoint)
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), name="hop", daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    def close(self) -> None:
        """Stop to listen."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def control(self, method: str, what: str, body: dict[str, Any]) -> Any:
        """Answer the control surface; KeyError for what it does not have."""
        if (method, what) == ("POST", "faults"):
            return {"id": self.faults.add(HopFault.from_json(body))}
        if (method, what) == ("GET", "faults"):
            return [asdict(fault) for fault in self.faults.of_operation(body["operation_id"])]
        if (method, what) == ("GET", "calls"):
            found = self.invocations.of_operation(body["operation_id"])
            return [{"function": item.function, "event_keys": item.event_keys, "path": item.path} for item in found]
        raise KeyError(f"{method} {what}")


class _HopServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, hop: Hop, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hop = hop
        parts = urlsplit(endpoint)
        self.upstream = (str(parts.hostname), int(parts.port or 80))


class _Handler(BaseHTTPRequestHandler):
    server: _HopServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection(*self.server.upstream)

    def finish(self) -> None:
        super().finish()
        self._upstream.close()

    def do_POST(self) -> None:
        """Pass a call on, or answer a control call."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        request = Request(self.command, self.path, headers, body)
        if self.path.startswith(CONTROL_PATH):
            self._control(request)
            return
        hop = self.server.hop
        invocation = hop.invocations.of(request.trace)
        fault = None
        if invocation is not None:
            invocation.count(request.name, request.sdk_call)
            fault = hop.faults.take(invocation)
        if invocation is None or fault is None:
            self._send(self._forwarded(request))
        elif fault.kind == "refuse":
            self._send(request.refused(Refusal(fault.code, fault.message, fault.http_status)))
        else:
            self._spoil(fault, invocation, self._forwarded(request))

    def do_GET(self) -> None:
        """Do the same."""
        self.do_POST()

    def do_HEAD(self) -> None:
        """Do the same."""
        self.do_POST()

    def do_PUT(self) -> None:
        """Do the same."""
        self.do_POST()

    def _spoil(self, fault: HopFault, invocation: Invocation, answer: Answer) -> None:
        """Do to an answer what the fault says; the call has had its effect."""
        if fault.kind == "twice":
            self.server.hop.run_again(invocation)
            self._send(answer)
            return
        if fault.kind == "kill":
            invocation.kill()
        if fault.kind == "hang":
            self._wait_until_client_gives_up()
        self._reset()

    def _wait_until_client_gives_up(self) -> None:
        self.connection.settimeout(_LONGEST_HANG_SECONDS)
        with contextlib.suppress(OSError):
            self.connection.recv(1)

    def _reset(self) -> None:
        """Close the connection as a broken one: with RST, not with FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        os.close(self.connection.detach())

    def _forwarded(self, request: Request) -> Answer:
        # The host stays that of the hop: it is part of what the caller signed.
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_FORWARDED}
        self._upstream.request(request.method, request.path, request.body, headers)
        response = self._upstream.getresponse()
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _NOT_FORWARDED]
        return Answer(response.status, kept, response.read())

    def _control(self, request: Request) -> None:
        what = request.path.removeprefix(CONTROL_PATH)
        try:
            status, document = 200, self.server.hop.control(request.method, what, json.loads(request.body or b"{}"))
        except (KeyError, TypeError, ValueError) as error:
            status, document = 400, {"error": f"{type(error).__name__}: {error}"}
        self._send(Answer(status, [("Content-Type", "application/json")], json.dumps(document).encode()))

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the record has every call."""
