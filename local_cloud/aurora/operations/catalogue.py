"""Engine versions and how long they are supported, events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import invalid_combination, invalid_value
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.account import CA_CERTIFICATES
from local_cloud.aurora.operations.associated_roles import FEATURES
from local_cloud.aurora.operations.paging import keep_matching, page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.state import versions
from local_cloud.aurora.state.resources import Event
from local_cloud.aurora.state.versions import ENGINE

DEFAULT_EVENT_MINUTES = 60


@operation(
    "DescribeDBEngineVersions",
    identifier="Engine",
    supports="EngineVersion DBParameterGroupFamily Filters MaxRecords Marker DefaultOnly IncludeAll",
    only={"ListSupportedCharacterSets": (False,), "ListSupportedTimezones": (False,)},
)
def describe_db_engine_versions(call: Call) -> dict[str, Any]:
    """Answer DescribeDBEngineVersions: Aurora PostgreSQL only."""
    params = call.params
    found = list(versions.VERSIONS) if params.get("Engine", ENGINE) == ENGINE else []
    wanted = params.get("EngineVersion")
    if wanted:
        found = [version for version in found if version == wanted or version.startswith(f"{wanted}.")]
    if params.get("DBParameterGroupFamily"):
        found = [version for version in found if versions.family_of(version) == params["DBParameterGroupFamily"]]
    if params.get("DefaultOnly"):
        default = validate.default_in_major(wanted) or versions.DEFAULT_VERSION
        found = [version for version in found if version == default]
    found = keep_matching(
        found,
        params,
        {
            "engine-mode": lambda _, values: "provisioned" in values,
            "status": lambda _, values: "available" in values,
            "db-parameter-group-family": lambda version, values: versions.family_of(version) in values,
        },
    )
    shown, marker = page(found, params, key=str)
    return {"DBEngineVersions": [_describe_version(version) for version in shown], "Marker": marker}


@operation("DescribeDBMajorEngineVersions", identifier="MajorEngineVersion", supports="Engine MaxRecords Marker")
def describe_db_major_engine_versions(call: Call) -> dict[str, Any]:
    """Answer DescribeDBMajorEngineVersions: when standard and Extended Support of each major begin and end."""
    params = call.params
    found = [str(major) for major in versions.MINORS] if params.get("Engine", ENGINE) == ENGINE else []
    if params.get("MajorEngineVersion"):
        found = [major for major in found if major == params["MajorEngineVersion"]]
    shown, marker = page(found, params, key=str)
    return {
        "DBMajorEngineVersions": [
            {
                "Engine": ENGINE,
                "MajorEngineVersion": major,
                "SupportedEngineLifecycles": [
                    {
                        "LifecycleSupportName": name,
                        "LifecycleSupportStartDate": begins,
                        "LifecycleSupportEndDate": ends,
                    }
                    for name, begins, ends in versions.support_of(int(major))
                ],
            }
            for major in shown
        ],
        "Marker": marker,
    }


@operation(
    "DescribeEvents",
    identifier="SourceIdentifier",
    supports="SourceType StartTime EndTime Duration EventCategories MaxRecords Marker",
)
def describe_events(call: Call) -> dict[str, Any]:
    """Answer DescribeEvents: the last hour (simulated) unless the request says otherwise."""
    params = call.params
    if "SourceIdentifier" in params and "SourceType" not in params:
        raise invalid_combination("SourceType is required if SourceIdentifier is supplied.")
    if "Duration" in params and "StartTime" in params:
        raise invalid_combination("Duration and StartTime can't be used together.")
    if params.get("Duration", 1) < 1:
        raise invalid_value(f"Invalid Duration: {params['Duration']}")
    end = params.get("EndTime", call.now)
    start = params.get("StartTime", end - timedelta(minutes=params.get("Duration", DEFAULT_EVENT_MINUTES)))
    events = [event for event in call.state.events if start <= event.date <= end and _event_matches(event, params)]
    shown, marker = page(events, params, key=lambda event: event.date.isoformat(timespec="microseconds"))
    return {
        "Events": [
            {
                "SourceIdentifier": event.source_identifier,
                "SourceType": event.source_type,
                "Message": event.message,
                "EventCategories": event.categories,
                "Date": event.date,
                "SourceArn": event.source_arn,
            }
            for event in shown
        ],
        "Marker": marker,
    }


def _event_matches(event: Event, params: dict[str, Any]) -> bool:
    wanted = params.get("EventCategories")
    return (
        params.get("SourceType", event.source_type) == event.source_type
        and params.get("SourceIdentifier", event.source_identifier).lower() == event.source_identifier
        and (not wanted or bool(set(wanted) & set(event.categories)))
    )


def _describe_version(version: str) -> dict[str, Any]:
    major = versions.major_of(version)
    return {
        "Engine": ENGINE,
        "MajorEngineVersion": str(major),
        "EngineVersion": version,
        "DBParameterGroupFamily": versions.family_of(version),
        "DBEngineDescription": "Aurora PostgreSQL",
        "DBEngineVersionDescription": f"Aurora PostgreSQL (compatible with PostgreSQL {version})",
        "ExportableLogTypes": list(versions.LOG_EXPORTS),
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportedFeatureNames": list(FEATURES),
        "SupportsLocalWriteForwarding": True,
        "SupportedCACertificateIdentifiers": list(CA_CERTIFICATES),
        "SupportsCertificateRotationWithoutRestart": True,
        "SupportsReadReplica": False,
        "SupportedEngineModes": ["provisioned"],
        "Status": "available",
        "ValidUpgradeTarget": [
            {
                "Engine": ENGINE,
                "EngineVersion": target,
                "Description": f"Aurora PostgreSQL (compatible with PostgreSQL {target})",
                "AutoUpgrade": False,
                "IsMajorVersionUpgrade": versions.major_of(target) != major,
            }
            for target in versions.upgrade_targets(version)
        ],
        "SupportsGlobalDatabases": False,
        "SupportsBabelfish": False,
    }
