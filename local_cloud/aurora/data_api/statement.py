"""One SQL statement of the Data API, and its result in the Data API's words.

https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg2
from psycopg2.extensions import cursor

from local_cloud.aurora.errors import ApiError, NotSupportedError

STATEMENT_SECONDS = 45
_LARGEST_RESPONSE_BYTES = 1_048_576
_QUERY_CANCELED = "57014"
# Text in quotes of every kind, and comments: a semicolon in them ends no statement.
_QUOTED = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | (?P<tag>\$\w*\$).*?(?P=tag) | --[^\n]* | /\*.*?\*/""", re.DOTALL | re.VERBOSE
)


def refuse_several_statements(sql: str) -> None:
    """Raise ValidationException for more than one statement."""
    if ";" in _QUOTED.sub(" ", sql).rstrip().rstrip(";"):
        raise ApiError("ValidationException", "Multistatements aren't supported.")


def run(access: Mapping[str, Any], sql: str) -> dict[str, Any]:
    """Run a statement that is committed at once and return the answer; `access` is libpq's."""
    try:
        session = psycopg2.connect(**access, options=f"-c statement_timeout={STATEMENT_SECONDS * 1000}")
    except psycopg2.OperationalError as error:
        raise ApiError("DatabaseErrorException", _message_of_no_session(error)) from None
    try:
        session.autocommit = True
        with session.cursor() as result:
            result.execute(sql)
            return _answer(result)
    except psycopg2.Error as error:
        if error.pgcode == _QUERY_CANCELED:
            raise ApiError("StatementTimeoutException", "Request timed out") from None
        raise ApiError("DatabaseErrorException", _message(error)) from None
    finally:
        session.close()


def _answer(result: cursor) -> dict[str, Any]:
    if result.description is None:
        return {"generatedFields": [], "numberOfRecordsUpdated": max(result.rowcount, 0)}
    records = [[_field(value) for value in row] for row in result.fetchall()]
    if len(json.dumps(records)) > _LARGEST_RESPONSE_BYTES:
        raise ApiError("BadRequestException", "Database response exceeded size limit")
    changed = 0 if str(result.statusmessage).startswith("SELECT") else max(result.rowcount, 0)
    return {"numberOfRecordsUpdated": changed, "records": records}


def _field(value: object) -> dict[str, Any]:
    match value:
        case None:
            return {"isNull": True}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"longValue": value}
        case float():
            return {"doubleValue": value}
        case str() | Decimal() | date():  # a time is a date, too
            return {"stringValue": str(value)}
        case memoryview():
            return {"blobValue": base64.b64encode(value).decode()}
    raise NotSupportedError(f"a value of {type(value).__name__} in an answer of the Data API")


def _message(error: psycopg2.Error) -> str:
    position = f"\n  Position: {error.diag.statement_position}" if error.diag.statement_position else ""
    return f"{error.diag.severity}: {error.diag.message_primary}{position}; SQLState: {error.pgcode}"


def _message_of_no_session(error: psycopg2.OperationalError) -> str:
    # libpq tells no SQLSTATE of a session that did not begin.
    text = str(error).strip().rpartition("FATAL:  ")[2]
    return f"FATAL: {text}; SQLState: {'3D000' if 'does not exist' in text else '28P01'}"
