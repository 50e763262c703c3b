"""DescribeDBLogFiles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.operations.paging import page
from local_cloud.aurora.operations.registry import operation


@operation(
    "DescribeDBLogFiles",
    identifier="DBInstanceIdentifier",
    supports="FilenameContains FileLastWritten FileSize MaxRecords Marker",
)
def describe_db_log_files(call: Call) -> dict[str, Any]:
    """Answer DescribeDBLogFiles: the log of the server that all instances share; it is never rotated."""
    instance = call.state.instance(call.params["DBInstanceIdentifier"])
    log = call.state.clusters[instance.cluster_identifier].server.log_file
    found = [log.stat()] if log.exists() else []
    files = [
        {
            "LogFileName": f"error/postgresql.log.{datetime.fromtimestamp(status.st_ctime, UTC):%Y-%m-%d-%H%M}",
            "LastWritten": int(status.st_mtime * 1000),
            "Size": status.st_size,
        }
        for status in found
    ]
    params = call.params
    wanted = [
        file
        for file in files
        if params.get("FilenameContains", "") in str(file["LogFileName"])
        and file["LastWritten"] >= params.get("FileLastWritten", 0)
        and file["Size"] >= params.get("FileSize", 0)
    ]
    shown, marker = page(wanted, params, key=lambda file: str(file["LogFileName"]))
    return {"DescribeDBLogFiles": shown, "Marker": marker}
