"""What a selftest will do, known before anything is made: names, Regions, request, expected minutes and cost."""

import json
import uuid
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from deployment.account import Account, Refused, error_code, told
from deployment.selftest.content import DATABASE, checks
from deployment.throwaway.clusters import ENGINE, SERVERLESS, SMALLEST
from restore_command.pipeline import Pipeline
from utils.evidence.costs import CAPACITY_HOUR
from utils.identifiers import SELFTEST, digest_of, suffixed_identifier
from utils.request.parsing import find_problems

PREFIX = TAG = SELFTEST
# On AWS: making the source, its snapshot and the copy, restoring, and removing all of it.
_MINUTES, _MORE_BETWEEN_REGIONS = 45, 15
_DOLLARS_BESIDE = 0.05  # storage, snapshots, a secret, requests and what goes between Regions, for an hour


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One selftest."""

    run: str
    pipeline: Pipeline
    source: Account
    target_cluster_id: str
    network: Mapping[str, Any]
    engine_version: str
    subnet_group: str | None
    remarks: tuple[str, ...]

    @property
    def operation_id(self) -> str:
        """The name of the execution that drills."""
        return f"selftest-{self.run}"

    @property
    def cluster(self) -> str:
        """The name of the throwaway source."""
        return f"{PREFIX}-{self.run}"

    @property
    def snapshot(self) -> str:
        """The name of its snapshot."""
        return f"{self.cluster}-snapshot"

    @property
    def tags(self) -> list[dict[str, str]]:
        """The tags of all that is made, but for what the drill makes, which has the pipeline's."""
        return [{"Key": TAG, "Value": self.run}]

    @property
    def request(self) -> dict[str, Any]:
        """The drill's request; what the stack's defaults say of data, scripts and logins is not for the throwaway."""
        return {
            "source": {
                "cluster_id": self.cluster,
                "region": self.source.region,
                "account_id": None,
                "snapshot": self.snapshot,
                "restore_time": None,
                "fast_clone": False,
                "max_age_hours": None,
            },
            "target": {
                "cluster_id": self.target_cluster_id,
                "instances": {"count": 1, "instance_class": SERVERLESS},
                "serverless_v2": {"min_capacity": SMALLEST["MinCapacity"], "max_capacity": SMALLEST["MaxCapacity"]},
                **self.network,
            },
            "strategy": "replace",
            "on_failure": "stop",
            "afterwards": {"action": "delete", "after_hours": 0},
            "post_restore_sql": [],
            "checks": checks(),
            "keep_logins": [],
            "start_window": None,
        }

    @property
    def minutes(self) -> int:
        """What it takes on AWS, roughly."""
        return _MINUTES + (_MORE_BETWEEN_REGIONS if self.source.region != self.pipeline.region else 0)

    def dollars(self, minutes: float) -> float:
        """Return what so many minutes cost at most, by the prices of docs/costs.md: source and drill side by side."""
        return 2 * SMALLEST["MaxCapacity"] * CAPACITY_HOUR["aurora"] * minutes / 60 + _DOLLARS_BESIDE

    def announcement(self) -> str:
        """Say what will be done, what it takes and what is odd about this stack."""
        where = f"account {self.pipeline.account.account_id}"
        groups = [self.network.get("subnet_group", ""), *self.network.get("security_group_ids", [])]
        there = f"{', '.join(groups)} of the target" if self.network else "the subnets and groups of a new target"
        lines = [
            f"The selftest makes a cluster {self.cluster} (Aurora PostgreSQL {self.engine_version}, {SERVERLESS}, "
            f"database {DATABASE}) with data and logins of its own in {self.source.region}, {where}, takes a snapshot "
            f"of it, drills that through the state machine in {self.pipeline.region}, in {there}, "
            "and removes all of it; what stays is the evidence. Neither source nor target of the stack is touched.",
            f"On AWS that takes about {self.minutes} minutes, "
            f"and costs at most about ${self.dollars(self.minutes):.2f}.",
            *(f"Note: {remark}" for remark in self.remarks),
        ]
        return "\n".join(lines)


def setting_of(account: Account, options: Namespace) -> Setting:
    """Look at the stack and choose; raises `Refused` for what would fail once it has cost something."""
    pipeline = Pipeline(account, options.env)
    pipeline.refuse_unfinished()
    defaults = pipeline.defaults
    region = options.source_region or defaults.source_region or account.region
    if region not in {defaults.source_region, account.region}:
        raise Refused(
            f"--source-region {region}: the pipeline copies from {defaults.source_region} and {account.region} only"
        )
    source = account if region == account.region else Account.of_environment(region)
    run = uuid.uuid4().hex[:8]
    like = options.target or defaults.target_cluster_id
    # A name of its own: how long its drills take says nothing of the target's.
    target = suffixed_identifier(like, "selftest") if like else PREFIX
    _check_name(target, f"selftest-{run}", pipeline.parameter("TargetClusterPattern") or "*")
    with told():
        standing = _find(account, like) if like else None
        version = options.engine_version or (standing or {}).get("EngineVersion") or _default_version(source)
    setting = Setting(
        run=run,
        pipeline=pipeline,
        source=source,
        target_cluster_id=target,
        network=_network_of(standing) if standing else {},
        engine_version=str(version),
        subnet_group=options.source_subnet_group,
        remarks=tuple(_remarks(pipeline)),
    )
    if problems := find_problems(setting.request, defaults):
        raise Refused(f"the pipeline would refuse the drill: {problems[0]}")
    return setting


def _check_name(target: str, operation_id: str, pattern: str) -> None:
    name = suffixed_identifier(target, f"drill-{digest_of(operation_id)}")
    if not fnmatchcase(name.lower(), pattern):
        raise Refused(
            f"the drill would be called {name}, and TargetClusterPattern is {pattern}: give --target a name whose "
            "drills fit, such as one that begins as the pattern does"
        )


def _find(account: Account, cluster: str) -> dict[str, Any] | None:
    try:
        found = account.client("rds").describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"]
    except ClientError as error:
        if error_code(error) != "DBClusterNotFoundFault":
            raise
        return None
    return dict(found[0])


def _network_of(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a cluster is: there the function is let in that sets the users up."""
    groups = [group["VpcSecurityGroupId"] for group in cluster.get("VpcSecurityGroups", [])]
    return {"subnet_group": cluster["DBSubnetGroup"], **({"security_group_ids": groups} if groups else {})}


def _default_version(account: Account) -> str:
    found = account.client("rds").describe_db_engine_versions(Engine=ENGINE, DefaultOnly=True)["DBEngineVersions"]
    return str(found[0]["EngineVersion"])


def _remarks(pipeline: Pipeline) -> list[str]:
    remarks = []
    if pipeline.parameter("RequireApproval") == "true":
        remarks.append("RequireApproval is on: the drill waits for ./restore.sh approve; the message of the topic says")
    mandatory: dict[str, Any] = json.loads(pipeline.parameter("MandatoryRequest") or "{}")
    if named := [name for name in ("post_restore_sql", "checks") if mandatory.get(name)]:
        remarks.append(
            f"MandatoryRequest has {' and '.join(named)}, which meet the throwaway's data instead of production's"
        )
    return remarks
