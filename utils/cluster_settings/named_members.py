"""Custom endpoints and event subscriptions that name instances: those that will not be there are left out, and said."""

from collections.abc import Iterator, Sequence

from utils.cluster_settings.model import ClusterSettings, TargetSettings
from utils.cluster_settings.values import CustomEndpoint, EventSubscription
from utils.error_base import raise_all
from utils.errors import InvalidRequest


def of_these_members(
    settings: TargetSettings, target_id: str, asked: ClusterSettings, left_out: list[str]
) -> TargetSettings:
    """Leave members that will not be there out of what names members, and add a line on each to `left_out`.

    Raises `InvalidRequest` where the request itself names them.
    """
    there = [member.identifier for member in settings.members]
    sources = [target_id, *there]
    named = [name for each in asked.custom_endpoints or [] for name in (*each.static_members, *each.excluded_members)]
    observed = [name for item in asked.event_subscriptions or [] for name in item.source_ids]
    raise_all(
        [
            *_refusals("target.custom_endpoints", named, there),
            *_refusals("target.event_subscriptions", observed, sources),
        ]
    )
    changes = {
        "custom_endpoints": list(_endpoints(settings.custom_endpoints or [], there, left_out)),
        "event_subscriptions": list(_subscriptions(settings.event_subscriptions or [], sources, left_out)),
    }
    return settings.model_copy(update={name: value for name, value in changes.items() if getattr(settings, name)})


def _refusals(field: str, names: Sequence[str], known: Sequence[str]) -> Iterator[InvalidRequest]:
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown:
        yield InvalidRequest(
            f"{', '.join(unknown)}, which the target will not have",
            field=field,
            expected=f"names of {', '.join(known)}",
            action="correct the names or target.instances.count; nothing was changed",
        )


def _endpoints(
    endpoints: Sequence[CustomEndpoint], there: Sequence[str], left_out: list[str]
) -> Iterator[CustomEndpoint]:
    for endpoint in endpoints:
        gone = [name for name in endpoint.static_members if name not in there]
        stay = [name for name in endpoint.static_members if name in there]
        if gone and not stay:
            # An endpoint of nobody would be one of everybody.
            left_out.append(
                f"the custom endpoint {endpoint.identifier}: the target will have no {' and no '.join(gone)}"
            )
            continue
        left_out += [
            f"{name} in the custom endpoint {endpoint.identifier}: the target will not have it" for name in gone
        ]
        excluded = [name for name in endpoint.excluded_members if name in there]
        yield endpoint.model_copy(update={"static_members": stay, "excluded_members": excluded})


def _subscriptions(
    subscriptions: Sequence[EventSubscription], sources: Sequence[str], left_out: list[str]
) -> Iterator[EventSubscription]:
    for item in subscriptions:
        gone = [name for name in item.source_ids if name not in sources]
        left_out += [f"{name} in the event subscription {item.name}: the target will not have it" for name in gone]
        if stay := [name for name in item.source_ids if name in sources]:
            yield item.model_copy(update={"source_ids": stay})
