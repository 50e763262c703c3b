"""What is restored, in whichever way the request asks for it."""

from datetime import datetime
from functools import partial

from utils import tags
from utils.operation.planned import Identifiers
from utils.plan import guards
from utils.plan.kept import kept_and_pruned, taken_for
from utils.plan.source.fresh_snapshot import snapshot_to_take
from utils.plan.source.point_in_time import choose_moment
from utils.plan.source.snapshot_choice import Choice, choose_snapshot
from utils.preflight.looks import Preflight
from utils.request.model import RestoreRequest
from utils.request.source import NEW
from utils.restore_type import RestoreType
from utils.runtime.services import Services
from utils.settings import Settings


def choose(operation_id: str, request: RestoreRequest, now: datetime, services: Services) -> Choice:
    """Pick the source snapshot, the one to be taken, or the source cluster itself; raises the snapshot errors."""
    settings, source = services.settings, request.source
    if source.restore_type is not RestoreType.SNAPSHOT:
        return Choice(snapshot=choose_moment(source, services.rds(), settings, now))
    there = services.rds(source.region)
    if source.snapshot == NEW:
        return Choice(snapshot=snapshot_to_take(request, operation_id, there, settings, now))
    return choose_snapshot(source, there, settings)


def look_at_new_name(
    preflight: Preflight, request: RestoreRequest, snapshot_id: str, operation_id: str, services: Services
) -> None:
    """Refuse a name for the snapshot to be taken that another one has."""
    if request.source.snapshot == NEW:
        there = services.rds(request.source.region)
        preflight.look(
            "name of the new snapshot", partial(guards.check_snapshot_name, there, snapshot_id, operation_id)
        )


def takes_one_here(request: RestoreRequest, settings: Settings) -> bool:
    """Tell whether the snapshot that the run takes counts in the target Region."""
    return request.source.snapshot == NEW and request.source.region == settings.target_region


def new_ones_pruned(request: RestoreRequest, names: Identifiers, services: Services) -> list[str]:
    """Name the snapshots that earlier runs took and that will be more than are kept."""
    if request.source.snapshot != NEW:
        return []
    there = taken_for(services.rds(request.source.region).manual_snapshots(), services.settings.target_region)
    keep, target_id = request.keep_new_snapshots, names.target_cluster_id
    return kept_and_pruned(there, tags.Role.SOURCE, target_id, keep=keep, is_new_one=True)[1]
