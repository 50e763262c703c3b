"""A local cloud for the facts, into which nothing is deployed; and their count at the end."""

from collections import Counter
from collections.abc import Iterator

import pytest

from local_cloud.cloud import LocalCloud
from tests.conformance.fact import all_facts
from tooling import environments

_TEST = "test_the_local_cloud_answers_as_stated["


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    environments.ensure()
    with LocalCloud.start(speed=1000, shortest_wait=0.1) as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say, service by service, how many facts the local cloud was asked, and how many it answered otherwise."""
    facts = {f"{fact.service}: {fact.name}]": fact for fact in all_facts()}
    asked, otherwise = (
        Counter(
            facts[report.nodeid.partition(_TEST)[2]].service
            for outcome in outcomes
            for report in terminalreporter.stats.get(outcome, [])
            if _TEST in getattr(report, "nodeid", "") and report.when == "call"
        )
        for outcomes in (("passed", "failed"), ("failed",))
    )
    if not asked:
        return
    of_aws_alone = Counter(fact.service for fact in facts.values() if fact.only_aws)
    terminalreporter.section("facts about AWS")
    terminalreporter.write_line(f"{'service':24} {'asked here':>11} {'otherwise':>10} {'only on AWS':>12}")
    for service in dict.fromkeys(fact.service for fact in facts.values()):
        numbers = (asked[service], otherwise[service], of_aws_alone[service])
        terminalreporter.write_line(f"{service:24} {numbers[0]:11d} {numbers[1]:10d} {numbers[2]:12d}")
    totals = (asked.total(), otherwise.total(), of_aws_alone.total())
    terminalreporter.write_line(f"{'in all':24} {totals[0]:11d} {totals[1]:10d} {totals[2]:12d}")
