"""Whether settings are what AWS takes and fit together, as far as no service has to be asked."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

from utils.cluster_settings.model import TargetSettings
from utils.cluster_settings.origins import Origin, member_path
from utils.cluster_settings.values import CustomEndpoint, ReaderScaling
from utils.errors import InvalidRequest
from utils.json_text import NotJson, read_json
from utils.preflight.looks import Preflight
from utils.request.start_window import is_time_zone

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY, _WEEK, _SHORTEST = 24 * 60, 7 * 24 * 60, 30
_ROLE = re.compile(r"arn:aws[\w-]*:iam::[0-9]{12}:role/\S+")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_DIRECTORY = re.compile(r"d-[0-9a-z]+")
_IDENTIFIER = re.compile(r"[a-zA-Z](-?[a-zA-Z0-9]){0,62}")
_SCHEDULE = re.compile(r"(cron|rate|at)\(.+\)")
_POLICIES = ("TargetTrackingScaling", "StepScaling", "PredictiveScaling")
_SUSPENDED = {"scale_in", "scale_out", "scheduled"}
_MOST_READERS = 15
_ADVANCED_DAYS = 465

Problem = tuple[str, str, str]  # field, found, expected


def look_at_coherence(preflight: Preflight, settings: TargetSettings, origins: Mapping[str, Origin]) -> None:
    """Refuse what RDS and Application Auto Scaling would refuse after the deletion."""
    looks: dict[str, Callable[[TargetSettings], Iterator[Problem]]] = {
        "windows": partial(_windows, origins),
        "roles and directory": partial(_roles, origins),
        "insights": partial(_insights, origins),
        "custom endpoints": _endpoints,
        "scaling of readers": partial(_scaling, origins),
    }
    for name, find in looks.items():
        preflight.look(name, partial(_refuse, find, settings))


def _refuse(find: Callable[[TargetSettings], Iterator[Problem]], settings: TargetSettings) -> None:
    problems = list(find(settings))
    if problems:
        field, found, expected = problems[0]
        others = "".join(f"; {field} is {found}" for field, found, _ in problems[1:])
        raise InvalidRequest(
            f"{found}{others}", field=field, expected=expected, action="correct it, then start a new run"
        )


def _windows(origins: Mapping[str, Origin], settings: TargetSettings) -> Iterator[Problem]:
    backup = _daily(settings.backup_window) if settings.backup_window else None
    if backup and not _SHORTEST <= backup[1] < _DAY:
        yield "target.backup_window", str(settings.backup_window), "at least 30 minutes"
    windows = {"target.maintenance_window": ("maintenance_window", settings.maintenance_window)} | {
        f"target.instances.named.{member.identifier}.maintenance_window": (
            member_path(member.identifier, "maintenance_window"),
            member.maintenance_window,
        )
        for member in settings.members
    }
    for field, (path, window) in windows.items():
        if window is None:
            continue
        begins, length = _weekly(window)
        if not _SHORTEST <= length < _DAY:
            yield field, window, "at least 30 minutes and less than 24 hours"
        # What the target has already, RDS has taken.
        elif backup and Origin.REQUEST not in {origins.get(path), origins.get("backup_window")}:
            continue
        elif backup and any(_overlap((begins, length), (backup[0] + day * _DAY, backup[1])) for day in range(7)):
            yield field, window, f"a time without the backup window {settings.backup_window}"


def _daily(window: str) -> tuple[int, int]:
    begin, end = (int(time[:2]) * 60 + int(time[3:]) for time in window.split("-"))
    return begin, (end - begin) % _DAY


def _weekly(window: str) -> tuple[int, int]:
    begin, end = (
        _DAYS.index(time[:3].lower()) * _DAY + int(time[4:6]) * 60 + int(time[7:]) for time in window.split("-")
    )
    return begin, (end - begin) % _WEEK


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return (other[0] - one[0]) % _WEEK < one[1] or (one[0] - other[0]) % _WEEK < other[1]


def _roles(origins: Mapping[str, Origin], settings: TargetSettings) -> Iterator[Problem]:
    roles = [(role.role_arn, role.feature) for role in settings.associated_roles or []]
    for arn, _ in roles:
        if not _ROLE.fullmatch(arn):
            yield "target.associated_roles", repr(arn), "ARNs of IAM roles"
    if len(set(roles)) < len(roles):
        yield "target.associated_roles", "the same role for the same feature twice", "each once"
    for monitoring in (settings.monitoring, *(member.monitoring for member in settings.members)):
        if monitoring and monitoring.role_arn and not _ROLE.fullmatch(monitoring.role_arn):
            yield "target.monitoring.role_arn", repr(monitoring.role_arn), "the ARN of an IAM role"
    if settings.domain and not _DIRECTORY.fullmatch(settings.domain.directory_id):
        yield "target.domain.directory_id", repr(settings.domain.directory_id), "an id such as d-926example"
    name = settings.domain.role_name if settings.domain and origins.get("domain") is Origin.REQUEST else None
    if name and not _ROLE_NAME.fullmatch(name):
        yield "target.domain.role_name", repr(name), "the name of an IAM role, without its ARN or path"


def _insights(origins: Mapping[str, Origin], settings: TargetSettings) -> Iterator[Problem]:
    for insights in (settings.insights, *(member.insights for member in settings.members)):
        days = insights.retention_days if insights and insights.enabled else None
        if days is not None and days not in {7, _ADVANCED_DAYS, 731} and not (0 < days <= 713 and days % 31 == 0):
            yield "target.insights.retention_days", str(days), "7, a multiple of 31 up to 713, 465 or 731"
        if insights and insights.kms_key_id == "":
            yield "target.insights.kms_key_id", "nothing", "a KMS key, or the field left out for AWS's own"
    # RDS takes the mode with the cluster's own insights, if it has any; what the target has together, RDS has taken.
    is_asked = Origin.REQUEST in {origins.get("insights"), origins.get("insights_mode")}
    of_cluster = settings.insights if is_asked else None
    known = [of_cluster] if of_cluster else [settings.insights, *(member.insights for member in settings.members)]
    is_long = any(one.enabled and (one.retention_days or 0) >= _ADVANCED_DAYS for one in known if one)
    if settings.insights_mode == "advanced" and not is_long:
        yield "target.insights_mode", "advanced", f"insights that are enabled and kept {_ADVANCED_DAYS} days or longer"


def _endpoints(settings: TargetSettings) -> Iterator[Problem]:
    endpoints = settings.custom_endpoints or []
    for endpoint in endpoints:
        yield from _endpoint(endpoint)
    names = [endpoint.identifier.lower() for endpoint in endpoints]
    if len(set(names)) < len(names):
        yield "target.custom_endpoints", "the same identifier twice", "each once"


def _endpoint(endpoint: CustomEndpoint) -> Iterator[Problem]:
    if not _IDENTIFIER.fullmatch(endpoint.identifier):
        yield "target.custom_endpoints", repr(endpoint.identifier), "an identifier of letters, digits and hyphens"
    if endpoint.kind not in {"READER", "ANY"}:
        yield "target.custom_endpoints", repr(endpoint.kind), "READER or ANY"
    if endpoint.static_members and endpoint.excluded_members:
        yield "target.custom_endpoints", "static and excluded members", "either static_members or excluded_members"


def _scaling(origins: Mapping[str, Origin], settings: TargetSettings) -> Iterator[Problem]:
    scaling = settings.reader_scaling
    if scaling is None:
        return
    if not 0 <= scaling.min_readers <= scaling.max_readers <= _MOST_READERS:
        limits = f"{scaling.min_readers} to {scaling.max_readers}"
        yield "target.reader_scaling", limits, f"0 to {_MOST_READERS}, the lower first"
    if not set(scaling.suspended) <= _SUSPENDED:
        yield "target.reader_scaling.suspended", ", ".join(scaling.suspended), ", ".join(sorted(_SUSPENDED))
    yield from _rules(scaling)
    for zone in {action.time_zone for action in scaling.scheduled if action.time_zone is not None}:
        # What the target has already, AWS has taken: it may know more zones than there are here.
        if origins.get("reader_scaling") is Origin.REQUEST and not is_time_zone(zone):
            yield "target.reader_scaling.scheduled", repr(zone[:60]), "a time zone such as UTC or Europe/Berlin"


def _rules(scaling: ReaderScaling) -> Iterator[Problem]:
    for policy in scaling.policies:
        if policy.kind not in _POLICIES:
            yield "target.reader_scaling.policies", repr(policy.kind), f"a kind of {', '.join(_POLICIES)}"
        if not _is_object(policy.configuration):
            yield "target.reader_scaling.policies", repr(policy.configuration[:60]), "a configuration that is JSON"
    for action in scaling.scheduled:
        if not _SCHEDULE.fullmatch(action.schedule):
            yield "target.reader_scaling.scheduled", repr(action.schedule[:60]), "cron(…), rate(…) or at(…)"
        limits = (action.min_readers, action.max_readers)
        lowest, highest = (0 if limits[0] is None else limits[0], _MOST_READERS if limits[1] is None else limits[1])
        if not 0 <= lowest <= highest <= _MOST_READERS:
            found = f"{lowest} to {highest} in {action.name}"
            yield "target.reader_scaling.scheduled", found, f"0 to {_MOST_READERS}, the lower first"
        for time in (action.start_time, action.end_time):
            if time is not None and not _is_time(time):
                yield "target.reader_scaling.scheduled", repr(time[:60]), "a time such as 2027-01-31T06:00:00+00:00"


def _is_object(text: str) -> bool:
    try:
        return isinstance(read_json(text), dict)
    except NotJson:
        return False


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
