"""What an account has beside its clusters: quotas, CA certificates; and what nobody can make here, so there is none."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import ApiError, invalid_value
from local_cloud.aurora.operations.registry import operation

# The names that instances show; behind each of them is the local CA
CA_CERTIFICATE = "rds-ca-rsa2048-g1"
CA_CERTIFICATES = (CA_CERTIFICATE, "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")


@operation("DescribeAccountAttributes")
def describe_account_attributes(call: Call) -> dict[str, Any]:
    """Answer DescribeAccountAttributes: the quotas that hold here, and what of them is used."""
    state, quotas = call.state, call.settings.quotas
    manual = [item for item in state.snapshots.values() if item.snapshot_type == "manual"]
    counts = {
        "DBClusters": (len(state.clusters), quotas.clusters),
        "DBInstances": (len(state.instances), quotas.instances),
        "ManualClusterSnapshots": (len(manual), quotas.manual_snapshots),
        "DBSubnetGroups": (len(state.subnet_groups), quotas.subnet_groups),
        "DBClusterParameterGroups": (len(state.cluster_parameter_groups), quotas.cluster_parameter_groups),
        "DBParameterGroups": (len(state.parameter_groups), quotas.parameter_groups),
        "EventSubscriptions": (len(state.event_subscriptions), quotas.event_subscriptions),
        "CustomEndpointsPerDBCluster": (
            max(Counter(item.cluster_resource_id for item in state.custom_endpoints.values()).values(), default=0),
            quotas.custom_endpoints_of_a_cluster,
        ),
        "DBClusterRoles": (
            max((len(cluster.roles) for cluster in state.clusters.values()), default=0),
            quotas.roles_of_a_cluster,
        ),
    }
    return {
        "AccountQuotas": [
            {"AccountQuotaName": name, "Used": used, "Max": most} for name, (used, most) in counts.items()
        ]
    }


@operation("DescribeCertificates", identifier="CertificateIdentifier", supports="MaxRecords Marker")
def describe_certificates(call: Call) -> dict[str, Any]:
    """Answer DescribeCertificates: the names of RDS's CAs, the certificate of this local Aurora's."""
    wanted = call.params.get("CertificateIdentifier")
    names = [checked_certificate(wanted)] if wanted else list(CA_CERTIFICATES)
    ca = x509.load_pem_x509_certificate(call.engine.farm.ca_path.read_bytes())
    return {
        "DefaultCertificateForNewLaunches": CA_CERTIFICATE,
        "Certificates": [
            {
                "CertificateIdentifier": name,
                "CertificateType": "CA",
                # RDS shows SHA-1 thumbprints.
                "Thumbprint": ca.fingerprint(hashes.SHA1()).hex(),  # noqa: S303
                "ValidFrom": ca.not_valid_before_utc,
                "ValidTill": ca.not_valid_after_utc,
                "CertificateArn": f"arn:aws:rds:{call.region}::cert:{name}",
                "CustomerOverride": False,
            }
            for name in names
        ],
    }


def checked_certificate(name: str) -> str:
    """Return the name of a CA that RDS has; raise CertificateNotFound."""
    if name not in CA_CERTIFICATES:
        raise ApiError("CertificateNotFound", f"Certificate not found: {name}", 404)
    return name


@operation("DescribeGlobalClusters", identifier="GlobalClusterIdentifier", supports="MaxRecords Marker")
def describe_global_clusters(call: Call) -> dict[str, Any]:
    """Answer DescribeGlobalClusters: there is none."""
    if name := call.params.get("GlobalClusterIdentifier"):
        raise ApiError("GlobalClusterNotFoundFault", f"Global cluster {name} not found", 404)
    return {"GlobalClusters": []}


@operation("DescribePendingMaintenanceActions", identifier="ResourceIdentifier", supports="MaxRecords Marker")
def describe_pending_maintenance_actions(call: Call) -> dict[str, Any]:
    """Answer DescribePendingMaintenanceActions: AWS has nothing to maintain here."""
    name = call.params.get("ResourceIdentifier")
    if name and call.engine.store.find(name) is None:
        raise ApiError("ResourceNotFoundFault", f"The specified resource ID was not found: {name}", 404)
    return {"PendingMaintenanceActions": []}


@operation(
    "DescribeDBSnapshots",
    identifier="DBSnapshotIdentifier",
    supports="DBInstanceIdentifier SnapshotType MaxRecords Marker IncludeShared IncludePublic DbiResourceId",
)
def describe_db_snapshots(call: Call) -> dict[str, Any]:
    """Answer DescribeDBSnapshots: an Aurora cluster has snapshots, its instances have none."""
    params = call.params
    if params.get("SnapshotType", "manual") not in {"automated", "manual", "shared", "public", "awsbackup"}:
        raise invalid_value(f"Invalid snapshot type: {params['SnapshotType']}")
    if name := params.get("DBSnapshotIdentifier"):
        raise ApiError("DBSnapshotNotFound", f"DBSnapshot {name} not found.", 404)
    return {"DBSnapshots": []}
