"""What a run leaves behind, without what differs from run to run: two pictures can be compared."""

import contextlib
import hashlib
import re
from collections.abc import Sequence
from typing import Any

import psycopg2

from local_cloud.pipeline.deployment import Login
from local_cloud.regions import TARGET_REGION
from tests.faults.laboratory import Laboratory
from tests.integration.stage.world import DATABASE, tags_of
from utils.operation.planned import Outcome

Picture = dict[str, Any]
_CLUSTER = (
    "DBClusterIdentifier", "Status", "EngineVersion", "MasterUsername", "DBSubnetGroup", "DBClusterParameterGroup",
    "VpcSecurityGroups", "StorageEncrypted", "KmsKeyId", "StorageType", "DeletionProtection", "BackupRetentionPeriod",
    "IAMDatabaseAuthenticationEnabled", "CopyTagsToSnapshot", "EnabledCloudwatchLogsExports", "PendingModifiedValues",
    "DBClusterMembers",
)  # fmt: skip
_INSTANCE = ("DBInstanceIdentifier", "DBInstanceStatus", "DBInstanceClass", "PubliclyAccessible", "DBParameterGroups")
_ROLES = """
    SELECT rolname, rolcanlogin, rolcreatedb, rolcreaterole, rolinherit, rolconnlimit,
           ARRAY(SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                 WHERE m.member = r.oid ORDER BY 1)::text[]
    FROM pg_roles r WHERE rolname !~ '^(pg_|rds)' ORDER BY 1
"""
_RIGHTS = """
    SELECT table_schema || '.' || table_name, grantee, string_agg(privilege_type, ' ' ORDER BY privilege_type)
    FROM information_schema.table_privileges WHERE table_schema = 'public' GROUP BY 1, 2 ORDER BY 1, 2
"""
_VOLATILE = re.compile(
    r"(_at|_since|^ttl|^version|^seconds|^age_hours|^port|^endpoint|_arn|^old_target|^arn|^percent|^operation_id|"
    r"resource_id|^version_id|"
    # What other lanes' runs from the same source met, whichever of them ended last.
    r"^warnings|"
    # How long earlier runs took, and which snapshots the local production has by now.
    r"^expected_seconds|^earlier_runs|^rejected|"
    # Whether it is known of a final snapshot that this attempt took it: not where the answer was lost. And the one more
    # that a resumption of before left in the lane, and that goes by count.
    r"^final_snapshot_is_fresh|^pruned_final_snapshots|"
    # How often a setting was asked for: not counted where the function died before it could say so.
    r"^requested|"
    # When production's passwords could first open the copy, how long a name was gone, and digests of a report that has
    # the run's times.
    r"^since|^(least|most)_seconds|^report\.(json|html|dsse\.json)|"
    # RDS picks them at random where nobody does.
    r"_window|^availability_zone)$"
)


def world_picture(laboratory: Laboratory, lane: str, operations: Sequence[str], former: str) -> Picture:
    """Return what there is of a lane: clusters, instances, snapshots, users, data, lock.

    former: the resource id of the cluster that had the target's name before.
    """
    world = laboratory.world
    there = [
        item for item in world.target.describe_db_clusters()["DBClusters"]
        if item["DBClusterIdentifier"].startswith(lane)
    ]  # fmt: skip
    laboratory.wake(lane)  # only one that runs tells what is in it
    cluster = world.cluster(lane)
    picture = {
        "clusters": sorted(
            [item["DBClusterIdentifier"], item["Status"], "former" if item["DbClusterResourceId"] == former else "new"]
            for item in there
        ),
        "cluster": {name: cluster.get(name) for name in _CLUSTER} | {"tags": tags_of(cluster)},
        "instances": [
            {name: item.get(name) for name in _INSTANCE} | {"tags": tags_of(item)} for item in world.instances(lane)
        ],
        "snapshots": {
            role: [
                {"status": item["Status"], "key": item.get("KmsKeyId"), "tags": tags_of(item)}
                for item in world.snapshots(role, lane, rds)
                if tags_of(item)["aurora-restore:operation-id"] in operations
            ]
            for role, rds in (("copy", None), ("final", None), ("source", world.source))
        },
        "database": _database(laboratory, cluster),
        "lock": world.row(f"lock#{TARGET_REGION}#{lane}"),
    }
    found: Picture = _plain(picture, lane, operations)
    return found


def serving(picture: Picture) -> Picture:
    """Return what is alike whichever of both clusters has the target's name; not alike is whose run made it."""
    made_by = "aurora-restore:operation-id"

    def of_any(item: Picture) -> Picture:
        return item | {"tags": {name: value for name, value in item["tags"].items() if name != made_by}}

    return {
        "cluster": of_any(picture["cluster"]),
        "instances": [of_any(item) for item in picture["instances"]],
        "database": picture["database"],
        "lock": picture["lock"],
    }


