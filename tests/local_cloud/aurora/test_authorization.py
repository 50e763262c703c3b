from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from local_cloud.aurora import (
    AccessDeniedError,
    AuroraSettings,
    Caller,
    KmsKey,
    LocalAurora,
    ResourceRequest,
    permissive_hooks,
)
from tests.local_cloud.aurora.story import ACCOUNT, CLASS, ENGINE, PASSWORD, Region, refused, wait_until


@dataclass
class Guard:
    """Writes down what is asked and refuses what the story forbids."""

    forbidden: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    contexts: dict[tuple[str, str], dict[str, Sequence[str]]] = field(default_factory=dict)

    def authorize(self, caller: Caller, action: str, resources: Sequence[ResourceRequest]) -> None:
        for resource in resources:
            self.asked.append((action, resource.arn))
            self.contexts[action, resource.arn] = dict(resource.context)
            if action in self.forbidden:
                raise AccessDeniedError(caller.arn, action, resource.arn)


class Keys:
    """Knows one key, which can be disabled."""

    def __init__(self) -> None:
        self.enabled = True

    def find_key(self, account_id: str, region: str, key_id: str) -> KmsKey | None:
        if not key_id.endswith("known"):
            return None
        return KmsKey(arn=f"arn:aws:kms:{region}:{account_id}:key/known", enabled=self.enabled)


GUARD = Guard()
KEYS = Keys()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """us-east-1 of a local Aurora that asks the guard, with the tagged cluster `app`."""
    hooks = replace(permissive_hooks(ACCOUNT), authorizer=GUARD, keys=KEYS)
    local = LocalAurora(AuroraSettings(run_dir=tmp_path_factory.mktemp("guarded"), speed=5000), hooks)
    local.start()
    region = Region(local.endpoint, "us-east-1", local.ca_path)
    region.has_cluster("app", instances=0, Tags=[{"Key": "owner", "Value": "shop"}])
    region.has_snapshot("base", of="app")
    yield region
    local.stop()


@pytest.fixture
def guarded(world: Region) -> Region:
    GUARD.asked.clear()
    GUARD.contexts.clear()
    GUARD.forbidden = set()
    KEYS.enabled = True
    return world


@pytest.fixture
def guard() -> Guard:
    return GUARD


@pytest.fixture
def keys() -> Keys:
    return KEYS


def test_a_cluster_with_tags_needs_the_right_to_tag(guarded: Region, guard: Guard) -> None:
    guarded.rds.create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier="s", DBClusterIdentifier="app", Tags=[{"Key": "by", "Value": "me"}]
    )
    cluster, snapshot = guarded.arn("cluster", "app"), guarded.arn("cluster-snapshot", "s")
    assert guard.asked == [
        ("rds:CreateDBClusterSnapshot", cluster),
        ("rds:CreateDBClusterSnapshot", snapshot),
        ("rds:AddTagsToResource", snapshot),
    ]
    context = guard.contexts["rds:CreateDBClusterSnapshot", cluster]
    assert context["aws:ResourceTag/owner"] == context["rds:cluster-tag/owner"] == ["shop"]
    assert context["aws:RequestTag/by"] == ["me"]
    assert context["aws:TagKeys"] == ["by"]
    assert context["aws:RequestedRegion"] == ["us-east-1"]


def test_a_refusal_reads_like_that_of_aws_and_has_no_effect(guarded: Region, guard: Guard) -> None:
    guard.forbidden = {"rds:DeleteDBCluster"}
    arn = guarded.arn("cluster", "app")
    with refused(
        "AccessDenied",
        f"User: arn:aws:iam::{ACCOUNT}:user/local is not authorized to perform: rds:DeleteDBCluster on resource: {arn} "
        "because no identity-based policy allows the rds:DeleteDBCluster action",
    ):
        guarded.rds.delete_db_cluster(DBClusterIdentifier="app", SkipFinalSnapshot=True)
    assert guarded.cluster("app")["Status"] == "available"


def test_a_restore_asks_for_all_that_it_uses(guarded: Region, guard: Guard) -> None:
    guarded.has_restored("twin", "base")
    asked = {arn.split(":", 5)[5] for action, arn in guard.asked if action == "rds:RestoreDBClusterFromSnapshot"}
    assert asked == {
        "cluster:twin",
        "cluster-pg:default.aurora-postgresql17",
        "og:default:aurora-postgresql-17",
        "subgrp:default",
        "cluster-snapshot:base",
    }


def test_a_deletion_with_final_snapshot_asks_for_the_snapshot_too(guarded: Region, guard: Guard) -> None:
    guarded.has_cluster("leaving", instances=0)
    guard.asked.clear()
    guarded.rds.delete_db_cluster(DBClusterIdentifier="leaving", FinalDBSnapshotIdentifier="fin")
    assert guard.asked == [
        ("rds:DeleteDBCluster", guarded.arn("cluster", "leaving")),
        ("rds:DeleteDBCluster", guarded.arn("cluster-snapshot", "fin")),
    ]


def test_a_copy_across_regions_needs_the_right_to_go_there(guarded: Region, guard: Guard) -> None:
    source = guarded.arn("cluster-snapshot", "base")
    west = Region(guarded.endpoint, "us-west-2", guarded.ca)
    guard.forbidden = {"rds:CrossRegionCommunication"}
    with refused("AccessDenied", f"rds:CrossRegionCommunication on resource: {source}"):
        west.rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=source, TargetDBClusterSnapshotIdentifier="c"
        )
    assert ("rds:CopyDBClusterSnapshot", west.arn("cluster-snapshot", "c")) in guard.asked


