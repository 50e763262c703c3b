"""What a fleet is asked for: a list of requests, checked before anything is started."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, ValidationError

from restore_command.pipeline import Pipeline
from utils.json_text import NotJson, read_json
from utils.request.parsing import RESUME, find_problems
from utils.strict_model import StrictModel

MOST_OPERATIONS = 500
_MOST_BYTES = 262_144  # what StartExecution takes


class FleetRequest(StrictModel):
    """The input of the fleet's state machine."""

    operations: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_OPERATIONS)]
    max_concurrency: Annotated[int, Field(ge=1, le=MOST_OPERATIONS)] = 20
    tolerated_failures: Annotated[int, Field(ge=0, le=MOST_OPERATIONS)] = 0


def read(text: str, pipeline: Pipeline) -> tuple[FleetRequest | None, list[str]]:
    """Return the request, or all that is wrong with it and with each of its operations."""
    try:
        request = FleetRequest.model_validate(read_json(text))
    except NotJson as error:
        return None, [f"found no JSON ({error}); expected a JSON object with operations"]
    except ValidationError as error:
        return None, [f"{'.'.join(map(str, item['loc'])) or 'request'}: {item['msg']}" for item in error.errors()]
    problems = [*_problems(request, pipeline), *_twice(request, pipeline)]
    size = len(request.model_dump_json())
    if size > _MOST_BYTES:
        problems.append(f"operations: found {size:,} bytes of JSON; expected at most {_MOST_BYTES:,}; start two fleets")
    return (None, problems) if problems else (request, [])


def target_named_in(request: Any) -> str:
    """Return the target that a raw request names, empty where it names none in a readable way."""
    target = request.get("target") if isinstance(request, dict) else None
    name = target.get("cluster_id") if isinstance(target, dict) else None
    return name if isinstance(name, str) else ""


def _problems(request: FleetRequest, pipeline: Pipeline) -> Iterator[str]:
    for number, operation in enumerate(request.operations):
        if RESUME not in operation:
            for problem in find_problems(operation, pipeline.defaults):
                yield f"operations[{number}]: {problem}"


def _twice(request: FleetRequest, pipeline: Pipeline) -> Iterator[str]:
    """Name targets that several operations would restore: one of them would only be told that another is at work."""
    first: dict[str, int] = {}
    for number, operation in enumerate(request.operations):
        if RESUME in operation:
            continue
        name = (target_named_in(operation) or pipeline.defaults.target_cluster_id).lower()
        if name in first:
            where = f"operations[{number}].target.cluster_id"
            yield f"{where}: found {name}, which operations[{first[name]}] restores; expected each target once"
        first.setdefault(name, number)
