"""The part of a request that is about the health of the copy."""

from typing import Annotated

from pydantic import Field

from utils.request.sql import DatabaseName
from utils.strict_model import StrictModel


class Health(StrictModel):
    """What is looked at in the copy beyond its catalog."""

    amcheck: Annotated[list[DatabaseName], Field(max_length=50)] = Field(
        default_factory=list,
        description="Databases whose B-tree indexes PostgreSQL's `amcheck` looks through, small ones first, before the "
        "users are opened; what it finds is told and ends no run.",
    )
    amcheck_seconds: Annotated[int, Field(ge=1, le=300)] = Field(
        default=120, description="Seconds for all of them; what is not looked at by then is told."
    )
