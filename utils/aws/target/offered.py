"""What RDS offers for a target in a Region: versions, instance classes and subnet groups, with what each takes.

Where an answer of AWS says nothing of something, that counts as taken: None, or no word of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBEngineVersionTypeDef, DBSubnetGroupTypeDef, OrderableDBInstanceOptionTypeDef

PERFORMANCE_INSIGHTS = "Performance Insights"
ENHANCED_MONITORING = "Enhanced Monitoring"
IAM_AUTHENTICATION = "IAM database authentication"
KERBEROS = "Kerberos authentication"


@dataclass(frozen=True, kw_only=True)
class OfferedVersion:
    """An engine version: the family of its parameter groups, its upgrades, and what of the settings it takes."""

    version: str
    family: str
    upgrade_targets: Sequence[str]
    log_types: Sequence[str] | None = None
    ca_certificates: Sequence[str] | None = None
    role_features: Sequence[str] | None = None
    forwards_writes: bool | None = None
    lowest_capacity: float | None = None
    highest_capacity: float | None = None


@dataclass(frozen=True, kw_only=True)
class OfferedClass:
    """An instance class for a version: its Availability Zones, and what instances of it cannot have."""

    zones: frozenset[str] = frozenset()
    storage_types: frozenset[str] = frozenset()
    network_types: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether it can be ordered at all."""
        return bool(self.zones)


@dataclass(frozen=True, kw_only=True)
class SubnetGroup:
    """A DB subnet group."""

    vpc_id: str
    zones: Sequence[str]
    subnet_ids: Sequence[str]
    network_types: Sequence[str] = ()


def version_from_api(raw: "DBEngineVersionTypeDef", engine: str) -> OfferedVersion:
    """Read an element of DescribeDBEngineVersions."""
    capacity: Mapping[str, float] = raw.get("ServerlessV2FeaturesSupport") or {}  # type: ignore[assignment] # two numbers
    return OfferedVersion(
        version=raw.get("EngineVersion", ""),
        family=raw.get("DBParameterGroupFamily", ""),
        upgrade_targets=tuple(
            target["EngineVersion"]
            for target in raw.get("ValidUpgradeTarget", [])
            if target.get("Engine", engine) == engine and "EngineVersion" in target
        ),
        log_types=tuple(raw.get("ExportableLogTypes", [])) or None,
        ca_certificates=tuple(raw.get("SupportedCACertificateIdentifiers", [])) or None,
        role_features=tuple(raw.get("SupportedFeatureNames", [])) or None,
        forwards_writes=raw.get("SupportsLocalWriteForwarding"),
        lowest_capacity=capacity.get("MinCapacity"),
        highest_capacity=capacity.get("MaxCapacity"),
    )


def class_from_api(options: "Iterable[OrderableDBInstanceOptionTypeDef]", storage_type: str) -> OfferedClass:
    """Read the elements of DescribeOrderableDBInstanceOptions of one class; those of its storage count."""
    found = list(options)
    fit = [option for option in found if option.get("StorageType", storage_type) == storage_type]
    lacks = {
        PERFORMANCE_INSIGHTS: all(option.get("SupportsPerformanceInsights") is False for option in fit),
        ENHANCED_MONITORING: all(option.get("SupportsEnhancedMonitoring") is False for option in fit),
        IAM_AUTHENTICATION: all(option.get("SupportsIAMDatabaseAuthentication") is False for option in fit),
        KERBEROS: all(option.get("SupportsKerberosAuthentication") is False for option in fit),
    }
    return OfferedClass(
        zones=frozenset(
            zone["Name"] for option in fit for zone in option.get("AvailabilityZones", []) if "Name" in zone
        ),
        storage_types=frozenset(option["StorageType"] for option in found if "StorageType" in option),
        network_types=frozenset(name for option in fit for name in option.get("SupportedNetworkTypes", [])),
        lacks=frozenset(name for name, is_lacking in lacks.items() if is_lacking),
    )


def subnet_group_from_api(raw: "DBSubnetGroupTypeDef") -> SubnetGroup:
    """Read an element of DescribeDBSubnetGroups."""
    zones = {subnet["SubnetAvailabilityZone"]["Name"] for subnet in raw.get("Subnets", [])}
    subnets = tuple(subnet["SubnetIdentifier"] for subnet in raw.get("Subnets", []))
    return SubnetGroup(
        vpc_id=raw.get("VpcId", ""),
        zones=tuple(sorted(zones)),
        subnet_ids=subnets,
        network_types=tuple(raw.get("SupportedNetworkTypes", [])),
    )