def test_an_instance_is_asked_for_with_its_class_and_cluster(guarded: Region, guard: Guard) -> None:
    guarded.asks_for_instance("app", "app-1")
    assert guard.asked[:3] == [
        ("rds:CreateDBInstance", guarded.arn("db", "app-1")),
        ("rds:CreateDBInstance", guarded.arn("cluster", "app")),
        ("rds:CreateDBInstance", guarded.arn("pg", "default.aurora-postgresql17")),
    ]
    assert guard.contexts[guard.asked[0]]["rds:DatabaseClass"] == [CLASS]


@pytest.mark.parametrize(("given", "key"), [({}, None), ({"PubliclyAccessible": False}, ["false"])])
def test_what_a_request_leaves_open_is_no_condition_key(
    guarded: Region, guard: Guard, given: dict[str, Any], key: list[str] | None
) -> None:
    guard.forbidden = {"rds:CreateDBInstance"}
    with refused("AccessDenied"):
        guarded.rds.create_db_instance(
            DBInstanceIdentifier="app-2", DBClusterIdentifier="app", DBInstanceClass=CLASS, Engine=ENGINE, **given
        )
    assert guard.contexts["rds:CreateDBInstance", guarded.arn("db", "app-2")].get("rds:PubliclyAccessible") == key


@pytest.mark.parametrize(("given", "key"), [({}, "false"), ({"ManageMasterUserPassword": True}, "true")])
def test_a_change_says_whether_rds_manages_the_master_password_also_where_the_request_does_not(
    guarded: Region, guard: Guard, given: dict[str, Any], key: str
) -> None:
    """Aurora User Guide, "Enforcing Aurora management of the master user password": a Deny where the key is false."""
    guard.forbidden = {"rds:ModifyDBCluster"}
    with refused("AccessDenied"):
        guarded.rds.modify_db_cluster(DBClusterIdentifier="app", DeletionProtection=False, **given)
    asked = guard.contexts["rds:ModifyDBCluster", guarded.arn("cluster", "app")]
    assert asked["rds:ManageMasterUserPassword"] == [key]


class TestKeys:
    def encrypted(self, region: Region, key: str) -> None:
        region.rds.create_db_cluster(
            DBClusterIdentifier="sealed", Engine=ENGINE, EngineVersion="17.6", MasterUsername="dba",
            MasterUserPassword=PASSWORD, StorageEncrypted=True, KmsKeyId=key,
        )  # fmt: skip

    def test_an_unknown_key_is_not_accessible(self, guarded: Region) -> None:
        with refused("KMSKeyNotAccessibleFault", "[alias/unheard-of]"):
            self.encrypted(guarded, "alias/unheard-of")

    def test_a_disabled_key_is_not_accessible(self, guarded: Region, keys: Keys) -> None:
        keys.enabled = False
        with refused("KMSKeyNotAccessibleFault"):
            self.encrypted(guarded, "alias/known")

    def test_the_caller_must_be_allowed_to_grant_the_key_to_rds(self, guarded: Region, guard: Guard) -> None:
        guard.forbidden = {"kms:CreateGrant"}
        with refused("KMSKeyNotAccessibleFault"):
            self.encrypted(guarded, "alias/known")
        context = guard.contexts["kms:CreateGrant", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/known"]
        assert context["kms:ViaService"] == ["rds.us-east-1.amazonaws.com"]
        assert context["kms:GrantIsForAWSResource"] == ["true"]


def test_a_role_is_passed_to_the_part_of_rds_that_takes_it_on(guarded: Region, guard: Guard) -> None:
    """Aurora User Guide, "Granting a user permissions to pass a role": iam:PassRole, bound by iam:PassedToService."""
    role = f"arn:aws:iam::{ACCOUNT}:role/helper"
    guarded.wait_for_cluster("app")
    guarded.rds.add_role_to_db_cluster(DBClusterIdentifier="app", RoleArn=role, FeatureName="s3Import")
    assert guard.asked[-1] == ("iam:PassRole", role)
    assert guard.contexts["iam:PassRole", role]["iam:PassedToService"] == ["rds.amazonaws.com"]
    guarded.rds.modify_db_cluster(DBClusterIdentifier="app", MonitoringInterval=60, MonitoringRoleArn=role)
    assert guard.contexts["iam:PassRole", role]["iam:PassedToService"] == ["monitoring.rds.amazonaws.com"]
    wait_until(lambda: guarded.cluster("app")["MonitoringInterval"], 60)
    guarded.wait_for_cluster("app")
    guarded.rds.modify_db_cluster(DBClusterIdentifier="app", Domain="d-0123456789", DomainIAMRoleName="helper")
    assert guard.contexts["iam:PassRole", role]["iam:PassedToService"] == ["directoryservice.rds.amazonaws.com"]
    wait_until(lambda: len(guarded.cluster("app")["DomainMemberships"]), 1)
    guarded.wait_for_cluster("app")
    guard.forbidden = {"iam:PassRole"}
    with refused("AccessDenied", f"iam:PassRole on resource: {role}"):
        guarded.rds.add_role_to_db_cluster(DBClusterIdentifier="app", RoleArn=role, FeatureName="s3Export")
    assert [item["FeatureName"] for item in guarded.cluster("app")["AssociatedRoles"]] == ["s3Import"]
