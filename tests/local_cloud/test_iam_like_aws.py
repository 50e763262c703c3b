"""IAM is enforced, on RDS too; accounts are apart; secrets are kept from who may not use their key."""

import contextlib
import json
import uuid
from typing import Any

import boto3
import psycopg2
import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud
from local_cloud.credentials import OTHER_ACCOUNT_ID
from local_cloud.regions import SOURCE_REGION, TARGET_REGION
from tests.local_cloud.conftest import Workbench

pytestmark = pytest.mark.local_cloud


def client_of(bench: Workbench, role: str, service: str) -> Any:
    endpoint = bench.cloud.rds_endpoint if service == "rds" else bench.cloud.endpoint
    session = boto3.Session(region_name=TARGET_REGION, **bench.session(role))  # type: ignore[arg-type]
    return session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]


def test_a_bucket_that_wants_tls_is_read_over_the_loopback(bench: Workbench) -> None:
    bucket = f"bucket-{uuid.uuid4().hex[:8]}"
    s3 = bench.cloud.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": TARGET_REGION})
    only_tls = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [only_tls]}))
    s3.put_object(Bucket=bucket, Key="a/b.sql", Body=b"SELECT 1")
    role = bench.role({"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/a/*"})
    reader = client_of(bench, role, "s3")
    assert reader.get_object(Bucket=bucket, Key="a/b.sql")["Body"].read() == b"SELECT 1"
    with pytest.raises(ClientError) as refused:
        reader.get_object(Bucket=bucket, Key="c.sql")
    assert refusal(refused) == "AccessDenied"


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def make_cluster(cloud: LocalCloud, region: str = TARGET_REGION, account: str = "123456789012", **tags: str) -> str:
    identifier = f"cluster-{uuid.uuid4().hex[:8]}"
    rds = cloud.client("rds", region, account)
    rds.create_db_cluster(
        DBClusterIdentifier=identifier,
        Engine="aurora-postgresql",
        MasterUsername="master",
        MasterUserPassword="long-enough",
        Tags=[{"Key": key.replace("__", ":"), "Value": value} for key, value in tags.items()],
    )
    while rds.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"][0]["Status"] != "available":
        pass
    return identifier


def test_an_rds_call_that_no_policy_allows_is_refused(bench: Workbench) -> None:
    role = bench.role({"Effect": "Allow", "Action": "rds:DescribeDBClusters", "Resource": "*"})
    rds = client_of(bench, role, "rds")

    assert rds.describe_db_clusters()["DBClusters"] is not None
    with pytest.raises(ClientError, match=r"rds:DescribeDBInstances on resource: .* no identity-based") as error:
        rds.describe_db_instances()
    assert refusal(error) == "AccessDenied"


def test_only_a_tagged_cluster_may_be_deleted(bench: Workbench) -> None:
    role = bench.role(
        {
            "Effect": "Allow",
            "Action": "rds:DeleteDBCluster",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/aurora-restore:replaceable": "true"}},
        }
    )
    rds = client_of(bench, role, "rds")
    kept, replaceable = make_cluster(bench.cloud), make_cluster(bench.cloud, **{"aurora-restore__replaceable": "true"})

    with pytest.raises(ClientError) as error:
        rds.delete_db_cluster(DBClusterIdentifier=kept, SkipFinalSnapshot=True)
    assert refusal(error) == "AccessDenied"
    rds.delete_db_cluster(DBClusterIdentifier=replaceable, SkipFinalSnapshot=True)


def test_a_function_calls_rds_as_its_own_role(bench: Workbench) -> None:
    code = "import os\ndef handler(event, context):\n    return os.environ['AWS_ACCESS_KEY_ID']"
    key = bench.invoke(bench.function(code, bench.role()))

    assert key.startswith("ASIA")


