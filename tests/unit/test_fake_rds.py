"""The fake RDS says what AWS says; moto is the judge of what exists, what is absent, and which error code that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.fakes.rds import FakeRds, FakeRdsWorld
from utils.aws.calls import error_code
from utils.aws.offers import Offers
from utils.aws.rds_reader import RdsReader
from utils.aws.rds_writer import RdsWriter
from utils.cluster_settings.model import Member, TargetSettings

SETTINGS = TargetSettings(
    engine_version="17.4",
    kms_key_id="arn:aws:kms:us-west-2:123456789012:key/k",
)
TAGS = {"made-by": "the contract"}


@dataclass
class Region:
    """One Region, seen through the pipeline's own gateways and as the client itself."""

    client: Any
    fake: FakeRds | None

    def __post_init__(self) -> None:
        self.reader, self.writer, self.offers = (
            RdsReader(self.client),
            RdsWriter(self.client),
            Offers(self.client, None),
        )

    def settle(self) -> None:
        if self.fake:
            self.fake.settle()

    def has_cluster(self, **other: Any) -> None:
        if self.fake:
            self.fake.has_cluster("old", members=1, **other)
            return
        self.client.create_db_cluster(
            DBClusterIdentifier="old",
            Engine="aurora-postgresql",
            EngineVersion="17.4",
            MasterUsername="postgres",
            MasterUserPassword="not-a-secret",
            **other,
        )
        self.writer.create_instance("old", Member(identifier="old-1", instance_class="db.r8g.large"), tags={})

    def refuses(self, operation: str, **params: Any) -> str:
        """Make a call that must fail, and return the error's code."""
        with pytest.raises(ClientError) as refused:
            getattr(self.client, operation)(**params)
        return error_code(refused.value)


@pytest.fixture(params=["fake", "moto"])
def region(request: pytest.FixtureRequest) -> Iterator[Region]:
    if request.param == "fake":
        fake = FakeRdsWorld().regions["us-west-2"]
        yield Region(fake, fake)
    else:
        with mock_aws():
            yield Region(boto3.client("rds", region_name="us-west-2"), None)


def test_what_was_never_made_is_absent(region: Region) -> None:
    assert region.reader.find_cluster("nobody") is None
    assert region.reader.find_instance("nobody-1") is None
    assert region.reader.find_snapshot("nothing") is None
    assert region.reader.manual_snapshots() == []
    assert region.offers.subnet_group("nowhere") is None
    assert region.offers.family_of_cluster_group("nobodys") is None
    assert region.offers.family_of_instance_group("nobodys") is None


def test_absent_things_are_named_by_their_codes(region: Region) -> None:
    assert region.refuses("describe_db_clusters", DBClusterIdentifier="nobody") == "DBClusterNotFoundFault"
    assert region.refuses("describe_db_instances", DBInstanceIdentifier="nobody") == "DBInstanceNotFound"
    assert region.refuses("delete_db_cluster", DBClusterIdentifier="nobody", SkipFinalSnapshot=True) == (
        "DBClusterNotFoundFault"
    )
    assert region.refuses("delete_db_instance", DBInstanceIdentifier="nobody") == "DBInstanceNotFound"
    assert region.refuses("delete_db_cluster_snapshot", DBClusterSnapshotIdentifier="nothing") == (
        "DBClusterSnapshotNotFoundFault"
    )


def test_a_cluster_has_its_members(region: Region) -> None:
    region.has_cluster()

    cluster = region.reader.find_cluster("old")

    assert cluster is not None
    assert (cluster.status, cluster.engine, list(cluster.member_ids)) == ("available", "aurora-postgresql", ["old-1"])
    assert [member.identifier for member in region.reader.instances_of("old")] == ["old-1"]


def test_a_final_snapshot_exists_once_with_its_tags(region: Region) -> None:
    region.has_cluster()

    region.writer.create_snapshot("old", "final", tags=TAGS)
    region.writer.create_snapshot("old", "final", tags=TAGS)
    region.settle()

    found = region.reader.find_snapshot("final")
    assert found is not None
    assert (found.cluster_id, found.status, dict(found.tags)) == ("old", "available", TAGS)
    assert "final" in [snapshot.identifier for snapshot in region.reader.snapshots_of("old")]