def without_finals_taken_anew(picture: Picture, wanted: Picture, most: int) -> Picture:
    """Leave out up to `most` final snapshots more than wanted, each like a wanted one."""
    left: list[Picture] = []
    for item in picture["snapshots"]["final"]:
        like_it = [one for one in wanted["snapshots"]["final"] if one == item]
        if most and like_it and left.count(item) >= len(like_it):
            most -= 1
        else:
            left.append(item)
    return picture | {"snapshots": picture["snapshots"] | {"final": left}}


def row_picture(laboratory: Laboratory, lane: str, operation_id: str) -> Picture:
    """Return what an operation's row says."""
    row = laboratory.world.row(operation_id)
    if row is not None:
        row = {name: value for name, value in row.items() if name != "evidence"}  # judged by itself
    if row is not None and "plan" in row:
        # What a look that does not stop the run found differs from run to run: ages, quotas, what other lanes met.
        stops = [check for check in row["plan"].get("checks", []) if check["outcome"] == Outcome.FAIL]
        row = row | {"plan": row["plan"] | {"checks": stops}}
        _forget_zones(row)
    found: Picture = _plain(row, lane, [operation_id])
    return found


def _forget_zones(row: Picture) -> None:
    """Count zones as they were: a point in time or a clone takes none, and the next run of the lane others again."""
    (row["plan"].get("settings") or {}).pop("availability_zones", None)
    comparison = ((row.get("restore") or {}).get("settings") or {}).get("comparison") or {}
    if "availability_zones" in comparison.get("changed_otherwise", []):
        comparison["changed_otherwise"].remove("availability_zones")
        comparison["as_before"] += 1


def users_let_in(laboratory: Laboratory, lane: str) -> list[str]:
    """Name the users whom a lane's database lets in with the password of the secret."""
    cluster = laboratory.world.cluster(lane)
    let_in = []
    for login in _users(laboratory):
        with contextlib.suppress(psycopg2.OperationalError), laboratory.world.login(login, cluster):
            let_in.append(login.username)
    return let_in


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """Say in which places two pictures differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        names = sorted({*expected, *found})
        return [line for name in names for line in differences(expected.get(name), found.get(name), f"{where}.{name}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            line
            for number, (one, other) in enumerate(zip(expected, found, strict=True))
            for line in differences(one, other, f"{where}[{number}]")
        ]
    return [] if expected == found else [f"{where.lstrip('.')}: {found!r} instead of {expected!r}"]


def _database(laboratory: Laboratory, cluster: dict[str, Any]) -> Picture:
    deployment = laboratory.world.deployment
    master = Login(username=str(cluster["MasterUsername"]), password=deployment.master.password)
    with laboratory.world.login(master, cluster) as connection, connection.cursor() as cursor:
        found: Picture = {}
        for name, sql in (
            ("roles", _ROLES),
            ("rights", _RIGHTS),
            ("people", "SELECT count(*), count(phone), min(seen) > 0, min(seen) = max(seen) FROM public.people"),
        ):
            cursor.execute(sql)
            found[name] = [list(row) for row in cursor.fetchall()]
    for login in _users(laboratory):
        with laboratory.world.login(login, cluster, DATABASE) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            found[login.username] = cursor.fetchall()[0][0]
    return found


def _users(laboratory: Laboratory) -> list[Login]:
    deployment = laboratory.world.deployment
    return [deployment.application_user, deployment.readonly_user, deployment.devops_user]


def _plain(value: Any, lane: str, operations: Sequence[str]) -> Any:
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if not _VOLATILE.search(str(name))}
        if kept.get("path") == "port":  # two clusters of one machine cannot have the same
            kept |= {"wanted": "<port>", "found": "<port>"}
        plain = {_plain(name, lane, operations): _plain(item, lane, operations) for name, item in kept.items()}
        return plain | ({"aurora-restore:archived-at": "<time>"} if "aurora-restore:archived-at" in plain else {})
    if isinstance(value, list | tuple):
        return [_plain(item, lane, operations) for item in value]
    if not isinstance(value, str):
        return value
    for operation_id in sorted(operations, key=len, reverse=True):
        digest = hashlib.sha256(operation_id.encode()).hexdigest()[:12]
        value = value.replace(operation_id, "<operation>").replace(digest, "<digest>")
    value = re.sub(r"operation-[0-9]{5}", "<earlier>", value)
    value = re.sub(r"-([0-9a-f]{12}|[0-9a-f]{8})\b", "-<digest>", value)
    value = re.sub(r"point in time since [0-9-]+ [0-9:]+", "point in time since <time>", value)
    value = re.sub(r"after [0-9hmins ]+ \(± [0-9hmins ]+\) without an answer", "after <outage>", value)
    return re.sub(r"[0-9.]+ hours old", "<age>", value).replace(lane, "<lane>")
