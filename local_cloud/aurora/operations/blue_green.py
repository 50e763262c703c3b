"""DescribeBlueGreenDeployments: blue/green deployments, which only a control call makes."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, cluster_state
from local_cloud.aurora.operations.paging import keep_matching, page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.state.attachments import BlueGreenDeployment
from local_cloud.aurora.state.resources import Cluster
from local_cloud.aurora.state.tagging import describe_tags

# Its clusters are free again
OVER = {"SWITCHOVER_COMPLETED", "DELETING"}


@operation(
    "DescribeBlueGreenDeployments", identifier="BlueGreenDeploymentIdentifier", supports="Filters MaxRecords Marker"
)
def describe_blue_green_deployments(call: Call) -> dict[str, Any]:
    """Answer DescribeBlueGreenDeployments."""
    name = call.params.get("BlueGreenDeploymentIdentifier")
    found = [item for item in call.state.blue_green_deployments.values() if name in (None, item.identifier)]
    if name and not found:
        raise ApiError("BlueGreenDeploymentNotFoundFault", f"Blue/green deployment {name} not found.", 404)
    found = keep_matching(
        found,
        call.params,
        {
            "blue-green-deployment-identifier": lambda item, values: item.identifier in values,
            "blue-green-deployment-name": lambda item, values: item.name in values,
            "source": lambda item, values: item.source_arn in values,
            "target": lambda item, values: item.target_arn in values,
        },
    )
    shown, marker = page(found, call.params)
    return {"BlueGreenDeployments": [_describe(item) for item in shown], "Marker": marker}


def refuse_in_deployment(call: Call, cluster: Cluster) -> None:
    """Refuse to delete either side of a blue/green deployment that was not switched over."""
    for item in call.state.blue_green_deployments.values():
        if cluster.arn in {item.source_arn, item.target_arn} and item.status not in OVER:
            raise cluster_state(
                f"Cannot delete DB cluster {cluster.identifier}: it is part of the blue/green deployment {item.name}."
            )


def _describe(item: BlueGreenDeployment) -> dict[str, Any]:
    return {
        "BlueGreenDeploymentIdentifier": item.identifier,
        "BlueGreenDeploymentName": item.name,
        "Source": item.source_arn,
        "Target": item.target_arn,
        "Status": item.status,
        "CreateTime": item.create_time,
        "TagList": describe_tags(item.tags),
    }