def test_a_copy_exists_once_and_names_its_source(region: Region) -> None:
    region.has_cluster()
    region.writer.create_snapshot("old", "original", tags={})
    region.settle()
    original = region.reader.find_snapshot("original")
    assert original is not None

    region.writer.copy_snapshot(original.arn, "copy", kms_key_id=None, tags=TAGS)
    region.writer.copy_snapshot(original.arn, "copy", kms_key_id=None, tags=TAGS)
    region.settle()

    copied = region.reader.find_snapshot("copy")
    assert copied is not None
    assert (copied.status, copied.cluster_id, dict(copied.tags)) == ("available", "old", TAGS)


def test_a_copy_of_nothing_is_refused(region: Region) -> None:
    arn = "arn:aws:rds:us-west-2:123456789012:cluster-snapshot:nothing"
    code = region.refuses(
        "copy_db_cluster_snapshot",
        SourceDBClusterSnapshotIdentifier=arn,
        TargetDBClusterSnapshotIdentifier="copy",
        Tags=[],
    )
    assert code == "DBClusterSnapshotNotFoundFault"


def test_a_cluster_goes_after_its_members(region: Region) -> None:
    region.has_cluster()
    code = region.refuses("delete_db_cluster", DBClusterIdentifier="old", SkipFinalSnapshot=True)
    assert code == "InvalidDBClusterStateFault"

    region.writer.delete_instance("old-1")
    region.writer.delete_cluster("old")
    region.settle()

    assert region.reader.find_cluster("old") is None
    assert region.reader.find_instance("old-1") is None
    region.writer.delete_instance("old-1")
    region.writer.delete_cluster("old")


def test_a_protected_cluster_stays_until_its_protection_is_off(region: Region) -> None:
    region.has_cluster(DeletionProtection=True)
    region.writer.delete_instance("old-1")
    region.settle()
    code = region.refuses("delete_db_cluster", DBClusterIdentifier="old", SkipFinalSnapshot=True)
    assert code == "InvalidParameterCombination"

    region.writer.set_deletion_protection("old", on=False)
    region.writer.delete_cluster("old")
    region.settle()

    assert region.reader.find_cluster("old") is None


def test_a_restore_makes_a_cluster_without_instances(region: Region) -> None:
    region.has_cluster()
    region.writer.create_snapshot("old", "original", tags={})
    region.settle()

    region.writer.restore_cluster("new", "original", SETTINGS, tags=TAGS)
    region.settle()

    cluster = region.reader.find_cluster("new")
    assert cluster is not None
    assert (cluster.status, list(cluster.member_ids), dict(cluster.tags)) == ("available", [], TAGS)


def test_an_instance_is_created_once(region: Region) -> None:
    region.has_cluster()

    region.writer.create_instance("old", Member(identifier="old-2", instance_class="db.r8g.large"), tags=TAGS)
    region.writer.create_instance("old", Member(identifier="old-2", instance_class="db.r8g.large"), tags=TAGS)
    region.settle()

    found = region.reader.find_instance("old-2")
    assert found is not None
    assert (found.cluster_id, found.status, dict(found.tags)) == ("old", "available", TAGS)


def test_a_deleted_snapshot_is_gone(region: Region) -> None:
    region.has_cluster()
    region.writer.create_snapshot("old", "original", tags={})
    region.settle()

    region.writer.delete_snapshot("original")
    region.writer.delete_snapshot("original")

    assert region.reader.find_snapshot("original") is None


def test_tags_are_added_to_a_snapshot(region: Region) -> None:
    region.has_cluster()
    region.writer.create_snapshot("old", "original", tags={"one": "1"})
    region.settle()
    original = region.reader.find_snapshot("original")
    assert original is not None

    region.writer.tag(original.arn, {"two": "2"})

    tagged = region.reader.find_snapshot("original")
    assert tagged is not None
    assert dict(tagged.tags) == {"one": "1", "two": "2"}


def test_a_master_password_is_reset(region: Region) -> None:
    region.has_cluster()
    region.writer.reset_master_password("old", "another-password")
    region.settle()
    cluster = region.reader.find_cluster("old")
    assert cluster is not None
    assert cluster.status == "available"
