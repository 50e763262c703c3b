"""The table of questions to people: what an approver needs to let a run go on. Functions may only put items."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from utils.aws.table import TableGateway

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_KEPT_AFTERWARDS = timedelta(days=1)


class Approvals(Protocol):
    """Where questions go; `DynamoDbApprovals` in AWS, an in-memory twin in the tests."""

    def ask(self, operation_id: str, task_token: str, target_cluster_id: str, expires_at: datetime) -> None:
        """Write the question; one that is asked again replaces the first, whose token is void."""


class DynamoDbApprovals:
    """`Approvals` over the table `aurora-restore-approvals`."""

    def __init__(self, table: "Table") -> None:
        self._table = TableGateway(table)

    def ask(self, operation_id: str, task_token: str, target_cluster_id: str, expires_at: datetime) -> None:
        """Put the item; DynamoDB removes it when nobody can answer any more."""
        self._table.put_always(
            {
                "operation_id": operation_id,
                "task_token": task_token,
                "target_cluster_id": target_cluster_id,
                "expires_at": expires_at.isoformat(),
                "ttl": int((expires_at + _KEPT_AFTERWARDS).timestamp()),
            }
        )
