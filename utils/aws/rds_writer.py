"""The changes the pipeline makes in RDS, all in the target Region.

Creating what exists and deleting what is gone are not errors here: the caller looks afterwards, and judges by tags
whether what exists is its own.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from utils.aws.calls import aws_call, error_code
from utils.aws.rds_reader import ENGINE, RdsReader
from utils.aws.target import to_api
from utils.aws.target.to_api import given, tag_list
from utils.cluster_settings.model import Member, TargetSettings
from utils.errors import AccessDenied, ResourceBusy, SnapshotNotFound
from utils.restore_type import RestoreType
from utils.tags import Ownership

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_rds.client import RDSClient
    from mypy_boto3_rds.type_defs import (
        CopyDBClusterSnapshotMessageTypeDef,
        RestoreDBClusterFromSnapshotMessageTypeDef,
    )


class RdsWriter:
    """The changing calls of RDS in the target Region; every method raises the errors of `utils.errors` only."""

    def __init__(self, client: "RDSClient", ownership: Ownership | None = None) -> None:
        self._client, self._own = client, (ownership or Ownership()).written

    def copy_snapshot(self, source_arn: str, copy_id: str, *, kms_key_id: str | None, tags: Mapping[str, str]) -> None:
        """Start the copy of a snapshot into this Region and account."""
        # No SourceRegion: with it botocore sends a presigned URL, which only GovCloud needs.
        params: CopyDBClusterSnapshotMessageTypeDef = {
            "SourceDBClusterSnapshotIdentifier": source_arn,
            "TargetDBClusterSnapshotIdentifier": copy_id,
            "Tags": tag_list(self._own(tags)),
        }
        with (
            _passing("rds:CopyDBClusterSnapshot", "DBClusterSnapshotAlreadyExistsFault"),
            _of_what_is_there(source_arn),
        ):
            self._client.copy_db_cluster_snapshot(**params, **given(KmsKeyId=kms_key_id))

    def create_snapshot(self, cluster_id: str, snapshot_id: str, *, tags: Mapping[str, str]) -> None:
        """Start a manual snapshot of a cluster."""
        with _passing("rds:CreateDBClusterSnapshot", "DBClusterSnapshotAlreadyExistsFault"):
            self._client.create_db_cluster_snapshot(
                DBClusterIdentifier=cluster_id, DBClusterSnapshotIdentifier=snapshot_id, Tags=tag_list(self._own(tags))
            )

    def delete_snapshot(self, snapshot_id: str) -> None:
        """Delete a manual snapshot."""
        with self._done_if_gone(
            "rds:DeleteDBClusterSnapshot", "DBClusterSnapshotNotFoundFault", lambda rds: rds.find_snapshot(snapshot_id)
        ):
            self._client.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=snapshot_id)

    def start_cluster(self, cluster_id: str) -> None:
        """Start a stopped cluster with its instances."""
        with aws_call("rds:StartDBCluster"):
            self._client.start_db_cluster(DBClusterIdentifier=cluster_id)

    def set_deletion_protection(self, cluster_id: str, *, on: bool) -> None:
        """Switch a cluster's deletion protection; RDS does so at once. What is gone needs none taken off."""
        name = "rds:ModifyDBCluster"
        with aws_call(name) if on else self._done_if_cluster_is_gone(name, cluster_id):
            self._client.modify_db_cluster(DBClusterIdentifier=cluster_id, DeletionProtection=on, ApplyImmediately=True)

    def delete_instance(self, instance_id: str) -> None:
        """Delete a member of a cluster; the data is the cluster's and stays."""
        with self._done_if_instance_is_gone("rds:DeleteDBInstance", instance_id):
            self._client.delete_db_instance(DBInstanceIdentifier=instance_id, SkipFinalSnapshot=True)

    def delete_cluster(self, cluster_id: str) -> None:
        """Delete a cluster without a snapshot: the final snapshot has been taken and seen before this call."""
        with self._done_if_cluster_is_gone("rds:DeleteDBCluster", cluster_id):
            self._client.delete_db_cluster(DBClusterIdentifier=cluster_id, SkipFinalSnapshot=True)

    def restore_cluster(
        self, cluster_id: str, snapshot: str, settings: TargetSettings, *, tags: Mapping[str, str]
    ) -> str | None:
        """Restore a cluster, without instances, from a snapshot (id or ARN); its resource id, None if it is there.

        What no restore takes is changed afterwards (`changes_after_restore`).
        """
        params: RestoreDBClusterFromSnapshotMessageTypeDef = {
            "DBClusterIdentifier": cluster_id,
            "SnapshotIdentifier": snapshot,
            "Engine": ENGINE,
        }
        with _passing("rds:RestoreDBClusterFromSnapshot", "DBClusterAlreadyExistsFault"):
            wanted = to_api.restore_parameters(settings, self._own(tags))
            return self._client.restore_db_cluster_from_snapshot(**params, **wanted)["DBCluster"]["DbClusterResourceId"]
        return None

    def restore_to_point_in_time(
        self,
        cluster_id: str,
        source_id: str,
        restore_type: RestoreType,
        moment: datetime | None,
        settings: TargetSettings,
        *,
        tags: Mapping[str, str],
    ) -> str | None:
        """Restore a cluster, without instances, as another one was at a moment, the latest if None; as above."""
        when: dict[str, Any] = {"RestoreToTime": moment} if moment else {"UseLatestRestorableTime": True}
        with _passing("rds:RestoreDBClusterToPointInTime", "DBClusterAlreadyExistsFault"):
            answer = self._client.restore_db_cluster_to_point_in_time(
                DBClusterIdentifier=cluster_id,
                SourceDBClusterIdentifier=source_id,
                RestoreType=restore_type.value,
                **when,
                **to_api.point_in_time_parameters(settings, self._own(tags)),
            )
            return answer["DBCluster"]["DbClusterResourceId"]
        return None

    def create_instance(self, cluster_id: str, member: Member, *, tags: Mapping[str, str]) -> None:
        """Create a member of a cluster; the first one becomes the writer."""
        fixed: dict[str, Any] = {"Engine": ENGINE, "DBClusterIdentifier": cluster_id}
        with _passing("rds:CreateDBInstance", "DBInstanceAlreadyExists"):
            self._client.create_db_instance(**fixed, **to_api.member_parameters(member, self._own(tags)))

    def change_cluster(self, cluster_id: str, changes: Mapping[str, Any]) -> None:
        """Change settings of a cluster, at once."""
        with aws_call("rds:ModifyDBCluster"):
            self._client.modify_db_cluster(DBClusterIdentifier=cluster_id, ApplyImmediately=True, **changes)

    def rename_cluster(self, cluster_id: str, new_id: str) -> None:
        """Give a cluster another name; it is `renaming` for a while, and its endpoints change with it."""
        with (
            self._done_if_cluster_is_gone("rds:ModifyDBCluster", cluster_id),
            _busy_while_taken("DBClusterAlreadyExistsFault", new_id),
        ):
            self._client.modify_db_cluster(
                DBClusterIdentifier=cluster_id, NewDBClusterIdentifier=new_id, ApplyImmediately=True
            )

    def rename_instance(self, instance_id: str, new_id: str) -> None:
        """Give an instance another name, for which RDS restarts it."""
        with (
            self._done_if_instance_is_gone("rds:ModifyDBInstance", instance_id),
            _busy_while_taken("DBInstanceAlreadyExists", new_id),
        ):
            self._client.modify_db_instance(
                DBInstanceIdentifier=instance_id, NewDBInstanceIdentifier=new_id, ApplyImmediately=True
            )

    def stop_cluster(self, cluster_id: str) -> None:
        """Stop a cluster with its instances."""
        with aws_call("rds:StopDBCluster"):
            self._client.stop_db_cluster(DBClusterIdentifier=cluster_id)

    def enable_data_api(self, cluster_arn: str) -> None:
        """Switch the RDS Data API on."""
        with aws_call("rds:EnableHttpEndpoint"):
            self._client.enable_http_endpoint(ResourceArn=cluster_arn)

    def reset_master_password(self, cluster_id: str, password: str) -> None:
        """Set the master user's password; the cluster is `resetting-master-credentials` for a while."""
        with aws_call("rds:ModifyDBCluster"):
            self._client.modify_db_cluster(
                DBClusterIdentifier=cluster_id, MasterUserPassword=password, ApplyImmediately=True
            )

    def let_rds_manage_master_password(self, cluster_id: str, kms_key_id: str) -> None:
        """Let RDS make the master user's password, and keep it in a secret under this key."""
        with aws_call("rds:ModifyDBCluster"):
            self._client.modify_db_cluster(
                DBClusterIdentifier=cluster_id,
                ManageMasterUserPassword=True,
                MasterUserSecretKmsKeyId=kms_key_id,
                ApplyImmediately=True,
            )

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags to a resource, or change their values."""
        with aws_call("rds:AddTagsToResource"):
            self._client.add_tags_to_resource(ResourceName=arn, Tags=tag_list(self._own(tags)))

    def _done_if_cluster_is_gone(self, name: str, cluster_id: str) -> AbstractContextManager[None]:
        return self._done_if_gone(name, "DBClusterNotFoundFault", lambda rds: rds.find_cluster(cluster_id))

    def _done_if_instance_is_gone(self, name: str, instance_id: str) -> AbstractContextManager[None]:
        return self._done_if_gone(name, "DBInstanceNotFound", lambda rds: rds.find_instance(instance_id))

    @contextmanager
    def _done_if_gone(self, name: str, gone: str, find: Callable[[RdsReader], object]) -> "Iterator[None]":
        """Make the call; take it as done when nothing is there any more, which the error code `gone` says too.

        The functions' roles ask for a tag of what they delete, and what is gone has none: IAM refuses the second
        attempt of a deletion whose first answer was lost, and what another invocation of a step does too late.
        """
        try:
            with _passing(name, gone):
                yield
        except AccessDenied:
            if find(RdsReader(self._client)) is not None:
                raise


@contextmanager
def _passing(name: str, already_done: str) -> "Iterator[None]":
    """Make the call; the error code `already_done` means that an earlier call took effect."""
    with aws_call(name):
        try:
            yield
        except ClientError as error:
            if error_code(error) != already_done:
                raise


@contextmanager
def _busy_while_taken(code: str, new_id: str) -> "Iterator[None]":
    """Take a name that is taken as one that RDS has not given free yet."""
    try:
        yield
    except ClientError as error:
        if error_code(error) != code:
            raise
        raise ResourceBusy(
            f"the name {new_id} in use", expected="it to be free in a moment", action="nothing, it is asked for again"
        ) from None


@contextmanager
def _of_what_is_there(source_arn: str) -> "Iterator[None]":
    """Name the source snapshot when RDS does not find it, which its answer does not."""
    try:
        yield
    except ClientError as error:
        if error_code(error) != "DBClusterSnapshotNotFoundFault":
            raise
        raise SnapshotNotFound(
            f"no snapshot {source_arn}",
            expected="the source snapshot that the run picked, which expired or was deleted since",
            action="start a new run, which picks another snapshot",
        ) from None
