"""What stands after an operation, and what it is said to cost."""

import re
from pathlib import Path
from typing import Any

from tests.unit.evidence.runs import BROKEN, a_restore, at
from tests.unit.operations import OLD_TARGET, an_operation
from utils.cluster_settings.model import Member, TargetSettings
from utils.cluster_settings.values import ServerlessV2
from utils.evidence import costs
from utils.evidence.costs import costs_of
from utils.evidence.model import Costs
from utils.operation.model import Operation, OperationStatus
from utils.operation.planned import SwapNames
from utils.operation.records import SwapRecord
from utils.report.summary import summarise


def found(operation: Operation) -> Costs:
    return costs_of(operation, summarise(operation))


def with_settings(operation: Operation, **settings: Any) -> Operation:
    operation.plan = operation.plan.model_copy(update={"settings": TargetSettings(engine_version="17.4", **settings)})
    return operation


def test_what_was_made_is_told_and_the_sum_is_of_what_is_known() -> None:
    told = found(a_restore())

    assert [(item.what, item.monthly_usd) for item in told.standing] == [
        ("storage of staging", 2.0),
        ("1 instance of staging", None),
        ("snapshot copy copy-1", 0.42),
        ("final snapshot final-1", None),
    ]
    assert told.monthly_usd == 2.42


def test_capacity_of_serverless_counts_with_the_least_it_may_be() -> None:
    members = [Member(identifier=f"staging-{n}", instance_class="db.serverless") for n in (1, 2)]
    capacity = ServerlessV2(min_capacity=0.5, max_capacity=8)
    operation = with_settings(a_restore(), members=members, serverless_v2=capacity, storage_type="aurora-iopt1")

    storage, instances, *_ = found(operation).standing

    assert storage.monthly_usd == 4.5
    assert instances.amount == "2 x db.serverless, never less than 0.5 units at $0.156 an hour"
    assert instances.monthly_usd == round(2 * 0.5 * 0.156 * 730, 2)


def test_after_a_swap_both_clusters_stand() -> None:
    names = SwapNames(beside="staging-new", aside="staging-old-1", instances_beside={}, instances_aside={})
    operation = a_restore(old_target=OLD_TARGET, swap=SwapRecord(switched_at=at(32)))
    operation.identifiers = operation.identifiers.model_copy(update={"swap": names})

    told = [item.what for item in found(operation).standing]

    assert "storage of staging" in told
    assert "storage of the old cluster staging-old-1" in told


def test_nothing_stands_after_a_run_that_made_nothing() -> None:
    told = found(an_operation(status=OperationStatus.FAILED, error=BROKEN))
    assert (told.standing, told.monthly_usd) == ([], 0)


def test_the_prices_are_those_of_the_documentation() -> None:
    documented = Path("docs/costs.md").read_text(encoding="utf-8")
    prices = [costs.SNAPSHOT_GIB_MONTH, *costs.STORAGE_GIB_MONTH.values(), *costs.CAPACITY_HOUR.values()]
    assert [price for price in prices if not re.search(rf"\${price:g}0?\b", documented)] == []


def test_an_hour_is_told_by_the_same_prices() -> None:
    settings = TargetSettings(
        engine_version="17.4",
        storage_type="aurora-iopt1",
        serverless_v2=ServerlessV2(min_capacity=2, max_capacity=8),
        members=[
            Member(identifier="one", instance_class="db.serverless"),
            Member(identifier="two", instance_class="db.serverless"),
            Member(identifier="three", instance_class="db.r8g.large"),
        ],
    )
    told = costs.hour_in_words(settings, 7300)
    assert told == (
        "$2.25 for 7300 GiB of storage, $0.62 at least for 2 instances of db.serverless, "
        "1 instance of db.r8g.large by the price of the class"
    )
    assert costs.hour_in_words(settings, 0).startswith("its storage, ")
