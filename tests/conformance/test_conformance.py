"""The local cloud answers every fact as stated; with a record of AWS's answers, it is compared with those."""

from collections import Counter
from collections.abc import Iterator

import boto3
import pytest

from local_cloud.cloud import LocalCloud
from tests.conformance.asking import ask_one
from tests.conformance.bench import Bench
from tests.conformance.fact import Fact, all_facts
from tests.conformance.record import RECORDS, Record, differences

pytestmark = pytest.mark.local_cloud
FACTS = all_facts()
HERE = [fact for fact in FACTS if not fact.only_aws]
# A minute of waiting: AWS's clock runs a thousand times as fast here, but the machine may be busy.
MINUTE = 4.0


@pytest.fixture(scope="module")
def bench(cloud: LocalCloud) -> Iterator[Bench]:
    environment = cloud.environment()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_RDS", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, environment[name])
        session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )
        bench = Bench(session, "tests", print, minute=MINUTE)
        yield bench
        assert bench.remove_all() == []


@pytest.mark.parametrize("fact", HERE, ids=lambda fact: f"{fact.service}: {fact.name}")
def test_the_local_cloud_answers_as_stated(bench: Bench, fact: Fact) -> None:
    asked = ask_one(bench, fact)
    assert not asked.otherwise, f"{fact.statement}\n{fact.source}\n{asked.otherwise}"
    for record in RECORDS:
        assert differences(Record.read(record), [asked]) == []


def test_every_service_that_the_product_calls_has_facts() -> None:
    called = {"rds", "stepfunctions", "lambda", "kms", "iam", "dynamodb", "sns", "s3", "secretsmanager", "scheduler"}
    assert called <= Counter(fact.service for fact in FACTS).keys()


def test_what_is_asked_of_aws_alone_says_why() -> None:
    assert [fact.name for fact in FACTS if fact.only_aws and len(fact.only_aws) < 20] == []
