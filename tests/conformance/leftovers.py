"""Finding, by tag and name, what runs left behind that could not remove it, and removing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.conformance.bench import PREFIX, TAG, Bench
from tests.conformance.made import empty_bucket

Leftover = tuple[str, Callable[[], object]]


def find_leftovers(bench: Bench) -> list[Leftover]:
    """Return what every run left in this account and Region: what it is, and how it is removed."""
    return [*_clusters(bench), *_snapshots(bench), *_tagged(bench), *_secrets(bench), *_roles(bench)]


def _clusters(bench: Bench) -> Iterator[Leftover]:
    for page in bench.client("rds").get_paginator("describe_db_clusters").paginate():
        for cluster in page["DBClusters"]:
            name = cluster["DBClusterIdentifier"]
            if _is_named(name) and _has_tag(cluster["TagList"]) and cluster["Status"] != "deleting":
                yield f"cluster {name}", lambda name=name: bench.aurora.remove_cluster(name)  # type: ignore[misc]


def _snapshots(bench: Bench) -> Iterator[Leftover]:
    pages = bench.client("rds").get_paginator("describe_db_cluster_snapshots")
    for page in pages.paginate(SnapshotType="manual"):
        for snapshot in page["DBClusterSnapshots"]:
            name = snapshot["DBClusterSnapshotIdentifier"]
            # A final snapshot has no tags, but its cluster was a run's.
            is_ours = _has_tag(snapshot["TagList"]) or _is_named(snapshot["DBClusterIdentifier"])
            if _is_named(name) and is_ours:
                yield f"snapshot {name}", lambda name=name: bench.aurora.remove_snapshot(name)  # type: ignore[misc]


def _tagged(bench: Bench) -> Iterator[Leftover]:
    removers: dict[str, Callable[[str, str], object]] = {
        "lambda": lambda _, name: bench.client("lambda").delete_function(FunctionName=name),
        "states": lambda arn, _: bench.client("stepfunctions").delete_state_machine(stateMachineArn=arn),
        "dynamodb": lambda _, name: bench.client("dynamodb").delete_table(TableName=name),
        "sns": lambda arn, _: bench.client("sns").delete_topic(TopicArn=arn),
        "s3": lambda _, name: _delete_bucket(bench.client("s3"), name),
    }
    pages = bench.client("resourcegroupstaggingapi").get_paginator("get_resources")
    for page in pages.paginate(TagFilters=[{"Key": TAG}]):
        for resource in page["ResourceTagMappingList"]:
            arn = resource["ResourceARN"]
            service, name = arn.split(":")[2], arn.rpartition(":")[2].rpartition("/")[2]
            if service in removers and _is_named(name):
                remove = removers[service]
                yield (
                    f"{service} {name}",
                    lambda arn=arn, name=name, remove=remove: remove(arn, name),  # type: ignore[misc]
                )
            if service == "kms" and _is_in_use(bench, name):
                yield (
                    f"key {name} (in 7 days)",
                    lambda name=name: bench.client("kms").schedule_key_deletion(  # type: ignore[misc]
                        KeyId=name, PendingWindowInDays=7
                    ),
                )


def _secrets(bench: Bench) -> Iterator[Leftover]:
    secrets = bench.client("secretsmanager")
    for page in secrets.get_paginator("list_secrets").paginate(Filters=[{"Key": "tag-key", "Values": [TAG]}]):
        for secret in page["SecretList"]:
            name = secret["Name"]
            if _is_named(name):
                yield (
                    f"secret {name}",
                    lambda name=name: secrets.delete_secret(  # type: ignore[misc]
                        SecretId=name, ForceDeleteWithoutRecovery=True
                    ),
                )


def _roles(bench: Bench) -> Iterator[Leftover]:
    iam = bench.client("iam")
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = role["RoleName"]
            if _is_named(name) and _has_tag(iam.list_role_tags(RoleName=name)["Tags"]):
                yield f"role {name}", lambda name=name: _delete_role(iam, name)  # type: ignore[misc]


def _is_named(name: str) -> bool:
    return name.startswith(f"{PREFIX}-")


def _has_tag(tags: list[dict[str, str]]) -> bool:
    return any(tag["Key"] == TAG for tag in tags)


def _is_in_use(bench: Bench, key: str) -> bool:
    return bool(bench.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion")


def _delete_role(iam: Any, name: str) -> None:
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def _delete_bucket(objects: Any, name: str) -> None:
    empty_bucket(objects, name)
    objects.delete_bucket(Bucket=name)
