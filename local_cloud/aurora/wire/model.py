"""The RDS service model of the installed botocore."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel


@cache
def service() -> ServiceModel:
    """Return the RDS service model."""
    return ServiceModel(Loader().load_service_model("rds", "service-2"))


@cache
def operation_model(name: str) -> OperationModel | None:
    """Return an operation's model, None if RDS has no such operation."""
    model = service()
    return model.operation_model(name) if name in model.operation_names else None
