"""Event subscriptions: kept and described; nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, invalid_combination, invalid_value
from local_cloud.aurora.operations.paging import page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.attachments import EventSubscription
from local_cloud.aurora.state.store import RegionState
from local_cloud.aurora.state.tagging import requested_tags

# Aurora User Guide, "Amazon RDS event categories and event messages for Aurora"
CATEGORIES = {
    "db-cluster": (
        "configuration change", "creation", "deletion", "failover", "failure", "global failover", "maintenance",
        "migration", "notification", "serverless",
    ),
    "db-instance": (
        "availability", "backtrack", "backup", "configuration change", "creation", "deletion", "failover", "failure",
        "low storage", "maintenance", "notification", "read replica", "recovery", "restoration",
    ),
    "db-cluster-snapshot": ("backup", "notification"),
    "db-parameter-group": ("configuration change",),
}  # fmt: skip
TOPIC = re.compile(r"arn:aws:sns:[a-z0-9-]+:[0-9]{12}:[\w-]+(?:\.fifo)?")
MEMBERS = "SnsTopicArn SourceType EventCategories Enabled"


@operation("CreateEventSubscription", identifier="SubscriptionName", supports=MEMBERS + " SourceIds Tags")
def create_event_subscription(call: Call) -> dict[str, Any]:
    """Answer CreateEventSubscription."""
    params, state = call.params, call.state
    name: str = params["SubscriptionName"].lower()
    require(
        name not in state.event_subscriptions,
        ApiError("SubscriptionAlreadyExist", f"Subscription {name} already exists."),
    )
    most = call.settings.quotas.event_subscriptions
    require(
        len(state.event_subscriptions) < most,
        ApiError("EventSubscriptionQuotaExceeded", f"Cannot create more than {most} event subscriptions."),
    )
    source_type = _source_type(params)
    sources = [_existing_source(state, source_type, item) for item in params.get("SourceIds", [])]
    subscription = EventSubscription(
        identifier=name,
        arn=state.arn("es", name),
        tags=requested_tags(params),
        topic_arn=_topic(params["SnsTopicArn"]),
        create_time=call.now,
        source_type=source_type,
        source_ids=sources,
        categories=_categories(params, source_type),
        enabled=params.get("Enabled", True),
        status="active",
    )
    state.event_subscriptions[name] = subscription
    return _answer(call, subscription)


@operation("ModifyEventSubscription", identifier="SubscriptionName", supports=MEMBERS)
def modify_event_subscription(call: Call) -> dict[str, Any]:
    """Answer ModifyEventSubscription."""
    subscription = _named(call)
    params = call.params
    source_type = _source_type(params) or subscription.source_type
    categories = _categories(params, source_type)
    if "SnsTopicArn" in params:
        subscription.topic_arn = _topic(params["SnsTopicArn"])
    if source_type != subscription.source_type:
        subscription.source_type, subscription.source_ids = source_type, []
    if "EventCategories" in params:
        subscription.categories = categories
    subscription.enabled = params.get("Enabled", subscription.enabled)
    return _answer(call, subscription)


@operation("AddSourceIdentifierToSubscription", identifier="SubscriptionName", supports="SourceIdentifier")
def add_source_identifier_to_subscription(call: Call) -> dict[str, Any]:
    """Answer AddSourceIdentifierToSubscription."""
    subscription = _named(call)
    source = _existing_source(call.state, subscription.source_type, call.params["SourceIdentifier"])
    if source not in subscription.source_ids:
        subscription.source_ids.append(source)
    return _answer(call, subscription)


@operation("RemoveSourceIdentifierFromSubscription", identifier="SubscriptionName", supports="SourceIdentifier")
def remove_source_identifier_from_subscription(call: Call) -> dict[str, Any]:
    """Answer RemoveSourceIdentifierFromSubscription."""
    subscription = _named(call)
    source = call.params["SourceIdentifier"].lower()
    if source not in subscription.source_ids:
        raise _no_source(source)
    subscription.source_ids.remove(source)
    return _answer(call, subscription)


@operation("DeleteEventSubscription", identifier="SubscriptionName")
def delete_event_subscription(call: Call) -> dict[str, Any]:
    """Answer DeleteEventSubscription."""
    subscription = _named(call)
    del call.state.event_subscriptions[subscription.identifier]
    subscription.status = "deleting"
    return _answer(call, subscription)


@operation("DescribeEventSubscriptions", identifier="SubscriptionName", supports="MaxRecords Marker")
def describe_event_subscriptions(call: Call) -> dict[str, Any]:
    """Answer DescribeEventSubscriptions."""
    found = [_named(call)] if call.params.get("SubscriptionName") else list(call.state.event_subscriptions.values())
    shown, marker = page(found, call.params)
    return {"EventSubscriptionsList": [_describe(call, item) for item in shown], "Marker": marker}


@operation("DescribeEventCategories", supports="SourceType")
def describe_event_categories(call: Call) -> dict[str, Any]:
    """Answer DescribeEventCategories."""
    wanted = _source_type(call.params)
    return {
        "EventCategoriesMapList": [
            {"SourceType": kind, "EventCategories": list(names)}
            for kind, names in CATEGORIES.items()
            if wanted in (None, kind)
        ]
    }


def _named(call: Call) -> EventSubscription:
    name = call.params["SubscriptionName"]
    found = call.state.event_subscriptions.get(name.lower())
    if found is None:
        raise ApiError("SubscriptionNotFound", f"Subscription {name} not found.", 404)
    return found


def _source_type(params: Mapping[str, Any]) -> str | None:
    wanted: str | None = params.get("SourceType")
    if wanted is not None and wanted not in CATEGORIES:
        raise invalid_value(f"Invalid source type: {wanted}. Valid values: {', '.join(CATEGORIES)}")
    if wanted is None and params.get("SourceIds"):
        raise invalid_combination("SourceType is required if SourceIds are supplied.")
    return wanted


def _existing_source(state: RegionState, source_type: str | None, name: str) -> str:
    sources: dict[str | None, Mapping[str, object]] = {
        "db-cluster": state.clusters,
        "db-instance": state.instances,
        "db-cluster-snapshot": state.snapshots,
        "db-parameter-group": state.parameter_groups,
    }
    if name.lower() not in sources.get(source_type, {}):
        raise _no_source(name)
    return name.lower()


def _no_source(name: str) -> ApiError:
    return ApiError("SourceNotFound", f"Could not find source by name {name}.", 404)


def _categories(params: Mapping[str, Any], source_type: str | None) -> list[str]:
    wanted: list[str] = params.get("EventCategories", [])
    known = CATEGORIES[source_type] if source_type else {name for names in CATEGORIES.values() for name in names}
    for name in wanted:
        require(name in known, ApiError("SubscriptionCategoryNotFound", f"Category {name} not found.", 404))
    return list(wanted)


def _topic(arn: str) -> str:
    require(TOPIC.fullmatch(arn), ApiError("SNSInvalidTopic", f"The topic ARN {arn} is invalid."))
    return arn


def _answer(call: Call, subscription: EventSubscription) -> dict[str, Any]:
    return {"EventSubscription": _describe(call, subscription)}


def _describe(call: Call, subscription: EventSubscription) -> dict[str, Any]:
    return {
        "CustomerAwsId": call.caller.account_id,
        "CustSubscriptionId": subscription.identifier,
        "SnsTopicArn": subscription.topic_arn,
        "Status": subscription.status,
        "SubscriptionCreationTime": f"{subscription.create_time:%Y-%m-%d %H:%M:%S.%f}",
        "SourceType": subscription.source_type,
        "SourceIdsList": subscription.source_ids,
        "EventCategoriesList": subscription.categories,
        "Enabled": subscription.enabled,
        "EventSubscriptionArn": subscription.arn,
    }
