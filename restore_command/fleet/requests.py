"""What a fleet is asked for: a list of requests, checked before anything is started."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from deployment.account import Refused
from restore_command.fleet.lists import read_list
from restore_command.pipeline import Pipeline
from utils.errors import InvalidRequest
from utils.json_text import NotJson, read_json
from utils.request.parsing import RESUME, Defaults, find_problems, named_in, parse_resume
from utils.strict_model import StrictModel

MOST_OPERATIONS = 500
MOST_PROBLEMS = 20
_MOST_CHARACTERS = 262_144  # what StartExecution takes


class FleetRequest(StrictModel):
    """The input of the fleet's state machine, with the list itself or the place in S3 where it is."""

    operations: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_OPERATIONS)] | None = None
    operations_from: Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$")] | None = None
    dry_run: bool = False
    max_concurrency: Annotated[int, Field(ge=1, le=MOST_OPERATIONS)] = 20
    tolerated_failures: Annotated[int, Field(ge=0, le=MOST_OPERATIONS)] = 0

    @model_validator(mode="after")
    def _has_one_list(self) -> Self:
        if (self.operations is None) == (self.operations_from is None):
            raise ValueError("found operations and operations_from, or neither; expected one of them")
        return self

    @property
    def text(self) -> str:
        """The input as it is sent."""
        return json.dumps(self.model_dump(exclude_none=True))


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A request with nothing wrong, and its operations wherever they are."""

    request: FleetRequest
    operations: list[dict[str, Any]]


def read(text: str, pipeline: Pipeline, *, dry_run: bool = False) -> tuple[Checked | None, list[str]]:
    """Return the request, or all that is wrong with it and with each of its operations."""
    request, problems = parsed(text)
    if request is None:
        return None, problems
    if dry_run:
        request = request.model_copy(update={"dry_run": True})
    given: list[Any] = request.operations or []
    if request.operations_from is not None:
        try:
            given = read_list(pipeline, request.operations_from).operations
        except Refused as error:
            return None, [str(error)]
    problems = [*_too_long(request, pipeline), *problems_of(request, given, pipeline.defaults)]
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
        return None, [*problems[:MOST_PROBLEMS], *more]
    return Checked(request=request, operations=given), []


def parsed(text: str) -> tuple[FleetRequest | None, list[str]]:
    """Return what a text asks for, its operations unseen, or what is wrong with it."""
    try:
        raw = read_json(text)
    except NotJson as error:
        return None, [f"found no JSON ({error}); expected a JSON object with operations"]
    if not isinstance(raw, dict):
        return None, [f'found a JSON {type(raw).__name__}; expected an object, {{"operations": [REQUEST, ...]}}']
    try:
        return FleetRequest.model_validate(raw), []
    except ValidationError as error:
        return None, [_told(item) for item in error.errors()][:MOST_PROBLEMS]


def problems_of(request: FleetRequest, given: list[Any], defaults: Defaults) -> Iterator[str]:
    """Judge a fleet's operations; of two for one target the second would only be told that another is at work."""
    if not 1 <= len(given) <= MOST_OPERATIONS:
        yield (
            f"operations_from: found {len(given):,} requests in {request.operations_from}; expected 1 to "
            f"{MOST_OPERATIONS}, and another fleet for what is beyond that"
        )
    word = "operations" if request.operations_from is None else "operations_from"
    first: dict[tuple[str, str], int] = {}
    for number, operation in enumerate(given):
        where = f"{word}[{number}]"
        yield from (f"{where}: {problem}" for problem in _problems_of_one(operation, request, defaults))
        if not isinstance(operation, dict):
            continue
        is_resumed = RESUME in operation
        target = (target_named_in(operation) or defaults.target_cluster_id).lower()
        name = named_in(operation) or "" if is_resumed else target
        field = RESUME if is_resumed else "target.cluster_id"
        before = first.setdefault((field, name), number)
        if name and before != number:
            yield f"{where}.{field}: found {name}, which {word}[{before}] has as well; expected each once"


def target_named_in(request: Any) -> str:
    """Return the target that a raw request names, empty where it names none in a readable way."""
    target = request.get("target") if isinstance(request, dict) else None
    name = target.get("cluster_id") if isinstance(target, dict) else None
    return name if isinstance(name, str) else ""


def _told(problem: Mapping[str, Any]) -> str:
    place = ".".join(map(str, problem["loc"])) or "request"
    if problem["type"] == "extra_forbidden":
        known = ", ".join(FleetRequest.model_fields)
        return f"{place}: found an unknown field; expected one of {known}; one request alone: ./restore.sh start"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"


def _problems_of_one(operation: Any, request: FleetRequest, defaults: Defaults) -> Iterator[str]:
    if not (isinstance(operation, dict) and RESUME in operation):
        yield from map(str, find_problems(operation, defaults))
        return
    if request.dry_run:
        yield "found a resumption, of which there is no dry run; leave it out"
    try:
        parse_resume(operation)
    except InvalidRequest as problem:
        yield str(problem)


def _too_long(request: FleetRequest, pipeline: Pipeline) -> Iterator[str]:
    size = len(request.text)
    if size > _MOST_CHARACTERS:
        yield (
            f"operations: found {size:,} characters of JSON; expected at most {_MOST_CHARACTERS:,}; put the list into "
            f'{pipeline.fleet_lists}, and give {{"operations_from": "{pipeline.fleet_lists}NAME.json"}}'
        )
