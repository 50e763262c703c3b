"""Who may into a cluster's databases with a token of IAM database authentication, and what goes wrong there on demand.

A token is the URL of a GET request, presigned for the service rds-db and good for 15 minutes (Aurora User Guide,
"IAM database authentication"; Service Authorization Reference, "Amazon RDS IAM Authentication").
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

from local_cloud.aurora.engine import Engine
from local_cloud.aurora.errors import ApiError
from local_cloud.aurora.faults import Fault
from local_cloud.aurora.hooks import ResourceRequest
from local_cloud.aurora.postgres.proxy.doorkeeper import Mishap, RoundTrip
from local_cloud.aurora.sql_journal import SqlEntry
from local_cloud.aurora.state.resources import Cluster
from local_cloud.aurora.wire.response import iso

logger = logging.getLogger(__name__)
HOSTS = ("127.0.0.1", "localhost")
LIFETIME = timedelta(minutes=15)
CLOCK_SKEW = timedelta(minutes=5)
SIGNING_TIME = "%Y%m%dT%H%M%SZ"


class TokenRefusedError(Exception):
    """A token does not let its bearer in; the message says why, for the log (the client is never told)."""


@dataclass(frozen=True)
class ClusterDoor:
    """The doorkeeper of one cluster; its name may change, its resource id does not."""

    engine: Engine
    account_id: str
    region: str
    resource_id: str
    _last_found: list[Cluster] = field(default_factory=list, init=False, compare=False)

    def reaches(self, client_port: int) -> bool:
        """Tell whether the cluster's security groups let a client of this machine in."""
        cluster = self._cluster()
        groups = list(cluster.security_groups) if cluster else []
        return self.engine.hooks.networks.lets_in(self.account_id, self.region, groups, client_port)

    def admits(self, user: str, port: int, token: str) -> bool:
        """Tell whether a token lets a member of rds_iam in."""
        try:
            self._judge(user, port, token)
        except (TokenRefusedError, ApiError) as refusal:
            logger.warning("IAM login of %s to %s refused: %s", user, self.resource_id, refusal)
            return False
        return True

    def meet(self, round_trip: RoundTrip) -> Mishap | None:
        """Note a round trip; return what is to go wrong with it."""
        cluster = self._cluster()
        identifier = cluster.identifier if cluster else ""
        fault = self.engine.faults.take_sql(round_trip, identifier)
        self.engine.sql_journal.write(
            SqlEntry(
                time=iso(self.engine.clock.now()),
                cluster=identifier,
                region=self.region,
                fault=fault.kind if fault else "",
                **vars(round_trip),
            )
        )
        return None if fault is None else self._mishap(fault)

    def _mishap(self, fault: Fault) -> Mishap:
        functions = self.engine.hooks.functions
        acts = {"sql-kill": functions.kill, "sql-twice": functions.run_again} if functions else {}
        act = acts.get(fault.kind)
        return Mishap(
            kind=fault.kind.removeprefix("sql-"),
            sqlstate=fault.code,
            message=fault.message,
            seconds=fault.seconds,
            act=partial(act, fault.operation_id) if act else Mishap.act,
        )

    def _judge(self, user: str, port: int, token: str) -> None:
        cluster = self._cluster()
        if cluster is None or not cluster.iam_auth:
            raise TokenRefusedError("IAM database authentication is not enabled on the cluster")
        url = urlsplit(f"//{token}")
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        scope = query.get("X-Amz-Credential", "").split("/")
        found = {
            "host": url.hostname in HOSTS,
            "port": _port(url.netloc) == port,
            "action": query.get("Action") == "connect",
            "user": query.get("DBUser") == user,
            "scope": scope[2:] == [self.region, "rds-db", "aws4_request"],
        }
        wrong = [name for name, fits in found.items() if not fits]
        if wrong:
            raise TokenRefusedError(f"no token for this user and endpoint: {', '.join(wrong)}")
        _refuse_expired(query)
        caller = self.engine.hooks.authenticator.authenticate_url(f"http://{token}")
        arn = f"arn:aws:rds-db:{self.region}:{self.account_id}:dbuser:{self.resource_id}/{user}"
        request = ResourceRequest(arn=arn, context={"aws:RequestedRegion": [self.region]})
        self.engine.hooks.authorizer.authorize(caller, "rds-db:connect", [request])

    def _cluster(self) -> Cluster | None:
        # Without the timeline's lock: whoever holds it may be waiting for the doors.
        clusters = self.engine.store.state(self.account_id, self.region).clusters
        for cluster in self._last_found:  # asked at every round trip, among hundreds of clusters
            if clusters.get(cluster.identifier) is cluster:
                return cluster
        found = [cluster for cluster in list(clusters.values()) if cluster.resource_id == self.resource_id]
        self._last_found[:] = found
        return found[0] if found else None


def _port(netloc: str) -> int | None:
    text = netloc.rpartition(":")[2]
    return int(text) if text.isdecimal() else None


def _refuse_expired(query: dict[str, str]) -> None:
    """Refuse by the real time, in which SDKs sign, not by the simulated one."""
    try:
        signed = datetime.strptime(query.get("X-Amz-Date", ""), SIGNING_TIME).replace(tzinfo=UTC)
        lifetime = min(timedelta(seconds=int(query.get("X-Amz-Expires", ""))), LIFETIME)
    except ValueError:
        raise TokenRefusedError("no time of signing, or no lifetime") from None
    now = datetime.now(UTC)
    if not signed - CLOCK_SKEW <= now <= signed + lifetime:
        raise TokenRefusedError(f"signed at {signed:{SIGNING_TIME}}, good for {lifetime}")
