from __future__ import annotations

import json
import urllib.error
from collections.abc import Callable

import pytest
from botocore.exceptions import ConnectionClosedError

from local_cloud.aurora import Fault, LocalAurora
from tests.local_cloud.aurora.story import Region, code_of, refused


@pytest.fixture
def fault(aurora: LocalAurora) -> Callable[..., None]:
    def add(kind: str, operation: str, **how: object) -> None:
        aurora.control.add_fault(Fault(kind=kind, operation=operation, **how))  # type: ignore[arg-type]

    return add


def test_the_third_look_is_throttled(prod: Region, fault: Callable[..., None]) -> None:
    fault("error", "DescribeDBClusters", identifier="prod", skip=2, code="Throttling", message="Rate exceeded")
    answers = [code_of(lambda: prod.cluster("prod")) for _ in range(4)]
    assert answers == ["OK", "OK", "Throttling", "OK"]


def test_a_call_has_its_effect_although_its_answer_is_lost(prod: Region, fault: Callable[..., None]) -> None:
    fault("drop-after", "CreateDBClusterSnapshot")
    with pytest.raises(ConnectionClosedError):
        prod.has_snapshot("answer-lost", of="prod")
    prod.wait_for_snapshot("answer-lost")
    fault("error-after", "DeleteDBClusterSnapshot", code="InternalFailure", http_status=500)
    with refused("InternalFailure"):
        prod.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="answer-lost")
    with refused("DBClusterSnapshotNotFoundFault"):
        prod.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="answer-lost")


def test_a_copy_ends_failed(prod: Region, fault: Callable[..., None]) -> None:
    fault("end-in", "CopyDBClusterSnapshot", status="failed")
    prod.rds.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier="prod-base", TargetDBClusterSnapshotIdentifier="bad-copy"
    )
    prod.wait_for_snapshot("bad-copy", "failed")
    assert prod.snapshot("bad-copy")["PercentProgress"] < 100
    prod.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="bad-copy")


def test_a_restore_ends_without_its_key_and_an_instance_without_its_network(
    prod: Region, fault: Callable[..., None]
) -> None:
    fault("end-in", "RestoreDBClusterFromSnapshot", status="inaccessible-encryption-credentials")
    prod.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="keyless", SnapshotIdentifier="prod-base", Engine="aurora-postgresql", EngineVersion="17.6"
    )
    prod.wait_for_cluster("keyless", "inaccessible-encryption-credentials")
    prod.rds.delete_db_cluster(DBClusterIdentifier="keyless", SkipFinalSnapshot=True)
    fault("end-in", "CreateDBInstance", status="incompatible-network")
    prod.asks_for_instance("prod", "lost")
    prod.wait_for_instance("lost", "incompatible-network")
    with refused("InvalidParameterCombination", "SkipFinalSnapshot"):
        prod.rds.delete_db_instance(DBInstanceIdentifier="lost")
    prod.rds.delete_db_instance(DBInstanceIdentifier="lost", SkipFinalSnapshot=True)


def test_over_http_the_same(prod: Region) -> None:
    prod.control("POST", "faults", {"kind": "error", "operation": "DescribeDBInstances", "code": "Throttling"})
    assert [item["code"] for item in prod.control("GET", "faults")] == ["Throttling"]
    assert prod.control("DELETE", "faults") == {}
    assert code_of(lambda: prod.instance("prod-1")) == "OK"
    prod.control("POST", "status", {"arn": prod.arn("db", "prod-1"), "status": "never-heard-of"})
    assert prod.instance("prod-1")["DBInstanceStatus"] == "never-heard-of"
    prod.control("POST", "status", {"arn": prod.arn("db", "prod-1"), "status": "available"})
    for path, body in (("faults", {"kind": "earthquake"}), ("status", {"arn": "arn:x", "status": "x"}), ("clock", {})):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            prod.control("POST", path, body)
        refusal.value.close()
        assert refusal.value.code == 400


def test_the_journal_tells_every_call_to_an_observer(aurora: LocalAurora, prod: Region) -> None:
    code_of(lambda: prod.cluster("journal-me"))
    entry = aurora.control.journal("DescribeDBClusters")[-1]
    assert (entry.region, entry.outcome, entry.parameters) == (
        "us-east-1",
        "DBClusterNotFoundFault",
        {"DBClusterIdentifier": "journal-me"},
    )
    lines = (aurora.settings.run_dir / "journal.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["parameters"] == {"DBClusterIdentifier": "journal-me"}
    assert len(prod.control("GET", "journal")) == len(lines)
