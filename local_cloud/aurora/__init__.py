"""The local Aurora: an RDS API endpoint on 127.0.0.1 whose clusters are real PostgreSQL servers.

    aurora = LocalAurora(AuroraSettings(run_dir=Path("run"), speed=200), hooks)
    endpoint = aurora.start()      # for AWS_ENDPOINT_URL_RDS
    ...
    aurora.stop()                  # stops every server, removes the data; logs and journal stay in run_dir

A snapshot is a physical copy of a cluster's data directory, a restore a new server started from that copy, so
roles, passwords and data come along. Statuses, durations, refusals and error codes follow AWS; what is missing is
answered with NotSupportedByLocalAurora, never with a made-up success.

Where it differs from AWS on purpose: every endpoint is 127.0.0.1 and a cluster is told by its port; the requested
port is used if it is free, otherwise a free one; all instances of a cluster, and its reader endpoint, are one
PostgreSQL server; the Region is that of the request's credential scope. All times in answers, and the HTTP Date
header, are on the simulated clock, which starts at the real time and runs `speed` times faster.
"""

from local_cloud.aurora.clock import ScaledClock
from local_cloud.aurora.errors import AccessDeniedError, ApiError
from local_cloud.aurora.faults import Fault
from local_cloud.aurora.front.control import Control
from local_cloud.aurora.hooks import (
    Authenticator,
    Authorizer,
    Caller,
    Hooks,
    KeyStore,
    KmsKey,
    Networks,
    ResourceRequest,
    RoleStore,
    SecretStore,
    Subnet,
    credential_scope,
)
from local_cloud.aurora.journal import Entry
from local_cloud.aurora.permissive import permissive_hooks
from local_cloud.aurora.postgres.leftovers import remove_leftovers
from local_cloud.aurora.server import LocalAurora
from local_cloud.aurora.settings import AuroraSettings, Durations, Quotas

__all__ = [
    "AccessDeniedError",
    "ApiError",
    "AuroraSettings",
    "Authenticator",
    "Authorizer",
    "Caller",
    "Control",
    "Durations",
    "Entry",
    "Fault",
    "Hooks",
    "KeyStore",
    "KmsKey",
    "LocalAurora",
    "Networks",
    "Quotas",
    "ResourceRequest",
    "RoleStore",
    "ScaledClock",
    "SecretStore",
    "Subnet",
    "credential_scope",
    "permissive_hooks",
    "remove_leftovers",
]
