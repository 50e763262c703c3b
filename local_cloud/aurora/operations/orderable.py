"""DescribeOrderableDBInstanceOptions: which instance class can be had, and where."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.operations.network import NETWORK_TYPES
from local_cloud.aurora.operations.paging import page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.state import versions
from local_cloud.aurora.state.versions import ENGINE


@operation(
    "DescribeOrderableDBInstanceOptions",
    identifier="Engine",
    supports="EngineVersion DBInstanceClass Vpc MaxRecords Marker",
    only={"LicenseModel": ("postgresql-license",)},
)
def describe_orderable_db_instance_options(call: Call) -> dict[str, Any]:
    """Answer DescribeOrderableDBInstanceOptions: a class once for each storage type, with the zones that offer it."""
    params = call.params
    options = [
        (version, name, storage)
        for version in versions.VERSIONS
        for name in versions.INSTANCE_CLASSES
        for storage in versions.STORAGE_TYPES
        if params["Engine"] == ENGINE
        and params.get("EngineVersion", version) == version
        and params.get("DBInstanceClass", name) == name
        and call.state.zones_of(name)
    ]
    shown, marker = page(options, params, key=" ".join)
    return {"OrderableDBInstanceOptions": [_describe(call, *option) for option in shown], "Marker": marker}


def _describe(call: Call, version: str, name: str, storage: str) -> dict[str, Any]:
    return {
        "Engine": ENGINE,
        "EngineVersion": version,
        "DBInstanceClass": name,
        "LicenseModel": "postgresql-license",
        "AvailabilityZones": [{"Name": zone} for zone in call.state.zones_of(name)],
        "MultiAZCapable": False,
        "ReadReplicaCapable": False,
        "Vpc": True,
        "SupportsStorageEncryption": True,
        "StorageType": storage,
        "SupportsIops": False,
        "SupportsStorageThroughput": False,
        "SupportsEnhancedMonitoring": True,
        "SupportsIAMDatabaseAuthentication": True,
        "SupportsPerformanceInsights": True,
        "SupportedEngineModes": ["provisioned"],
        "SupportsStorageAutoscaling": False,
        "SupportsKerberosAuthentication": True,
        "OutpostCapable": False,
        "SupportedActivityStreamModes": ["sync", "async"],
        "SupportsGlobalDatabases": False,
        "SupportedNetworkTypes": list(NETWORK_TYPES),
        "SupportsClusters": True,
        "SupportsDedicatedLogVolume": False,
        "SupportsHttpEndpoint": not name.startswith("db.t"),
    }
