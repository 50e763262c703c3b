"""A question to the catalog whose answer is names."""

from dataclasses import dataclass

from utils.operation.model import Verdict

PEOPLES = "nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%'"


@dataclass(frozen=True, kw_only=True)
class Look:
    """A question whose answer is names; `since`: the first version of PostgreSQL that has an answer."""

    what: str
    verdict: Verdict
    query: str
    since: int = 140_000