def test_a_wrong_signature_is_refused(bench: Workbench) -> None:
    credentials = bench.session(bench.role({"Effect": "Allow", "Action": "*", "Resource": "*"}))
    credentials["aws_secret_access_key"] = "wrong"
    session = boto3.Session(region_name=TARGET_REGION, **credentials)  # type: ignore[arg-type]

    with pytest.raises(ClientError) as error:
        session.client("rds", endpoint_url=bench.cloud.rds_endpoint).describe_db_clusters()

    assert refusal(error) == "SignatureDoesNotMatch"


def test_another_account_owns_a_snapshot_and_shares_it(cloud: LocalCloud) -> None:
    theirs = cloud.client("rds", SOURCE_REGION, OTHER_ACCOUNT_ID)
    snapshot = f"theirs-{uuid.uuid4().hex[:8]}"
    cluster = make_cluster(cloud, SOURCE_REGION, OTHER_ACCOUNT_ID)
    made = theirs.create_db_cluster_snapshot(DBClusterIdentifier=cluster, DBClusterSnapshotIdentifier=snapshot)
    arn = made["DBClusterSnapshot"]["DBClusterSnapshotArn"]
    theirs.get_waiter("db_cluster_snapshot_available").wait(
        DBClusterSnapshotIdentifier=snapshot, WaiterConfig={"Delay": 1}
    )
    ours = cloud.client("rds", SOURCE_REGION)

    def visible() -> bool:
        found = ours.describe_db_cluster_snapshots(IncludeShared=True, SnapshotType="shared")["DBClusterSnapshots"]
        return arn in [item["DBClusterSnapshotArn"] for item in found]

    assert f":{OTHER_ACCOUNT_ID}:" in arn
    assert not visible()
    theirs.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=snapshot, AttributeName="restore", ValuesToAdd=["123456789012"]
    )
    assert visible()


def test_keys_are_ministacks(cloud: LocalCloud) -> None:
    key = cloud.client("kms", TARGET_REGION).create_key()["KeyMetadata"]["Arn"]
    rds = cloud.client("rds", TARGET_REGION)
    settings = {"Engine": "aurora-postgresql", "MasterUsername": "master", "MasterUserPassword": "long-enough"}

    made = rds.create_db_cluster(
        DBClusterIdentifier=f"encrypted-{key[-6:]}", StorageEncrypted=True, KmsKeyId=key, **settings
    )
    assert made["DBCluster"]["KmsKeyId"] == key
    cloud.client("kms", TARGET_REGION).disable_key(KeyId=key)
    with pytest.raises(ClientError) as error:
        rds.create_db_cluster(DBClusterIdentifier="refused", StorageEncrypted=True, KmsKeyId=key, **settings)
    assert refusal(error) == "KMSKeyNotAccessibleFault"


def test_a_master_password_that_rds_manages_is_a_secret(cloud: LocalCloud) -> None:
    made = cloud.client("rds").create_db_cluster(
        DBClusterIdentifier=f"managed-{uuid.uuid4().hex[:8]}",
        Engine="aurora-postgresql",
        MasterUsername="master",
        ManageMasterUserPassword=True,
    )
    arn = made["DBCluster"]["MasterUserSecret"]["SecretArn"]

    value = json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])

    assert ":secret:rds!cluster-" in arn
    assert value["username"] == "master"


def test_a_secret_needs_the_right_to_its_key(bench: Workbench) -> None:
    secrets = bench.cloud.client("secretsmanager")
    key = bench.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    arn = secrets.create_secret(Name=f"s-{key[-6:]}", SecretString="x", KmsKeyId=key)["ARN"]
    read = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": arn}
    via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{TARGET_REGION}.amazonaws.com"}}
    decrypt = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": via}

    with pytest.raises(ClientError, match="Access to KMS is not allowed"):
        client_of(bench, bench.role(read), "secretsmanager").get_secret_value(SecretId=arn)
    allowed = client_of(bench, bench.role(read, decrypt), "secretsmanager")

    assert allowed.get_secret_value(SecretId=arn)["SecretString"] == "x"


