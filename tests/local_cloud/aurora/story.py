"""The words the stories of the local Aurora are told in."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psycopg2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from psycopg2.extensions import connection

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
ENGINE = "aurora-postgresql"
PASSWORD = "Pr0duction-pass"
CLASS = "db.r8g.large"
DEADLINE_SECONDS = 60


class Region:
    """One account's RDS in one Region, with what stories do often."""

    def __init__(self, endpoint: str, name: str, ca: Path, account: str = ACCOUNT) -> None:
        self.endpoint, self.name, self.ca, self.account = endpoint, name, ca, account
        self.rds: RDSClient = boto3.client(
            "rds",
            region_name=name,
            endpoint_url=endpoint,
            aws_access_key_id=account,
            aws_secret_access_key="irrelevant",
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        )

    def has_cluster(self, name: str, *, instances: int = 1, **settings: Any) -> None:
        """Create a cluster with instances and wait until they are available."""
        wanted: dict[str, Any] = {
            "DBClusterIdentifier": name,
            "Engine": ENGINE,
            "EngineVersion": "17.6",
            "MasterUsername": "dba",
            "MasterUserPassword": PASSWORD,
            "DatabaseName": "shop",
        }
        self.rds.create_db_cluster(**(wanted | settings))
        self.wait_for_cluster(name)
        self.has_instances(name, instances)

    def has_instances(self, cluster: str, count: int = 1) -> None:
        """Add instances to a cluster and wait until they are available."""
        names = [f"{cluster}-{number}" for number in range(1, count + 1)]
        for name in names:
            self.asks_for_instance(cluster, name)
        for name in names:
            self.wait_for_instance(name)

    def asks_for_instance(self, cluster: str, name: str) -> None:
        self.rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass=CLASS, Engine=ENGINE, DBClusterIdentifier=cluster
        )

    def has_snapshot(self, name: str, of: str) -> str:
        """Take a snapshot, wait until it is available and return its ARN."""
        self.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=of)
        self.wait_for_snapshot(name)
        return self.arn("cluster-snapshot", name)

    def has_restored(self, name: str, snapshot: str, **settings: Any) -> None:
        """Restore a cluster, without instances, and wait until it is available."""
        self.rds.restore_db_cluster_from_snapshot(
            **({"EngineVersion": "17.6"} | settings),
            DBClusterIdentifier=name,
            SnapshotIdentifier=snapshot,
            Engine=ENGINE,
        )
        self.wait_for_cluster(name)

    def arn(self, kind: str, name: str) -> str:
        return f"arn:aws:rds:{self.name}:{self.account}:{kind}:{name}"

    def cluster(self, name: str) -> Any:
        return self.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]

    def instance(self, name: str) -> Any:
        return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    def snapshot(self, name: str) -> Any:
        return self.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)["DBClusterSnapshots"][0]

    def wait_for_cluster(self, name: str, status: str = "available") -> None:
        """Wait until the status is reached and nothing is pending."""

        def look() -> tuple[str, bool]:
            cluster = self.cluster(name)
            return cluster["Status"], "PendingModifiedValues" in cluster

        wait_until(look, (status, False))

    def wait_for_instance(self, name: str, status: str = "available") -> None:
        wait_until(lambda: self.instance(name)["DBInstanceStatus"], status)

    def wait_for_snapshot(self, name: str, status: str = "available") -> None:
        wait_until(lambda: self.snapshot(name)["Status"], status)

    def wait_until_cluster_is_gone(self, name: str) -> None:
        wait_until(lambda: code_of(lambda: self.cluster(name)), "DBClusterNotFoundFault")

    @contextmanager
    def psql(
        self, cluster: str, user: str = "dba", password: str = PASSWORD, database: str = "shop"
    ) -> Iterator[connection]:
        """Log in over verified TLS."""
        session = psycopg2.connect(
            host="127.0.0.1",
            port=self.cluster(cluster)["Port"],
            user=user,
            password=password,
            dbname=database,
            sslmode="verify-full",
            sslrootcert=str(self.ca),
        )
        session.autocommit = True
        try:
            yield session
        finally:
            session.close()

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Use the control surface over HTTP."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.endpoint}/_local_aurora/{path}",
            json.dumps(body or {}).encode() if method != "GET" else None,
            method=method,
        )
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            return json.load(response)


def query(session: connection, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows, if it has any."""
    with session.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def wait_until(look: Callable[[], object], expected: object) -> None:
    """Look again and again until the expected is seen; fail after the deadline with what was seen instead."""
    give_up = time.monotonic() + DEADLINE_SECONDS
    seen = look()
    while seen != expected:
        if time.monotonic() > give_up:
            pytest.fail(f"waited {DEADLINE_SECONDS} s for {expected!r}, still {seen!r}")
        time.sleep(0.01)
        seen = look()


def code_of(call: Callable[[], object]) -> str:
    """Return the wire code of the error that a call is answered with, OK if with none."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "OK"


@contextmanager
def refused(code: str, message: str = "") -> Iterator[None]:
    """Expect an error with this wire code and this text in its message."""
    with pytest.raises(ClientError) as raised:
        yield
    answer = raised.value.response["Error"]
    assert (answer["Code"], message in answer["Message"]) == (code, True), answer
