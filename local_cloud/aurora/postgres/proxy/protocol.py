"""PostgreSQL's frontend/backend protocol 3.0, as far as a relay must understand it.

Source: PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Message Formats".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

SSL_REQUEST, GSS_ENCRYPTION_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
LONGEST_STARTUP = 10_000  # MAX_STARTUP_PACKET_LENGTH
QUERY, PARSE, SYNC, FUNCTION_CALL = b"QPSF"
ENDS_ROUND_TRIP = frozenset((QUERY, SYNC, FUNCTION_CALL))  # the server answers these with ReadyForQuery
AUTHENTICATION, PASSWORD, READY_FOR_QUERY = b"RpZ"
CLEARTEXT_PASSWORD_WANTED = struct.pack("!cII", b"R", 8, 3)
FIRST_WORDS = 4

_HEADER = struct.Struct("!BI")
_COMMENT = re.compile(r"\s*(?:--[^\n]*\n|/\*.*?\*/)", re.DOTALL)
_WORDS = re.compile(rf"\s*((?:[A-Za-z_]+\b\s*){{1,{FIRST_WORDS}}})")


def messages(data: bytes | bytearray, start: int = 0) -> Iterator[tuple[int, int, int]]:
    """Yield kind, begin and end of every complete message, the type byte included."""
    size = len(data)
    while size - start >= _HEADER.size:
        kind, length = _HEADER.unpack_from(data, start)
        end = start + 1 + int(length)
        if end > size:
            return
        yield kind, start, end
        start = end


def startup_parameters(body: bytes) -> dict[str, str]:
    """Return the parameters of a StartupMessage (what follows the version)."""
    parts = body.rstrip(b"\0").split(b"\0")
    texts = [part.decode("utf-8", "replace") for part in parts]
    return dict(zip(texts[::2], texts[1::2], strict=False))


def sql_of_query(message: bytes) -> str:
    """Return the text of a Query message."""
    return message[5:].split(b"\0", 1)[0].decode("utf-8", "replace")


def sql_of_parse(message: bytes) -> str:
    """Return the text of a Parse message, which follows the statement's name."""
    return message[5:].split(b"\0", 2)[1].decode("utf-8", "replace")


def first_words(sql: str) -> str:
    """Return the bare words a statement begins with: never a value, which is quoted or follows a sign."""
    while comment := _COMMENT.match(sql):
        sql = sql[comment.end() :]
    found = _WORDS.match(sql)
    return " ".join(found[1].split()) if found else ""


def error_response(severity: str, sqlstate: str, message: str) -> bytes:
    """Return an ErrorResponse."""
    fields = {b"S": severity, b"V": severity, b"C": sqlstate, b"M": message}
    body = b"".join(name + text.encode() + b"\0" for name, text in fields.items()) + b"\0"
    return struct.pack("!cI", b"E", 4 + len(body)) + body


def failing_query(sqlstate: str, message: str) -> bytes:
    """Return a Query that the server answers with this error, so that its transaction has failed too."""
    text = message.replace("'", "''").replace("%", "%%")
    sql = f"DO $fault$BEGIN RAISE EXCEPTION '{text}' USING ERRCODE = '{sqlstate}'; END$fault$"
    body = sql.encode() + b"\0"
    return struct.pack("!cI", b"Q", 4 + len(body)) + body
