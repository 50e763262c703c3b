"""RDS with a cluster: what is refused, what is kept, what a rename changes."""

from deployment.throwaway.clusters import ENGINE
from tests.conformance.aurora import MASTER, PASSWORD
from tests.conformance.bench import Bench
from tests.conformance.fact import fact
from tests.conformance.stated import equal, true

_DELETING = "RDS API, DeleteDBCluster"


@fact("rds", "Aurora User Guide, Encrypting Amazon Aurora resources (since 2026-02-18)", minutes=20)
def a_new_cluster_is_encrypted_unasked(bench: Bench) -> None:
    """CreateDBCluster without StorageEncrypted: StorageEncryptionType is sse-rds, StorageEncrypted is false."""
    found = bench.aurora.described(bench.aurora.cluster)
    equal((found["StorageEncryptionType"], found["StorageEncrypted"]), ("sse-rds", False), "the encryption")


@fact("rds", "RDS API, CreateDBInstance")
def the_first_instance_is_the_writer(bench: Bench) -> None:
    """The first instance of a cluster is its writer, and DescribeDBClusters tells so."""
    members = bench.aurora.described(bench.aurora.cluster)["DBClusterMembers"]
    equal([member["IsClusterWriter"] for member in members], [True], "the writers")


@fact("rds", "RDS API, CreateDBCluster")
def a_second_cluster_of_a_name_is_refused(bench: Bench) -> None:
    """CreateDBCluster with a name that is taken: DBClusterAlreadyExistsFault."""
    rds, name = bench.client("rds"), bench.aurora.cluster
    bench.refused(
        "DBClusterAlreadyExistsFault",
        lambda: rds.create_db_cluster(
            DBClusterIdentifier=name, Engine=ENGINE, MasterUsername=MASTER, MasterUserPassword=PASSWORD
        ),
    )


@fact("rds", _DELETING)
def a_cluster_with_instances_is_not_deleted(bench: Bench) -> None:
    """DeleteDBCluster while instances are not yet deleting: InvalidDBClusterStateFault."""
    rds, name = bench.client("rds"), bench.aurora.cluster
    bench.refused(
        "InvalidDBClusterStateFault",
        lambda: rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True),
        saying="instances",
    )


@fact("rds", "Terraform, hashicorp/terraform-provider-aws internal/service/rds/cluster.go", minutes=3)
def a_protected_cluster_is_not_deleted(bench: Bench) -> None:
    """DeleteDBCluster of a protected cluster: InvalidParameterCombination, a code that the model does not have."""
    rds, name = bench.client("rds"), bench.aurora.new_cluster(DeletionProtection=True)
    bench.refused(
        "InvalidParameterCombination",
        lambda: rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True),
        saying="disable deletion pro",
    )
    bench.aurora.remove_cluster(name)


@fact("rds", _DELETING)
def a_deletion_says_what_becomes_of_the_data(bench: Bench) -> None:
    """DeleteDBCluster with neither SkipFinalSnapshot nor a name, or with both: InvalidParameterCombination."""
    rds, name, final = bench.client("rds"), bench.aurora.cluster, bench.name("final")
    bench.refused("InvalidParameterCombination", lambda: rds.delete_db_cluster(DBClusterIdentifier=name))
    bench.refused(
        "InvalidParameterCombination",
        lambda: rds.delete_db_cluster(
            DBClusterIdentifier=name, SkipFinalSnapshot=True, FinalDBSnapshotIdentifier=final
        ),
    )


@fact("rds", "RDS API, ModifyDBCluster: NewDBClusterIdentifier; Aurora User Guide, Modifying", minutes=15)
def a_renamed_cluster_is_the_same_cluster(bench: Bench) -> None:
    """A renamed cluster keeps its resource id and its instances' endpoints, and its old name is free."""
    aurora, rds = bench.aurora, bench.client("rds")
    old = aurora.new_cluster()
    instance = aurora.add_instance(old)
    before, address = aurora.described(old), aurora.described_instance(instance)["Endpoint"]["Address"]
    new = bench.name("renamed")
    aurora.remove_cluster_at_the_end(new)
    rds.modify_db_cluster(DBClusterIdentifier=old, NewDBClusterIdentifier=new, ApplyImmediately=True)
    bench.until(lambda: aurora.status(new) == "available", "the new name", minutes=10)
    after = aurora.described(new)
    equal(aurora.status(old), "gone", "the cluster of the old name")
    equal(after["DbClusterResourceId"], before["DbClusterResourceId"], "the resource id")
    equal(aurora.described_instance(instance)["Endpoint"]["Address"], address, "the instance's endpoint")
    aurora.remove_cluster(new)


