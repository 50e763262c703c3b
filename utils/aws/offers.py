"""What RDS offers and allows in one Region, and the network that it would build in; nothing is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code
from utils.aws.rds_reader import ENGINE
from utils.aws.target.offered import (
    OfferedClass,
    OfferedVersion,
    SubnetGroup,
    class_from_api,
    subnet_group_from_api,
    version_from_api,
)
from utils.cluster_settings.tls import CIPHERS, TLS_PARAMETERS

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient
    from mypy_boto3_rds.type_defs import DBEngineVersionTypeDef

_NO_CLUSTER_GROUP = {"DBParameterGroupNotFound", "DBClusterParameterGroupNotFound"}
_DNS_OF_A_VPC = (
    ("enableDnsSupport", "EnableDnsSupport", "DNS resolution"),
    ("enableDnsHostnames", "EnableDnsHostnames", "DNS hostnames"),
)
_STANDARD_SUPPORT = "open-source-rds-standard-support"
_AVAILABLE = "available"
# The statuses of a blue/green deployment that binds its clusters no more.
_OVER = {"SWITCHOVER_COMPLETED", "DELETING"}


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A quota of the account in the Region."""

    used: int
    most: int


class Offers:
    """The calls that ask what could be built; every method raises the errors of `utils.errors` only."""

    def __init__(self, client: "RDSClient", ec2: Any) -> None:
        self._client, self._ec2 = client, ec2

    def engine_version(self, version: str) -> OfferedVersion | None:
        """Describe an Aurora PostgreSQL version; None if this Region does not offer it."""
        found = self._version(EngineVersion=version)
        return version_from_api(found, ENGINE) if found is not None else None

    def upgrade_targets(self, version: str) -> Sequence[str] | None:
        """Return what a cluster or snapshot of a version can become, also of one that is withdrawn; None: not told."""
        found = self._version(EngineVersion=version, IncludeAll=True)
        if found is None:
            return None
        targets = version_from_api(found, ENGINE).upgrade_targets
        return targets if targets or found.get("Status", _AVAILABLE) == _AVAILABLE else None

    def _version(self, **asked: Any) -> "DBEngineVersionTypeDef | None":
        with aws_call("rds:DescribeDBEngineVersions"):
            answer = self._client.describe_db_engine_versions(Engine=ENGINE, **asked)
        versions = answer["DBEngineVersions"]
        return next((raw for raw in versions if raw.get("EngineVersion") == asked["EngineVersion"]), None)

    def end_of_standard_support(self, major: str) -> datetime | None:
        """Return when AWS's standard support of a major version ends; None where AWS says nothing of it."""
        with aws_call("rds:DescribeDBMajorEngineVersions"):
            pages = self._client.get_paginator("describe_db_major_engine_versions").paginate(
                Engine=ENGINE, MajorEngineVersion=major
            )
            found = [item for page in pages for item in page["DBMajorEngineVersions"]]
        ends = [
            lifecycle["LifecycleSupportEndDate"]
            for item in found
            if item.get("MajorEngineVersion") == major
            for lifecycle in item.get("SupportedEngineLifecycles", [])
            if lifecycle.get("LifecycleSupportName") == _STANDARD_SUPPORT and "LifecycleSupportEndDate" in lifecycle
        ]
        return max(ends, default=None)

    def instance_class(self, version: str, name: str, storage_type: str) -> OfferedClass:
        """Describe an instance class as it can be ordered for the version, with the cluster's storage type."""
        with aws_call("rds:DescribeOrderableDBInstanceOptions"):
            pages = self._client.get_paginator("describe_orderable_db_instance_options").paginate(
                Engine=ENGINE, EngineVersion=version, DBInstanceClass=name
            )
            options = [option for page in pages for option in page["OrderableDBInstanceOptions"]]
        return class_from_api(options, storage_type)

    def subnet_group(self, name: str) -> SubnetGroup | None:
        """Describe a DB subnet group; None when there is none."""
        with aws_call("rds:DescribeDBSubnetGroups"):
            try:
                answer = self._client.describe_db_subnet_groups(DBSubnetGroupName=name)
            except ClientError as error:
                if error_code(error) == "DBSubnetGroupNotFoundFault":
                    return None
                raise
        (found,) = answer["DBSubnetGroups"]
        return subnet_group_from_api(found)

    def vpcs_of_security_groups(self, group_ids: Sequence[str]) -> dict[str, str]:
        """Return the VPC of each of the security groups that exist."""
        with aws_call("ec2:DescribeSecurityGroups"):
            pages = self._ec2.get_paginator("describe_security_groups").paginate(
                Filters=[{"Name": "group-id", "Values": list(group_ids)}]
            )
            found = {group["GroupId"]: group.get("VpcId", "") for page in pages for group in page["SecurityGroups"]}
        return {name: found[name] for name in group_ids if name in found}

    def free_addresses(self, subnet_ids: Sequence[str]) -> dict[str, int]:
        """Return the number of free addresses of each of the subnets that exist."""
        with aws_call("ec2:DescribeSubnets"):
            pages = self._ec2.get_paginator("describe_subnets").paginate(
                Filters=[{"Name": "subnet-id", "Values": list(subnet_ids)}]
            )
            found = {
                subnet["SubnetId"]: subnet["AvailableIpAddressCount"] for page in pages for subnet in page["Subnets"]
            }
        return {name: found[name] for name in subnet_ids if name in found}

    def missing_for_public_access(self, vpc_id: str) -> list[str]:
        """Name what RDS asks a VPC for before it makes an instance with a public address, and that is not there."""
        with aws_call("ec2:DescribeInternetGateways"):
            attached = [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]
            gateways = self._ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
        missing = [] if gateways else ["an internet gateway"]
        with aws_call("ec2:DescribeVpcAttribute"):
            for name, shown, said in _DNS_OF_A_VPC:
                answer = self._ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=name)
                if not answer[shown]["Value"]:
                    missing.append(said)
        return missing

    def family_of_cluster_group(self, name: str) -> str | None:
        """Return the family of a DB cluster parameter group; None when there is no such group."""
        with aws_call("rds:DescribeDBClusterParameterGroups"):
            try:
                answer = self._client.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)
            except ClientError as error:
                if error_code(error) in _NO_CLUSTER_GROUP:
                    return None
                raise
        return next((group.get("DBParameterGroupFamily", "") for group in answer["DBClusterParameterGroups"]), None)

    def family_of_instance_group(self, name: str) -> str | None:
        """Return the family of a DB parameter group; None when there is no such group."""
        with aws_call("rds:DescribeDBParameterGroups"):
            try:
                answer = self._client.describe_db_parameter_groups(DBParameterGroupName=name)
            except ClientError as error:
                if error_code(error) == "DBParameterGroupNotFound":
                    return None
                raise
        return next((group.get("DBParameterGroupFamily", "") for group in answer["DBParameterGroups"]), None)

    def tls_parameters(self, group: str) -> dict[str, str]:
        """Return what a DB cluster parameter group forces on connections; nothing of a group that is not there."""
        with aws_call("rds:DescribeDBClusterParameters"):
            pages = self._client.get_paginator("describe_db_cluster_parameters").paginate(
                DBClusterParameterGroupName=group
            )
            try:
                found = [parameter for page in pages for parameter in page["Parameters"]]
            except ClientError as error:
                if error_code(error) in _NO_CLUSTER_GROUP:
                    return {}
                raise
        return {
            name: item["ParameterValue"]
            for item in found
            # AWS's own list of ciphers differs from version to version; only people's says what is wanted.
            if (name := item.get("ParameterName")) in TLS_PARAMETERS
            and "ParameterValue" in item
            and (name != CIPHERS or item.get("Source") == "user")
        }

    def blue_green_deployments_of(self, cluster_arn: str) -> list[str]:
        """Name the blue/green deployments that the cluster is either side of and that were not switched over."""
        with aws_call("rds:DescribeBlueGreenDeployments"):
            pages = self._client.get_paginator("describe_blue_green_deployments").paginate()
            found = [
                item
                for page in pages
                for item in page["BlueGreenDeployments"]
                if cluster_arn in {item.get("Source"), item.get("Target")} and item.get("Status") not in _OVER
            ]
        return sorted(
            item.get("BlueGreenDeploymentName", item.get("BlueGreenDeploymentIdentifier", "")) for item in found
        )

    def integrations_from(self, cluster_arn: str) -> list[str]:
        """Name the zero-ETL integrations whose source is the cluster."""
        with aws_call("rds:DescribeIntegrations"):
            pages = self._client.get_paginator("describe_integrations").paginate()
            found = [item for page in pages for item in page["Integrations"] if item.get("SourceArn") == cluster_arn]
        return sorted(item.get("IntegrationName", item.get("IntegrationArn", "")) for item in found)

    def quotas(self) -> dict[str, Quota]:
        """Return the quotas by AWS's name, such as `DBClusters`."""
        with aws_call("rds:DescribeAccountAttributes"):
            answer = self._client.describe_account_attributes()
        return {
            quota["AccountQuotaName"]: Quota(used=quota["Used"], most=quota["Max"])
            for quota in answer["AccountQuotas"]
            if "AccountQuotaName" in quota and "Used" in quota and "Max" in quota
        }
