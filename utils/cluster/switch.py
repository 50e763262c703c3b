"""The exchange of names: where both clusters are, and what they are called; the truth is what RDS shows."""

from dataclasses import dataclass

from utils.aws.rds_models import Cluster
from utils.errors import IdentifierTaken
from utils.operation.model import Operation
from utils.operation.planned import SwapNames
from utils.operation.records import SwapRecord
from utils.operation.restored_cluster import may_be_restored_by
from utils.runtime.services import Services

AVAILABLE = "available"
# Other changes may wait for a maintenance window.
_NEW_NAME = "DBClusterIdentifier"


@dataclass(frozen=True, kw_only=True)
class Places:
    """Both clusters of a swap; None for one that RDS does not show at the moment."""

    target_id: str
    names: SwapNames
    old: Cluster | None
    new: Cluster | None

    @property
    def has_old(self) -> bool:
        """Whether the old cluster has the target's name."""
        return self.old is not None and self.old.identifier == self.target_id

    @property
    def has_new(self) -> bool:
        """Whether the new cluster has the target's name."""
        return self.new is not None and self.new.identifier == self.target_id

    @property
    def changing(self) -> list[str]:
        """What is not shown, or not at rest."""
        shown = [f"{item.identifier} ({item.status})" for item in (self.old, self.new) if item and not at_rest(item)]
        hidden = [
            f"{what} to be shown"
            for what, item in (("the old cluster", self.old), ("the new one", self.new))
            if not item
        ]
        return [*shown, *hidden]


def at_rest(cluster: Cluster) -> bool:
    """Tell whether RDS would rename the cluster."""
    return cluster.status == AVAILABLE and _NEW_NAME not in cluster.pending_changes


def note_switch(operation: Operation, record: SwapRecord, services: Services) -> None:
    """Keep in the row that the new cluster has the target's name."""
    if record.switched_at is None:
        record.switched_at = services.clock.now()
        services.operations.save(operation)


def places(operation: Operation, services: Services) -> Places:
    """Look for both clusters under all their names; raises `IdentifierTaken` for another one under the target's."""
    names = operation.identifiers
    if names.swap is None:
        raise ValueError(f"operation {operation.operation_id} is no swap")
    rds = services.rds()
    at = {name: rds.find_cluster(name) for name in (names.target_cluster_id, names.swap.beside, names.swap.aside)}
    target, beside, aside = at.values()
    old = next((item for item in (target, aside) if item and _is_old(item, operation)), None)
    new = next((item for item in (target, beside) if item and _is_new(item, operation)), None)
    if target is not None and target not in (old, new):
        raise IdentifierTaken(
            f"cluster {target.identifier} with resource id {target.resource_id}",
            expected="no cluster of that name, or one of the two whose names are exchanged",
            action="find out who made it, rename or delete it, then resume the operation; it was not touched",
        )
    return Places(target_id=names.target_cluster_id, names=names.swap, old=old, new=new)


def _is_old(cluster: Cluster, operation: Operation) -> bool:
    return cluster.resource_id == operation.plan.old_target_resource_id


def _is_new(cluster: Cluster, operation: Operation) -> bool:
    names = operation.identifiers.swap
    if names is not None and names.new_resource_id is not None:
        return cluster.resource_id == names.new_resource_id
    return may_be_restored_by(cluster, operation) and not _is_old(cluster, operation)
