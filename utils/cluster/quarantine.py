"""Quarantine: until everything is proven, the restored cluster's network lets in the function and nobody else.

Without it production's passwords can open the copy from its first instance on until they are shut out: its exposure.
"""

from collections.abc import Sequence
from datetime import datetime

from utils.aws.rds_models import Cluster, Instance
from utils.cluster_settings.comparison import Difference, Severity
from utils.cluster_settings.model import TargetSettings
from utils.errors import PermanentError, ResourceBusy
from utils.operation.model import Operation
from utils.operation.wanted import wanted_settings
from utils.runtime.services import Services

_CLOSED = {"creating"}


def is_quarantined(operation: Operation) -> bool:
    """Tell whether the cluster has, or is to get, the groups of the quarantine."""
    if operation.bring_back is not None:
        return False  # the old data, with the old users' passwords
    return bool(operation.plan.quarantine_group_ids) and operation.exposure.network_opened_at is None


def settings_to_restore_with(operation: Operation) -> TargetSettings:
    """Return the settings of the plan, with the groups of the quarantine in place of the target's.

    Also where an earlier cluster of the operation has left its quarantine: what is restored anew is as production.
    """
    if operation.bring_back is not None or not operation.plan.quarantine_group_ids:
        return wanted_settings(operation)
    return operation.plan.settings.model_copy(update={"security_group_ids": operation.plan.quarantine_group_ids})


def as_after_quarantine(operation: Operation, found: TargetSettings) -> TargetSettings:
    """Return what was found as it will be once the quarantine is over; other groups than its stay as they are."""
    if not is_quarantined(operation):
        return found
    if operation.plan.settings.data_api:
        found = found.model_copy(update={"data_api": True})
    if not _has(found.security_group_ids, operation.plan.quarantine_group_ids):
        return found
    return found.model_copy(update={"security_group_ids": operation.plan.settings.security_group_ids})


def note_exposure(operation: Operation, instances: Sequence[Instance], now: datetime) -> None:
    """Keep when an instance may have begun to answer: at the last look before one did."""
    record = operation.exposure
    if operation.bring_back is not None or operation.plan.quarantine_group_ids or record.since is not None:
        return
    if any(instance.status not in _CLOSED for instance in instances):
        record.since = record.closed_at or now
    else:
        record.closed_at = now


def has_open_network(operation: Operation, cluster: Cluster, services: Services) -> bool:
    """Give the cluster the target's security groups and its Data API, as the last change; True once that is done."""
    if not is_quarantined(operation):
        return True
    wanted = operation.plan.settings.security_group_ids or []
    if not _has(cluster.settings.security_group_ids, wanted):
        if cluster.status == "available":
            services.rds_writer.change_cluster(cluster.identifier, {"VpcSecurityGroupIds": wanted})
        return False
    if cluster.status != "available" or not _has_data_api(operation, cluster, services):
        return False
    operation.exposure.network_opened_at = services.clock.now()
    return True


def _has_data_api(operation: Operation, cluster: Cluster, services: Services) -> bool:
    """Switch the Data API on, which asks no security group; what AWS refuses for good is kept with its words."""
    if not operation.plan.settings.data_api or cluster.settings.data_api:
        return True
    record = operation.restore_record(services.clock.now()).settings
    try:
        services.rds_writer.enable_data_api(cluster.arn)
    except ResourceBusy:
        return False
    except PermanentError as refused:
        record.keep_refusal("data_api", refused)
        if record.comparison is not None:
            missed = Difference(path="data_api", wanted="True", found="False", severity=Severity.TOLD)
            record.comparison.differences.append(missed)
    return True


def _has(found: Sequence[str] | None, wanted: Sequence[str] | None) -> bool:
    return set(found or []) == set(wanted or [])
