"""From the raw execution input to a `RestoreRequest`, with errors a person can act on."""

import difflib
import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, get_args, get_origin

from pydantic import BaseModel, ValidationError

from utils.errors import ConfigurationMissing, InvalidRequest, PermanentError
from utils.identifiers import OPERATION_ID_PATTERN
from utils.json_text import NotJson, read_json
from utils.request.mandatory import mandatory_of
from utils.request.model import RestoreRequest
from utils.request.storable import CORRECT_IT, check_size, check_storable, escaped
from utils.words import counted

_LONGEST_ECHO = 80
_MOST_PATHS = 20
_LENGTHS = {
    "too_short": "at least {min_length} items",
    "too_long": "at most {max_length} items",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
}
UNDO = "undo"  # the one field of a request that exchanges the names of a swap back
RESUME = "resume"  # the one field of a request that resumes an earlier operation


class Defaults(Protocol):
    """The stack's parameters that a request may leave out; `Settings` has them."""

    @property
    def source_cluster_id(self) -> str: ...  # noqa: D102
    @property
    def source_region(self) -> str: ...  # noqa: D102
    @property
    def target_cluster_id(self) -> str: ...  # noqa: D102
    @property
    def request_defaults(self) -> str: ...  # noqa: D102
    @property
    def mandatory_request(self) -> str: ...  # noqa: D102


def parse_resume(raw: object) -> str | None:
    """Return the operation that a request only names, None for a request of its own; raises `InvalidRequest`."""
    if not isinstance(raw, dict) or RESUME not in raw:
        return None
    others = sorted(escaped(str(name)[:_LONGEST_ECHO]) for name in raw if name != RESUME)
    if others:
        raise InvalidRequest(
            "a field beside resume" + (f" (and {', '.join(others[1:_MOST_PATHS])})" if len(others) > 1 else ""),
            field=others[0],
            expected='{"resume": "<operation_id>"} and nothing else: the operation goes on with its own request',
            action="leave the other fields out, or resume to start a new run; nothing was changed",
        )
    operation_id = named_in(raw)
    if operation_id is None:
        raise InvalidRequest(
            _found(raw[RESUME]),
            field=RESUME,
            expected="the operation_id of a run that failed, which is the name of its first execution",
            action="correct it; nothing was changed",
        )
    return operation_id


def parse_undo(raw: object) -> str | None:
    """Return the swap that a request undoes, None for a request of its own; raises `InvalidRequest`."""
    if not isinstance(raw, dict) or UNDO not in raw:
        return None
    name = raw[UNDO]
    if len(raw) > 1 or not isinstance(name, str) or not re.fullmatch(OPERATION_ID_PATTERN, name):
        raise InvalidRequest(
            f"{_found(name)}{' and other fields beside it' if len(raw) > 1 else ''}",
            field=UNDO,
            expected='{"undo": "<operation_id>"} with the name of a swap, and nothing else',
            action="correct it; nothing was changed",
        )
    return name


def named_in(request: object) -> str | None:
    """Return the operation that a raw request wants to resume, None when it names none in a readable way."""
    name = request.get(RESUME) if isinstance(request, dict) else None
    return name if isinstance(name, str) and re.fullmatch(OPERATION_ID_PATTERN, name) else None


def parse_request(raw: object, settings: Defaults) -> RestoreRequest:
    """Lay the request over the stack's defaults and validate it; raises `InvalidRequest` that names the field."""
    try:
        return _validated(raw, settings)
    except ValidationError as error:
        first, *others = _problems(error)
        raise _invalid_request(first, _and(others)) from None


def find_problems(raw: object, settings: Defaults) -> Sequence[PermanentError]:
    """Return everything that does not fit, the most telling first; nothing for a request that a run would take."""
    try:
        _validated(raw, settings)
    except (InvalidRequest, ConfigurationMissing) as problem:
        return [problem]
    except ValidationError as error:
        return [_invalid_request(problem) for problem in _problems(error)]
    return []


def _over_defaults(raw: object, settings: Defaults) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise InvalidRequest(_found(raw), expected="a JSON object", action=CORRECT_IT)
    return _merge(_merge(_stack_defaults(settings), _configured_defaults(settings)), raw)


def _validated(raw: object, settings: Defaults) -> RestoreRequest:
    mandatory = mandatory_of(settings.mandatory_request)
    try:
        merged = _over_defaults(raw, settings)
        check_storable(merged)
        request = mandatory.applied_to(RestoreRequest.model_validate(merged))
        check_size(merged)
    except RecursionError:
        expected = "a request as the README shows"
        raise InvalidRequest("values nested too deep", expected=expected, action=CORRECT_IT) from None
    return request


