"""Evidence of a swap and of old data that was brought back: who serves, how long nobody did, and the way back."""

from typing import Any

import pytest

from tests.unit.evidence.runs import BROKEN, SWAP_DONE, SWAP_NAMES, a_request, a_restore, at, rows
from tests.unit.operations import an_operation
from utils.evidence.compiling import evidence_of
from utils.evidence.markdown import markdown_of
from utils.evidence.model import Evidence, Result
from utils.evidence.page import page_of
from utils.operation.model import Operation, OperationStatus
from utils.operation.records import BringBackRecord, OperationError, SwapRecord


def evidence(operation: Operation) -> Evidence:
    return evidence_of(operation, rows(), at(40))


def a_swap(record: SwapRecord | None, **other: Any) -> Evidence:
    return evidence(a_restore(identifiers=SWAP_NAMES, swap=record, **other))


def test_a_swap_tells_who_serves_the_outage_and_until_when_it_can_be_undone() -> None:
    found = a_swap(SWAP_DONE)
    assert found.swap is not None
    assert found.swap.model_dump() == {
        "serving": "the new cluster is staging, proven under that name",
        "put_aside": "staging-old-1",
        "outage_seconds": 120,
        "outage_uncertainty_seconds": 4,
        "undo": "./restore.sh undo nightly-1",
        "undo_until": at(37 + 24 * 60),
    }
    page = page_of(found)
    assert "<dt>Outage</dt><dd>120 s (± 4 s)</dd>" in page
    assert "./restore.sh undo nightly-1, until 2026-11-23 03:37:00 UTC, when the old cluster is deleted" in page


def test_an_old_cluster_that_nobody_deletes_has_no_end() -> None:
    found = a_swap(SWAP_DONE, request=a_request(strategy="swap", keep_old_hours=None))
    assert found.swap is not None
    assert (found.swap.undo, found.swap.undo_until) == ("./restore.sh undo nightly-1", None)
    assert "as long as the old cluster stands, which nobody else deletes" in page_of(found)


@pytest.mark.parametrize(
    ("record", "serving"),
    [
        (None, "the old cluster is staging, as before: nothing was renamed"),
        (
            SwapRecord(begun_at=at(34), rolled_back_at=at(36)),
            "the old cluster is staging again: the exchange of names was taken back",
        ),
        (SwapRecord(begun_at=at(34)), "perhaps nobody as staging: the exchange of names ended half-way"),
    ],
)
def test_a_swap_that_failed_tells_who_serves_and_offers_no_undo(record: SwapRecord | None, serving: str) -> None:
    found = a_swap(record, status=OperationStatus.FAILED, error=BROKEN)
    assert found.swap is not None
    assert (found.swap.serving, found.swap.undo, found.swap.undo_until) == (serving, None, None)
    assert serving in page_of(found)


def test_a_run_that_replaces_has_neither() -> None:
    found = evidence(a_restore())
    assert (found.swap, found.brought_back) == (None, None)
    page = page_of(found)
    assert "<h2>Swap</h2>" not in page
    assert "<h2>The old data</h2>" not in page


def test_an_undo_is_no_restore_and_says_which_cluster_is_put_aside() -> None:
    found = a_swap(SWAP_DONE, undoes="nightly-0")
    assert found.verdict.result is Result.UNDONE
    assert found.verdict.sentence == "staging is its former cluster again: the swap of nightly-0 is undone."
    assert found.swap is not None
    assert found.swap.serving == "the former cluster is staging, proven under that name"
    assert (found.swap.put_aside, found.swap.undo) == ("staging-old-1", None)
    assert found.not_tested[0].startswith("Anything but that the former cluster answers")
    assert markdown_of(found).startswith("## ↩️ staging is its former cluster again")


def test_an_undo_that_failed_says_so() -> None:
    failed = a_swap(
        SwapRecord(begun_at=at(34), rolled_back_at=at(36)),
        undoes="nightly-0",
        status=OperationStatus.FAILED,
        error=BROKEN,
    )
    assert failed.verdict.sentence.startswith("The undo of the swap of nightly-0, over staging, has not succeeded")
    assert failed.swap is not None
    assert failed.swap.serving.startswith("the restored cluster is staging again")


def brought_back(**record: Any) -> Evidence:
    kept = BringBackRecord(begun_at=at(30), because=BROKEN, logins=["app"], refused=["reader"], **record)
    return evidence(an_operation(status=OperationStatus.FAILED, error=BROKEN, bring_back=kept))


def test_old_data_that_is_back_is_told_with_the_reason() -> None:
    found = brought_back(finished_at=at(50))
    assert found.verdict.sentence.endswith("The old data is back under the name.")
    assert found.brought_back is not None
    assert (found.brought_back.because, found.brought_back.final_snapshot) == (BROKEN, "final-1")
    assert any(line.startswith("What is in the old data that was brought back") for line in found.not_tested)
    page = page_of(found)
    assert "<dt>Is back</dt><dd>since 2026-11-22 03:50:00 UTC</dd>" in page
    assert "RestoreFailed at Check Restore Status" in page


def test_old_data_that_is_not_back_is_told_with_what_failed() -> None:
    later = OperationError(name="PhaseTimedOut", message="found it still waiting", step="Restore Snapshot")
    found = brought_back(error=later)
    assert found.verdict.sentence.endswith("The old data is NOT back.")
    page = page_of(found)
    assert "NO: nobody serves" in page
    assert "<dt>Failed</dt><dd>PhaseTimedOut at Restore Snapshot</dd>" in page