@fact(
    "rds",
    "Aurora User Guide, Modifying: NewDBClusterIdentifier",
    minutes=5,
    only_aws="the local Aurora's endpoints are ports of this machine, and no names",
)
def a_rename_moves_the_clusters_endpoint(bench: Bench) -> None:
    """The endpoint of a renamed cluster begins with its new name."""
    aurora, rds = bench.aurora, bench.client("rds")
    old, new = aurora.new_cluster(), bench.name("moved")
    aurora.remove_cluster_at_the_end(new)
    rds.modify_db_cluster(DBClusterIdentifier=old, NewDBClusterIdentifier=new, ApplyImmediately=True)
    bench.until(lambda: aurora.status(new) == "available", "the new name", minutes=10)
    endpoint = aurora.described(new)["Endpoint"]
    true(endpoint.startswith(f"{new}."), f"the endpoint is {endpoint}")
    aurora.remove_cluster(new)


@fact("rds", "RDS API, ModifyDBCluster: MasterUserPassword", minutes=3)
def a_password_is_changed_at_once_whatever_apply_immediately_says(bench: Bench) -> None:
    """ModifyDBCluster of MasterUserPassword without ApplyImmediately leaves nothing pending."""
    name = bench.aurora.cluster
    bench.client("rds").modify_db_cluster(DBClusterIdentifier=name, MasterUserPassword=f"{PASSWORD}-2")
    bench.aurora.available(name, minutes=15)


@fact("rds", "RDS API, DeleteDBCluster: FinalDBSnapshotIdentifier", minutes=10)
def a_final_snapshot_outlives_its_cluster(bench: Bench) -> None:
    """DeleteDBCluster with a final snapshot: the name is free afterwards, the snapshot available and manual."""
    aurora, rds, final = bench.aurora, bench.client("rds"), bench.name("final")
    name = aurora.new_cluster()
    aurora.remove_snapshot_at_the_end(final)
    rds.delete_db_cluster(DBClusterIdentifier=name, FinalDBSnapshotIdentifier=final)
    aurora.gone(name)
    aurora.snapshot_available(final)
    equal(aurora.described_snapshot(final)["SnapshotType"], "manual", "its type")


@fact("rds", "Aurora User Guide, Stopping and starting", minutes=20)
def a_stopped_cluster_is_neither_changed_nor_deleted(bench: Bench) -> None:
    """ModifyDBCluster and DeleteDBCluster of a stopped cluster: InvalidDBClusterStateFault."""
    aurora, rds, name = bench.aurora, bench.client("rds"), bench.aurora.cluster
    rds.stop_db_cluster(DBClusterIdentifier=name)
    bench.until(lambda: aurora.status(name) == "stopped", f"{name} to stop", minutes=30)
    bench.refused(
        "InvalidDBClusterStateFault", lambda: rds.modify_db_cluster(DBClusterIdentifier=name, CopyTagsToSnapshot=True)
    )
    bench.refused(
        "InvalidDBClusterStateFault",
        lambda: rds.delete_db_cluster(DBClusterIdentifier=name, FinalDBSnapshotIdentifier=bench.name("final")),
    )
    rds.start_db_cluster(DBClusterIdentifier=name)
    aurora.available(name)


@fact("rds", "RDS API, AddTagsToResource")
def tags_of_a_cluster_are_told_by_its_description(bench: Bench) -> None:
    """What AddTagsToResource gives, DescribeDBClusters tells as TagList."""
    rds, name = bench.client("rds"), bench.aurora.cluster
    rds.add_tags_to_resource(
        ResourceName=bench.aurora.described(name)["DBClusterArn"], Tags=[{"Key": "colour", "Value": "green"}]
    )
    bench.until(
        lambda: {"Key": "colour", "Value": "green"} in bench.aurora.described(name)["TagList"], "the tag", minutes=2
    )


