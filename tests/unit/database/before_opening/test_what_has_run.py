"""Which scripts have run is known by what they are, not by how many: the stack's may have been changed meanwhile."""

from typing import Any, cast

import pytest

from utils.database.before_opening import scripts as module
from utils.database.before_opening.scripts import run_before_opening
from utils.database.roles.owner_role import SCRIPT_LOGIN
from utils.operation.model import ScriptRecord
from utils.request.mandatory import mandatory_of
from utils.request.model import RestoreRequest

SOURCE, TARGET = {"cluster_id": "prod", "region": "us-east-1"}, {"cluster_id": "staging"}
MASK, MORE = "s3://scripts/mask.sql", "s3://scripts/mask-more.sql"


def record_of(wanted: Any) -> ScriptRecord:
    who = wanted.user or ("postgres" if wanted.as_master else SCRIPT_LOGIN)
    return ScriptRecord(
        s3_uri=wanted.s3_uri, version_id="1", sha256="aa", database=wanted.database, user=who,
        as_master=wanted.as_master, statements=1, seconds=1.0,
    )  # fmt: skip


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The scripts that ran, as they were wanted."""
    seen: list[Any] = []

    def run(_: Any, wanted: Any, *__: Any) -> ScriptRecord:
        seen.append(wanted)
        return record_of(wanted)

    monkeypatch.setattr(module, "_run", run)
    return seen


def go_on(request: RestoreRequest, *done: ScriptRecord) -> list[ScriptRecord]:
    anything = cast("Any", type("Anything", (), {"script": lambda *_: None})())
    return run_before_opening(anything, anything, request, anything, done=done).scripts


def wanting(*scripts: dict[str, Any]) -> RestoreRequest:
    given = [{"database": "shop"} | script for script in scripts]
    return RestoreRequest.model_validate({"source": SOURCE, "target": TARGET, "post_restore_sql": given})


def test_a_script_that_the_stack_demands_since_the_last_invocation_runs(ran: list[Any]) -> None:
    request = wanting({"s3_uri": MASK})
    done = record_of(request.post_restore_sql[0])
    more = f'{{"post_restore_sql": [{{"s3_uri": "{MORE}", "database": "shop"}}]}}'
    go_on(mandatory_of(more).applied_to(request), done)
    assert [wanted.s3_uri for wanted in ran] == [MORE]


@pytest.mark.parametrize("other", [{"database": "crm"}, {"user": "app_owner"}, {"as_master": True}])
def test_the_same_script_elsewhere_or_as_somebody_else_is_another(ran: list[Any], other: dict[str, Any]) -> None:
    request = wanting({"s3_uri": MASK} | other, {"s3_uri": MASK})
    go_on(request, record_of(request.post_restore_sql[1]))
    assert ran == [request.post_restore_sql[0]]


def test_a_script_that_is_wanted_twice_runs_twice(ran: list[Any]) -> None:
    request = wanting({"s3_uri": MASK}, {"s3_uri": MORE}, {"s3_uri": MASK})
    done = go_on(request, record_of(request.post_restore_sql[0]))
    assert [wanted.s3_uri for wanted in ran] == [MORE, MASK]
    assert go_on(request, *done) == done
    assert len(ran) == 2
