"""The answer to `{"verify": …}`: what a function reaches from where it runs. Nothing is changed, no value told."""

import socket
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from utils.aws.rds_reader import RdsReader
from utils.errors import AuroraRestoreError, RetryableError
from utils.operation.model import Helper, StepName
from utils.runtime.services import Services

_CONNECT_SECONDS = 5.0
_RUNS = "available"
# What a step reads of RDS; nothing is called "verify".
_READS: dict[StepName | Helper, Callable[[RdsReader], object]] = {
    StepName.SNAPSHOT_CHECK: lambda rds: rds.find_cluster("verify"),
    StepName.COPY_SNAPSHOT: lambda rds: rds.find_snapshot("verify"),
    StepName.CHECK_COPY_STATUS: lambda rds: rds.find_snapshot("verify"),
    StepName.DELETE_RDS: lambda rds: rds.find_cluster("verify"),
    StepName.CHECK_DELETE_STATUS: lambda rds: rds.find_cluster("verify"),
    StepName.RESTORE_SNAPSHOT: lambda rds: rds.find_cluster("verify"),
    StepName.CHECK_RESTORE_STATUS: lambda rds: rds.find_cluster("verify"),
    StepName.SETUP_DB_USERS: lambda rds: rds.find_cluster("verify"),
    StepName.SWAP_CLUSTERS: lambda rds: rds.find_cluster("verify"),
    StepName.CHECK_SWAP_STATUS: lambda rds: rds.find_cluster("verify"),
    StepName.ARCHIVE_SNAPSHOT: lambda rds: rds.find_snapshot("verify"),
}


_REACHES_THE_DATABASE = {StepName.SETUP_DB_USERS, StepName.CHECK_SWAP_STATUS}
_USES_THE_KEY = {StepName.COPY_SNAPSHOT, StepName.DELETE_RDS, StepName.RESTORE_SNAPSHOT}


class Verify(BaseModel):
    """What is to be looked at beyond what every function needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target_cluster_id: str = ""
    kms_key_id: str = ""


class VerifyEvent(BaseModel):
    """Input of a function that is only to say how it is; `operation_id` is that of the run that asks, if one does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verify: Verify
    operation_id: str = ""


class Look(BaseModel):
    """One look; `error` is the class name of what went wrong, as in utils/errors.py, empty if nothing did."""

    model_config = ConfigDict(frozen=True)

    what: str
    error: str = ""
    message: str = ""


class Verification(BaseModel):
    """The function's answer."""

    model_config = ConfigDict(frozen=True)

    step: str
    looks: list[Look] = Field(default_factory=list)


def verify(name: StepName | Helper, event: VerifyEvent, services: Services) -> dict[str, Any]:
    """Look at what the step `name` depends on; for a run what may pass is raised, so that it asks again."""
    settings = services.settings
    acts: dict[str, Callable[[], object]] = {"state-table": lambda: services.operations.find("verify")}
    if name in _READS:
        acts["rds"] = lambda: _READS[name](services.rds())
    if name in _USES_THE_KEY and event.verify.kms_key_id:
        # Each under its own role: a key policy may let in one and not the other.
        acts["kms-key"] = lambda: services.kms.usable_key_arn(event.verify.kms_key_id)
    if name is StepName.SETUP_DB_USERS:
        acts["master-credentials"] = lambda: services.secrets.master_credentials(settings.master_secret_name)
        acts["app-credentials"] = lambda: services.secrets.app_credentials(settings.app_secret_name)
    if name is StepName.CHECK_SWAP_STATUS:
        acts["app-credentials"] = lambda: services.secrets.app_credentials(settings.app_secret_name)
    if name in _REACHES_THE_DATABASE and event.verify.target_cluster_id:
        acts["database"] = lambda: _connect(event.verify.target_cluster_id, services)
    looks = [_look(what, act, is_for_a_run=bool(event.operation_id)) for what, act in acts.items()]
    return Verification(step=name.value, looks=looks).model_dump()


def _look(what: str, act: Callable[[], object], *, is_for_a_run: bool) -> Look:
    try:
        act()
    except AuroraRestoreError as error:
        if is_for_a_run and isinstance(error, RetryableError):
            raise
        return Look(what=what, error=type(error).__name__, message=str(error))
    except OSError as error:  # no route, refused, timed out
        return Look(what=what, error="DatabaseUnavailable", message=f"{type(error).__name__}: {error}")
    return Look(what=what)


def _connect(cluster_id: str, services: Services) -> None:
    """Open and close a connection to the cluster's port; one that has no instance or does not run is left alone."""
    cluster = services.rds().find_cluster(cluster_id)
    if cluster is None or cluster.endpoint is None or cluster.port is None or cluster.status != _RUNS:
        return
    if not cluster.member_ids:
        return
    with socket.create_connection((cluster.endpoint, cluster.port), timeout=_CONNECT_SECONDS):
        pass
