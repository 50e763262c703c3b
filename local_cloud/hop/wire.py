"""Which call an HTTP request is, and AWS's refusals in the form of its protocol."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/(?P<service>[^/]+)/aws4_request")
_TRACE = re.compile(r"(?:^|;)Root=(?P<root>[^;]+)")
_QUERY_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Refusal:
    """An error that AWS answers instead of doing what was asked."""

    code: str
    message: str
    http_status: int


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Request:
    """One HTTP request of an AWS SDK; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def service(self) -> str:
        """The service's signing name, such as `rds`; empty for an unsigned request."""
        found = _SCOPE.search(self.headers.get("authorization", ""))
        return found["service"] if found else ""

    @property
    def operation(self) -> str:
        """The operation's name; for REST protocols the method."""
        if target := self.headers.get("x-amz-target"):
            return target.rpartition(".")[2]
        if self.headers.get("content-type", "").startswith(_QUERY_TYPE):
            return parse_qs(self.body.decode()).get("Action", [""])[0]
        return {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject"}.get(self.method, self.method)

    @property
    def name(self) -> str:
        """Service and operation as in an IAM policy, and the table of DynamoDB's."""
        name = f"{self.service}:{self.operation}"
        table = json.loads(self.body).get("TableName") if self.service == "dynamodb" else None
        return f"{name}@{table}" if table else name

    @property
    def trace(self) -> str:
        """The invocation that sent it: the root of the SDK's trace header."""
        found = _TRACE.search(self.headers.get("x-amzn-trace-id", ""))
        return found["root"] if found else ""

    @property
    def sdk_call(self) -> str:
        """What the SDK's own retries of one call have in common."""
        return self.headers.get("amz-sdk-invocation-id", "") or uuid.uuid4().hex

    def refused(self, refusal: Refusal) -> Answer:
        """Return the refusal as this request's service would say it."""
        request_id = str(uuid.uuid4())
        if self.headers.get("x-amz-target"):
            version = self.headers.get("content-type", "application/x-amz-json-1.1")
            text = json.dumps({"__type": refusal.code, "message": refusal.message})
            return _answer(refusal.http_status, version, request_id, text)
        if self.headers.get("content-type", "").startswith(_QUERY_TYPE):
            side = "Sender" if refusal.http_status < 500 else "Receiver"
            text = (
                f"<ErrorResponse><Error><Type>{side}</Type><Code>{refusal.code}</Code>"
                f"<Message>{refusal.message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            )
            return _answer(refusal.http_status, "text/xml", request_id, text)
        text = (
            f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message>"
            f"<RequestId>{request_id}</RequestId></Error>"
        )
        return _answer(refusal.http_status, "application/xml", request_id, text)


def _answer(status: int, content_type: str, request_id: str, text: str) -> Answer:
    return Answer(status, [("Content-Type", content_type), ("x-amzn-RequestId", request_id)], text.encode())
