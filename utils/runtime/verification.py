"""The answer to `{"verify": …}`: what a function reaches from where it runs. Nothing is changed, no value told."""

import socket
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from utils.errors import AuroraRestoreError
from utils.operation.model import StepName
from utils.runtime.services import Services

_CONNECT_SECONDS = 5.0


class Verify(BaseModel):
    """What is to be looked at beyond what every function needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target_cluster_id: str = ""


class VerifyEvent(BaseModel):
    """Input of a function that is only to say how it is; no operation has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verify: Verify


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


def verify(name: StepName, event: VerifyEvent, services: Services) -> dict[str, Any]:
    """Look at what the step `name` depends on."""
    looks = [_look("state-table", lambda: services.operations.find("verify"))]
    if name is StepName.SETUP_DB_USERS:
        settings = services.settings
        looks += [
            _look("master-credentials", lambda: services.secrets.master_credentials(settings.master_secret_name)),
            _look("app-credentials", lambda: services.secrets.app_credentials(settings.app_secret_name)),
        ]
        if event.verify.target_cluster_id:
            looks.append(_look("database", lambda: _connect(event.verify.target_cluster_id, services)))
    return Verification(step=name.value, looks=looks).model_dump()


def _look(what: str, act: Callable[[], object]) -> Look:
    try:
        act()
    except AuroraRestoreError as error:
        return Look(what=what, error=type(error).__name__, message=str(error))
    except OSError as error:  # no route, refused, timed out
        return Look(what=what, error="DatabaseUnavailable", message=f"{type(error).__name__}: {error}")
    return Look(what=what)


def _connect(cluster_id: str, services: Services) -> None:
    """Open and close a connection to the cluster's port; a cluster without an endpoint is nothing to connect to."""
    cluster = services.rds().find_cluster(cluster_id)
    if cluster is None or cluster.endpoint is None or cluster.port is None:
        return
    with socket.create_connection((cluster.endpoint, cluster.port), timeout=_CONNECT_SECONDS):
        pass