@fact("rds", "Aurora User Guide, Password management with Secrets Manager", minutes=10)
def a_managed_password_has_a_secret_of_rds(bench: Bench) -> None:
    """ManageMasterUserPassword: the cluster tells a secret named rds!cluster-…, which becomes active."""
    aurora, rds, name = bench.aurora, bench.client("rds"), bench.aurora.cluster
    rds.modify_db_cluster(DBClusterIdentifier=name, ManageMasterUserPassword=True, ApplyImmediately=True)

    def look() -> str:
        secret = aurora.described(name).get("MasterUserSecret", {})
        return str(secret["SecretArn"]) if secret.get("SecretStatus") == "active" else ""

    secret = bench.until(look, "the secret to be active", minutes=15)
    true(secret.split(":")[6].startswith("rds!cluster-"), f"the secret is {secret}")
    aurora.available(name)
    rds.modify_db_cluster(
        DBClusterIdentifier=name,
        ManageMasterUserPassword=False,
        MasterUserPassword=PASSWORD,
        ApplyImmediately=True,
    )
    aurora.available(name)


@fact("rds", "RDS API, EnableHttpEndpoint", minutes=5)
def the_data_api_is_enabled_by_the_clusters_arn(bench: Bench) -> None:
    """EnableHttpEndpoint takes the cluster's ARN, and DescribeDBClusters tells HttpEndpointEnabled."""
    aurora, rds, name = bench.aurora, bench.client("rds"), bench.aurora.cluster
    arn = aurora.described(name)["DBClusterArn"]
    rds.enable_http_endpoint(ResourceArn=arn)
    bench.until(lambda: aurora.described(name)["HttpEndpointEnabled"], "the Data API", minutes=10)
    rds.disable_http_endpoint(ResourceArn=arn)
    aurora.available(name)


@fact("rds", "RDS API, CreateDBClusterEndpoint", minutes=5)
def a_custom_endpoint_belongs_to_its_cluster(bench: Bench) -> None:
    """CreateDBClusterEndpoint: DescribeDBClusterEndpoints of the cluster tells it as CUSTOM."""
    rds, cluster, name = bench.client("rds"), bench.aurora.cluster, bench.name("endpoint")
    rds.create_db_cluster_endpoint(
        DBClusterIdentifier=cluster, DBClusterEndpointIdentifier=name, EndpointType="ANY", Tags=bench.tags
    )

    def look() -> bool:
        found = rds.describe_db_cluster_endpoints(DBClusterIdentifier=cluster)["DBClusterEndpoints"]
        custom = [item for item in found if item["EndpointType"] == "CUSTOM"]
        return [(item["DBClusterEndpointIdentifier"], item["Status"]) for item in custom] == [(name, "available")]

    bench.until(look, "the endpoint", minutes=10)
    rds.delete_db_cluster_endpoint(DBClusterEndpointIdentifier=name)
    bench.aurora.available(cluster)


@fact("rds", "RDS API, ModifyDBInstance: NewDBInstanceIdentifier", minutes=10)
def a_renamed_instance_is_the_same_instance(bench: Bench) -> None:
    """A renamed instance keeps its resource id; the old name is free at its end."""
    aurora, rds, old = bench.aurora, bench.client("rds"), bench.aurora.writer
    resource, new = aurora.described_instance(old)["DbiResourceId"], bench.name("renamed")
    rds.modify_db_instance(DBInstanceIdentifier=old, NewDBInstanceIdentifier=new, ApplyImmediately=True)

    def look() -> bool:
        found = rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [aurora.cluster]}])
        told = [(item["DBInstanceIdentifier"], item["DBInstanceStatus"]) for item in found["DBInstances"]]
        return told == [(new, "available")]

    bench.until(look, "the new name", minutes=20)
    equal(aurora.described_instance(new)["DbiResourceId"], resource, "the resource id")
    bench.refused("DBInstanceNotFound", lambda: rds.describe_db_instances(DBInstanceIdentifier=old))
    aurora.available(aurora.cluster)
