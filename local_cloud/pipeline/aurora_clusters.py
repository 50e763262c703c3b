"""Makes and finds clusters of the local Aurora through its API, as a user would with the AWS CLI."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.cloud import CloudFailed, LocalCloud
from local_cloud.pipeline.deployment import ENVIRONMENT, Login
from local_cloud.regions import SOURCE_REGION, TARGET_REGION

ENGINE = "aurora-postgresql"
_WAIT_SECONDS = 300.0
_RESTORED_TAG = "aurora-restore:operation-id"


def create_cluster(
    cloud: LocalCloud,
    region: str,
    identifier: str,
    master: Login,
    *,
    database: str,
    instances: int = 1,
    tags: Mapping[str, str] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Create a cluster with its instances, wait until all is available, and remember its master password."""
    rds = cloud.client("rds", region)
    tag_list = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    rds.create_db_cluster(
        DBClusterIdentifier=identifier,
        Engine=ENGINE,
        MasterUsername=master.username,
        MasterUserPassword=master.password,
        DatabaseName=database,
        StorageEncrypted=True,
        Tags=tag_list,
        **settings,
    )
    _remember_master(cloud, region, identifier, master)
    wait_for(lambda: _is_available(_cluster(rds, identifier)["Status"]), f"cluster {identifier}")
    for number in range(1, instances + 1):
        rds.create_db_instance(
            DBInstanceIdentifier=f"{identifier}-{number}",
            DBClusterIdentifier=identifier,
            Engine=ENGINE,
            DBInstanceClass="db.r8g.large",
            Tags=tag_list,
        )
    wait_for(lambda: _all_available(rds, identifier), f"the instances of {identifier}")
    return _cluster(rds, identifier)


def create_snapshot(cloud: LocalCloud, region: str, cluster: str, identifier: str) -> dict[str, Any]:
    """Take a manual snapshot and wait until it is available."""
    rds = cloud.client("rds", region)
    rds.create_db_cluster_snapshot(DBClusterIdentifier=cluster, DBClusterSnapshotIdentifier=identifier)

    def snapshot() -> dict[str, Any]:
        found = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=identifier)
        description: dict[str, Any] = found["DBClusterSnapshots"][0]
        return description

    wait_for(lambda: _is_available(snapshot()["Status"]), f"snapshot {identifier}")
    return snapshot()


def find_cluster(cloud: LocalCloud, identifier: str) -> tuple[str, dict[str, Any]]:
    """Return Region and description of a cluster, the target Region first; CloudFailed if there is none."""
    known = []
    for region in (TARGET_REGION, SOURCE_REGION):
        for cluster in cloud.client("rds", region).describe_db_clusters()["DBClusters"]:
            if cluster["DBClusterIdentifier"] == identifier.lower():
                return region, cluster
            known.append(f"{cluster['DBClusterIdentifier']} ({region})")
    raise CloudFailed(f"No cluster {identifier!r}. There is: {', '.join(known) or 'none'}.")


def master_login(cloud: LocalCloud, region: str, cluster: Mapping[str, Any]) -> Login | None:
    """Return the master login of a cluster that is managed by RDS, restored by the pipeline, or made here."""
    username = str(cluster["MasterUsername"])
    identifier = str(cluster["DBClusterIdentifier"])
    if "MasterUserSecret" in cluster:
        secret = str(cluster["MasterUserSecret"]["SecretArn"])
    elif any(tag["Key"] == _RESTORED_TAG for tag in cluster.get("TagList", [])):
        secret = f"aurora-restore/{ENVIRONMENT}/master-credentials"
    else:
        secret = _master_secret(identifier)
    client = cloud.client("secretsmanager", region)
    try:
        document = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
    except client.exceptions.ResourceNotFoundException:
        return None
    return Login(username=username, password=document["password"])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Poll until a condition holds; CloudFailed after five minutes."""
    give_up = time.monotonic() + _WAIT_SECONDS
    while not condition():
        if time.monotonic() > give_up:
            raise CloudFailed(f"Waited {_WAIT_SECONDS:.0f} s for {what}.")
        time.sleep(0.1)


def _cluster(rds: Any, identifier: str) -> dict[str, Any]:
    description: dict[str, Any] = rds.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"][0]
    return description


def _all_available(rds: Any, identifier: str) -> bool:
    filters = [{"Name": "db-cluster-id", "Values": [identifier]}]
    found = rds.describe_db_instances(Filters=filters)["DBInstances"]
    available = [_is_available(instance["DBInstanceStatus"]) for instance in found]
    return all(available)


def _is_available(status: str) -> bool:
    if status not in ("creating", "backing-up", "configuring-iam-database-auth", "modifying", "available"):
        raise CloudFailed(f"The local Aurora ended with status {status!r}; its logs are in the run folder.")
    return status == "available"


def _remember_master(cloud: LocalCloud, region: str, identifier: str, master: Login) -> None:
    document = json.dumps({"username": master.username, "password": master.password})
    cloud.client("secretsmanager", region).create_secret(Name=_master_secret(identifier), SecretString=document)


def _master_secret(identifier: str) -> str:
    return f"local-cloud/{identifier}/master-credentials"
