"""What is in the throwaway source: rows whose number and sum are known, and logins that a copy must shut out."""

import base64
import secrets
from typing import Any

DATABASE = "selftest"
MASTER = "selftest_master"
LOGINS = ("selftest_app", "selftest_batch")
_ROWS = 1000
_SUM = sum(number * 7 % _ROWS for number in range(1, _ROWS + 1))


def statements() -> list[str]:
    """Return the SQL that fills the source, a statement each, as the Data API takes no more."""
    fill = f"INSERT INTO public.ledger SELECT n, n * 7 % {_ROWS} FROM generate_series(1, {_ROWS}) AS n"  # noqa: S608
    return [
        "CREATE TABLE public.ledger (n integer PRIMARY KEY, amount integer NOT NULL)",
        fill,
        *(f"CREATE ROLE {login} LOGIN PASSWORD '{_verifier_of_no_password()}'" for login in LOGINS),
        *(f"GRANT SELECT, INSERT ON public.ledger TO {login}" for login in LOGINS),
    ]


def after_the_snapshot() -> str:
    """Return what is written too late to be in the copy."""
    return f"INSERT INTO public.ledger VALUES ({_ROWS + 1}, 0)"  # noqa: S608


def checks() -> list[dict[str, Any]]:
    """Return the checks that the drill asks of the copy."""
    return [
        {
            "name": "selftest: the rows of the snapshot, and none written later",
            "database": DATABASE,
            "sql": "SELECT count(*) FROM public.ledger",
            "expect": _ROWS,
        },
        {
            "name": "selftest: the sum of their amounts",
            "database": DATABASE,
            "sql": "SELECT sum(amount) FROM public.ledger",
            "expect": _SUM,
        },
    ]


def _verifier_of_no_password() -> str:
    """Return a SCRAM verifier (RFC 5803) that no password fits: a login as production has them, open to nobody."""
    salt, stored, server = (base64.b64encode(secrets.token_bytes(size)).decode() for size in (16, 32, 32))
    return f"SCRAM-SHA-256$4096:{salt}${stored}:{server}"
