"""The HTTP endpoint on 127.0.0.1: the RDS API, and the control surface below /_local_aurora/."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local_cloud.aurora.engine import Engine
from local_cloud.aurora.errors import ApiError
from local_cloud.aurora.front.control_routes import routes
from local_cloud.aurora.front.dispatch import answer

CONTROL_PATH = "/_local_aurora/"


class AuroraHttpServer(ThreadingHTTPServer):
    """Serves one running local Aurora; port 0 means a free one."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, engine: Engine) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.engine = engine


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP with one client."""

    server: AuroraHttpServer
    protocol_version = "HTTP/1.1"
    server_version = "LocalAurora"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer an RDS call or a control call."""
        body = self._body()
        if self.path.startswith(CONTROL_PATH):
            self._control(body)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        result = answer(self.server.engine, headers, body)
        if result.dropped:
            self.close_connection = True
            return
        self._send(result.http_status, "text/xml", result.body, request_id=result.request_id)

    def do_GET(self) -> None:
        """Answer a control call."""
        self._control(self._body())

    def do_DELETE(self) -> None:
        """Answer a control call."""
        self._control(self._body())

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002
        """Return the simulated time for the Date header."""
        return self.server.engine.clock.http_date()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the journal has every call."""

    def _body(self) -> bytes:
        # Always read, also where nobody needs it: closing a connection with unread input resets it.
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _control(self, body: bytes) -> None:
        known = routes(self.server.engine)
        route = known.get((self.command, self.path.removeprefix(CONTROL_PATH)))
        if route is None:
            self._send_json(404, {"error": f"no such path; there are {sorted(known)}"})
            return
        try:
            self._send_json(200, route(json.loads(body or b"{}")))
        except ApiError as error:
            self._send_json(error.http_status, {"error": error.message})
        except (ValueError, TypeError, KeyError) as error:
            self._send_json(400, {"error": f"{type(error).__name__}: {error}"})

    def _send_json(self, status: int, document: Any) -> None:
        self._send(status, "application/json", json.dumps(document, default=str).encode())

    def _send(self, status: int, content_type: str, body: bytes, *, request_id: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if request_id:
            self.send_header("x-amzn-RequestId", request_id)
        self.end_headers()
        self.wfile.write(body)