def _stack_defaults(settings: Defaults) -> dict[str, Any]:
    source = {"cluster_id": settings.source_cluster_id, "region": settings.source_region}
    target = {"cluster_id": settings.target_cluster_id}
    return {
        "source": {name: value for name, value in source.items() if value},
        "target": {name: value for name, value in target.items() if value},
    }


def _configured_defaults(settings: Defaults) -> dict[str, Any]:
    try:
        defaults, why = read_json(settings.request_defaults), ""
    except NotJson as error:
        defaults, why = None, f" ({error})"
    if not isinstance(defaults, dict):
        raise InvalidRequest(
            f"text that is not a JSON object{why}",
            field="stack parameter RequestDefaults",
            expected='a JSON object with fields of the request, such as {"keep_copies": 7}',
            action="correct the parameter and deploy the stack again; nothing was changed",
        )
    return defaults


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        lower = merged.get(name)
        # Tags are one value: a request that lists tags means exactly those.
        both_nested = isinstance(lower, dict) and isinstance(value, dict) and name != "tags"
        merged[name] = _merge(lower, value) if both_nested and isinstance(lower, dict) else value
    return merged


def _problems(error: ValidationError) -> list[Any]:
    # A misspelt field is both unknown and missing: the nearest known name helps more.
    found = error.errors(include_url=False)
    return sorted(found, key=lambda problem: problem["type"] != "extra_forbidden")


def _and(others: list[Any]) -> str:
    if not others:
        return ""
    paths = list(dict.fromkeys(_path([str(part) for part in problem["loc"]]) for problem in others))
    named = ", ".join([*paths[:_MOST_PATHS], *(["…"] if len(paths) > _MOST_PATHS else [])])
    return f" ({counted(len(others), 'more problem')} in the request: {named})"


def _invalid_request(first: Mapping[str, Any], more: str = "") -> InvalidRequest:
    location = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        return InvalidRequest(
            "an unknown field" + more,
            field=_path(location),
            expected=_known_fields(location),
            action=CORRECT_IT,
        )
    if first["type"] == "missing":
        return InvalidRequest(
            "nothing" + more,
            field=_path(location),
            expected="a value, in the request or as a parameter of the stack",
            action=CORRECT_IT,
        )
    expected = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if first["type"] in {"model_type", "dict_type"}:
        expected = "a JSON object"
    if first["type"] in _LENGTHS:
        expected = _LENGTHS[first["type"]].format(**first["ctx"])
    return InvalidRequest(_found(first["input"]) + more, field=_path(location), expected=expected, action=CORRECT_IT)


def _path(location: list[str]) -> str:
    # Of a key that is wrong itself, pydantic says so after its name.
    named = location[:-1] if location[-1:] == ["[key]"] else location
    return ".".join(part[:_LONGEST_ECHO] for part in named) or "request"


def _known_fields(location: list[str]) -> str:
    annotation: object = RestoreRequest
    for part in location[:-1]:
        annotation = _inside(annotation, part)
    names = [*_model_of(annotation).model_fields, *([RESUME] if len(location) == 1 else [])]
    near = difflib.get_close_matches(location[-1], names, n=1, cutoff=0.5)
    known = ", ".join(names)
    return f"{near[0]!r} perhaps; known here: {known}" if near else f"one of {known}"


def _inside(annotation: object, part: str) -> object:
    for candidate in _with_all_inside(annotation):
        # A number of a list and a key of a mapping are no fields, whatever they are called.
        if get_origin(candidate) in {list, dict}:
            return get_args(candidate)[-1]
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate.model_fields[part].annotation
    raise TypeError(f"nothing is inside: {annotation!r}")


def _model_of(annotation: object) -> type[BaseModel]:
    for candidate in _with_all_inside(annotation):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    raise TypeError(f"not a model: {annotation!r}")


def _with_all_inside(annotation: object) -> Iterator[object]:
    yield annotation
    for argument in get_args(annotation):
        yield from _with_all_inside(argument)


def _found(value: object) -> str:
    return "null" if value is None else f"{type(value).__name__} {_echo(value)}"


def _echo(value: object) -> str:
    # A container may be nested thousands deep.
    text = repr(value) if isinstance(value, str) else reprlib.repr(value)
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}… ({len(text)} characters)"
