"""A record tells nothing of whose account it was, and where another endpoint answers otherwise."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conformance.answers import Answer, untold
from tests.conformance.asking import Asked
from tests.conformance.fact import Fact
from tests.conformance.record import Record, differences

FACT = Fact("a-thing-is-so", "rds", "It is so.", "A page", lambda _: None, 0.0, "")
FOUND = Answer("rds:DescribeDBClusters", "", "", ("DBClusters", "DBClusters[].Status"))
REFUSED = Answer("rds:DeleteDBCluster", "InvalidDBClusterStateFault", "It has instances", ())
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def asked(*answers: Answer, otherwise: str = "") -> Asked:
    return Asked(FACT, otherwise, answers)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("arn:aws:rds:us-east-1:123456789012:cluster:conformance-1a2b3c4d-cluster-7", "000000000000"),
        ("db-ABCDEFGHIJKLMNOPQRSTUVWXYZ is gone", "resource-id is gone"),
        ("in vpc-0123456789abcdef0 since 2026-12-01T12:00:00.123Z", "in vpc-id since time"),
        ("at x.cluster-abc.us-east-1.rds.amazonaws.com", "at host"),
        ("request 6f2c1e0a-8f4e-4f0b-9d5e-0123456789ab", "request uuid"),
    ],
)
def test_what_tells_whose_account_it_was_is_left_out(text: str, kept: str) -> None:
    assert kept in untold(text)
    assert "conformance-1a2b3c4d" not in untold(text)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record.of([asked(FOUND, REFUSED, otherwise="in vpc-0123456789abcdef0")], "us-east-1", NOON)
    path = record.write(tmp_path)
    assert path.name == "aws-2026-12-01.json"
    assert Record.read(path) == Record("2026-12-01", "us-east-1", json.loads(path.read_text())["facts"])
    assert "vpc-0123456789abcdef0" not in path.read_text()
    assert differences(Record.read(path), [asked(FOUND, REFUSED)]) == []


def test_a_record_of_another_format_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "aws-2026-12-01.json"
    path.write_text('{"format": 2}')
    with pytest.raises(ValueError, match="format 2, not 1: take the record anew"):
        Record.read(path)


def test_another_error_is_a_difference_and_so_is_a_missing_member() -> None:
    record = Record.of([asked(FOUND, REFUSED)], "us-east-1", NOON)
    less = Answer(FOUND.call, "", "", ("DBClusters",))
    accepted = Answer(REFUSED.call, "", "", ("DBCluster",))
    assert differences(record, [asked(less, accepted)]) == [
        "a-thing-is-so: rds:DescribeDBClusters has DBClusters[].Status on AWS, and not here",
        "a-thing-is-so: rds:DeleteDBCluster was answered with InvalidDBClusterStateFault by AWS, with no error here",
    ]
    assert differences(record, [asked(FOUND)]) == [
        "a-thing-is-so: rds:DeleteDBCluster was answered with InvalidDBClusterStateFault by AWS, with no call here"
    ]
