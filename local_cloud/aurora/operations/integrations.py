"""DescribeIntegrations: zero-ETL integrations, which only a control call makes."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError
from local_cloud.aurora.operations.paging import keep_matching, page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.state.attachments import Integration
from local_cloud.aurora.state.resources import Cluster
from local_cloud.aurora.state.tagging import describe_tags


@operation("DescribeIntegrations", identifier="IntegrationIdentifier", supports="Filters MaxRecords Marker")
def describe_integrations(call: Call) -> dict[str, Any]:
    """Answer DescribeIntegrations."""
    name = call.params.get("IntegrationIdentifier")
    found = [item for item in call.state.integrations.values() if name in (None, item.identifier, item.arn)]
    if name and not found:
        raise ApiError("IntegrationNotFoundFault", f"Integration {name} not found.", 404)
    found = keep_matching(
        found,
        call.params,
        {
            "integration-name": lambda item, values: item.identifier in values,
            "source-arn": lambda item, values: item.source_arn in values,
            "status": lambda item, values: item.status in values,
        },
    )
    shown, marker = page(found, call.params)
    return {"Integrations": [_describe(item) for item in shown], "Marker": marker}


def refuse_with_integration(call: Call, cluster: Cluster) -> None:
    """Refuse to delete the source of a zero-ETL integration."""
    for item in call.state.integrations.values():
        if item.source_arn == cluster.arn:
            raise ApiError(
                "ResourceBusy",
                f"Cannot delete DB cluster {cluster.identifier}: it is the source of the zero-ETL integration "
                f"{item.identifier}. Delete the integration first.",
            )


def _describe(item: Integration) -> dict[str, Any]:
    return {
        "SourceArn": item.source_arn,
        "TargetArn": item.target_arn,
        "IntegrationName": item.identifier,
        "IntegrationArn": item.arn,
        "Status": item.status,
        "Tags": describe_tags(item.tags),
        "CreateTime": item.create_time,
        "Errors": [],
    }
