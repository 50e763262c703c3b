"""Parameters of groups: DescribeDBClusterParameters, DescribeDBParameters, and setting those that can be set here."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import NotSupportedError, invalid_combination, invalid_value
from local_cloud.aurora.operations.groups import group_named
from local_cloud.aurora.operations.paging import page
from local_cloud.aurora.operations.registry import operation
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.resources import ParameterGroup
from local_cloud.aurora.state.versions import FAMILIES

FORCE_SSL, CIPHERS = "rds.force_ssl", "ssl_ciphers"
ALLOWED = {
    FORCE_SSL: ("0", "1"),
    "ssl_min_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    CIPHERS: (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
    ),
}
# Aurora User Guide, "Security with Amazon Aurora PostgreSQL"; the door asks for TLS whatever a group says
FORCED_SINCE = 17
# What the servers really run with and a client notices; there is no way to change them
OF_CLUSTERS = {"password_encryption": "scram-sha-256", "timezone": "UTC"}
OF_INSTANCES = {"log_statement": "ddl", "max_connections": "60"}


@operation(
    "DescribeDBClusterParameters",
    identifier="DBClusterParameterGroupName",
    supports="Source MaxRecords Marker",
)
def describe_db_cluster_parameters(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterParameters: the parameters that the local servers follow, and those of TLS."""
    group = group_named(call.params["DBClusterParameterGroupName"], call.state.cluster_parameter_groups)
    of_tls = [_of_tls(group, name) for name in ALLOWED]
    return _described(call, [*map(_fixed, (OF_CLUSTERS | OF_INSTANCES).items()), *of_tls])


@operation("DescribeDBParameters", identifier="DBParameterGroupName", supports="Source MaxRecords Marker")
def describe_db_parameters(call: Call) -> dict[str, Any]:
    """Answer DescribeDBParameters: the parameters that the local servers follow."""
    group_named(call.params["DBParameterGroupName"], call.state.parameter_groups)
    return _described(call, [*map(_fixed, OF_INSTANCES.items())])


@operation("ModifyDBClusterParameterGroup", identifier="DBClusterParameterGroupName", supports="Parameters")
def modify_db_cluster_parameter_group(call: Call) -> dict[str, Any]:
    """Answer ModifyDBClusterParameterGroup: the parameters of TLS can be set, and nothing else."""
    group = group_named(call.params["DBClusterParameterGroupName"], call.state.cluster_parameter_groups)
    require(
        not group.identifier.startswith("default."),
        invalid_value(f"The parameter group {group.identifier} is a default group and cannot be modified."),
    )
    wanted = {item.get("ParameterName", ""): item for item in call.params["Parameters"]}
    for name, item in wanted.items():
        if name not in ALLOWED:
            raise NotSupportedError(f"A change of the parameter {name}")
        values = set(str(item.get("ParameterValue")).split(",")) if name == CIPHERS else {item.get("ParameterValue")}
        if not values <= set(ALLOWED[name]):
            raise invalid_value(
                f"Invalid parameter value: {item.get('ParameterValue')} for: {name} "
                f"allowed values are: {','.join(ALLOWED[name])}"
            )
        require(item.get("ApplyMethod"), invalid_combination(f"ApplyMethod is required for the parameter {name}."))
    group.parameters |= {name: item["ParameterValue"] for name, item in wanted.items()}
    return {"DBClusterParameterGroupName": group.identifier}


def _described(call: Call, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = [item for item in parameters if call.params.get("Source", item["Source"]) == item["Source"]]
    shown, marker = page(wanted, call.params, key=lambda item: str(item["ParameterName"]))
    return {"Parameters": shown, "Marker": marker}


def _fixed(parameter: tuple[str, str]) -> dict[str, Any]:
    name, value = parameter
    return {
        "ParameterName": name,
        "ParameterValue": value,
        "Source": "system",
        "ApplyType": "static",
        "IsModifiable": False,
    }


def _of_tls(group: ParameterGroup, name: str) -> dict[str, Any]:
    major = next(major for major, family in FAMILIES.items() if family == group.family)
    by_itself = {FORCE_SSL: "1" if major >= FORCED_SINCE else "0", "ssl_min_protocol_version": "TLSv1.2"}
    value = group.parameters.get(name, by_itself.get(name))
    return {
        "ParameterName": name,
        **({} if value is None else {"ParameterValue": value}),
        "Source": "user" if name in group.parameters else "system",
        "ApplyType": "dynamic",
        "ApplyMethod": "pending-reboot",
        "DataType": "boolean" if name == FORCE_SSL else "list" if name == CIPHERS else "string",
        "AllowedValues": ",".join(ALLOWED[name]),
        "IsModifiable": True,
    }