def test_a_resource_policy_of_a_template_names_roles_by_their_arn(bench: Workbench) -> None:
    read = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    named, other = bench.role(read), bench.role(read)
    name = f"named-{uuid.uuid4().hex[:8]}"
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": named}},
    }
    policy = {"Version": "2012-10-17", "Statement": [deny]}
    template = {
        "Resources": {
            "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": name, "SecretString": "x"}},
            "Policy": {
                "Type": "AWS::SecretsManager::ResourcePolicy",
                "Properties": {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": policy},
            },
        }
    }
    formation = bench.cloud.client("cloudformation")
    formation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})

    assert client_of(bench, named, "secretsmanager").get_secret_value(SecretId=name)["SecretString"] == "x"
    with pytest.raises(ClientError) as error:
        client_of(bench, other, "secretsmanager").get_secret_value(SecretId=name)
    assert refusal(error) == "AccessDeniedException"


@pytest.fixture(scope="module")
def with_clerk(cloud: LocalCloud) -> dict[str, Any]:
    """A cluster with IAM database authentication and a user for whom it is."""
    rds, identifier = cloud.client("rds", TARGET_REGION), f"cluster-{uuid.uuid4().hex[:8]}"
    engine = {"Engine": "aurora-postgresql", "DBClusterIdentifier": identifier}
    rds.create_db_cluster(
        **engine, MasterUsername="master", MasterUserPassword="long-enough", EnableIAMDatabaseAuthentication=True
    )
    rds.get_waiter("db_cluster_available").wait(DBClusterIdentifier=identifier, WaiterConfig={"Delay": 1})
    rds.create_db_instance(**engine, DBInstanceIdentifier=f"{identifier}-1", DBInstanceClass="db.r8g.large")
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=f"{identifier}-1", WaiterConfig={"Delay": 1})
    cluster: dict[str, Any] = rds.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"][0]
    with contextlib.closing(log_in(cloud, cluster, "master", "long-enough")) as session, session.cursor() as cursor:
        cursor.execute("CREATE ROLE clerk LOGIN; GRANT rds_iam TO clerk; COMMIT")
    return cluster


def log_in(cloud: LocalCloud, cluster: dict[str, Any], user: str, password: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(
        host=cluster["Endpoint"], port=cluster["Port"], dbname="postgres", user=user, password=password,
        sslmode="verify-full", sslrootcert=str(cloud.ca_file),
    )  # fmt: skip


def token_of(credentials: dict[str, str], cluster: dict[str, Any]) -> str:
    session = boto3.Session(region_name=TARGET_REGION, **credentials)  # type: ignore[arg-type]
    return session.client("rds").generate_db_auth_token(cluster["Endpoint"], cluster["Port"], "clerk")


def test_a_database_login_by_token_is_judged_by_iam(bench: Workbench, with_clerk: dict[str, Any]) -> None:
    users = f"arn:aws:rds-db:{TARGET_REGION}:123456789012:dbuser:{with_clerk['DbClusterResourceId']}"
    allowed = bench.session(bench.role(connecting_as(f"{users}/clerk")))
    log_in(bench.cloud, with_clerk, "clerk", token_of(allowed, with_clerk)).close()

    forged = {**allowed, "aws_secret_access_key": "another-secret-access-key"}
    without_its_session = {name: value for name, value in allowed.items() if name != "aws_session_token"}
    others = (bench.role(), bench.role(connecting_as(f"{users}/somebody")))
    for credentials in (forged, without_its_session, *map(bench.session, others)):
        with pytest.raises(psycopg2.OperationalError, match='PAM authentication failed for user "clerk"'):
            log_in(bench.cloud, with_clerk, "clerk", token_of(credentials, with_clerk))


def connecting_as(resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "rds-db:connect", "Resource": resource}
