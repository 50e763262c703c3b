"""The pages that people open, and a Chromium to open them with."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.evidence.runs import BROKEN, SWAP_DONE, SWAP_NAMES, a_request, a_restore, at, rows
from tests.unit.operations import AT, an_operation
from tooling.chromium import NoChromium, chromium
from utils.evidence.compiling import evidence_of
from utils.evidence.drills import SourceCluster
from utils.evidence.page import page_of
from utils.evidence.period import Period, Population, found_in, page_of_period
from utils.operation.model import OperationStatus
from utils.operation.records import ApprovalRecord, BringBackRecord


@pytest.fixture(autouse=True, scope="session")
def _needs_chromium() -> None:
    try:
        chromium()
    except NoChromium as error:
        pytest.skip(str(error))


@pytest.fixture(params=["restored", "failed", "swapped", "brought-back", "drills"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A page as a file."""
    pages = {
        "restored": _restored,
        "failed": _failed,
        "swapped": _swapped,
        "brought-back": _brought_back,
        "drills": _drills,
    }
    file = tmp_path / f"{request.param}.html"
    file.write_text(pages[request.param](), encoding="utf-8")
    return file


def _restored() -> str:
    asked = a_request(objectives={"rto_hours": 0.5, "rpo_hours": 2})
    return page_of(evidence_of(a_restore(request=asked), rows(), at(35)))


def _failed() -> str:
    operation = an_operation(status=OperationStatus.FAILED, error=BROKEN, finished_at=at(20))
    return page_of(evidence_of(operation, rows(), at(21)))


def _swapped() -> str:
    """Make the page of a swap that a person approved."""
    approval = ApprovalRecord(
        asked_at=at(0.5),
        expires_at=at(600),
        approved=True,
        answered_at=at(1),
        approver="arn:aws:sts::123456789012:assumed-role/aurora-restore-approver-us-west-2/a-person-of-a-long-name",
        reason="checked with the team",
    )
    return page_of(evidence_of(a_restore(identifiers=SWAP_NAMES, swap=SWAP_DONE, approval=approval), rows(), at(40)))


def _brought_back() -> str:
    record = BringBackRecord(
        begun_at=at(30), because=BROKEN, logins=["app_user"], refused=["reader", "devops"], error=BROKEN
    )
    operation = a_restore(status=OperationStatus.FAILED, error=BROKEN, bring_back=record)
    return page_of(evidence_of(operation, rows(), at(51)))


def _drills() -> str:
    now = AT + timedelta(days=50)
    period = Period(made_at=now, until=now, days=90, fresh_days=30, region="us-west-2")
    never = SourceCluster(
        cluster_id="a-cluster-with-a-name-as-long-as-" + "they-get-" * 3, region="us-east-1", account_id="1" * 12
    )
    operations = [
        a_restore(f"nightly-{day}", created_at=AT + timedelta(days=day), finished_at=AT + timedelta(days=day, hours=1))
        for day in range(12)
    ]
    population = Population([never], "which clusters there are in eu-west-1 is not known (AccessDenied)")
    return page_of_period(period, found_in(period, operations, population), population)
