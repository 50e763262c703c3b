"""What no restore takes of the settings: asked for once the cluster and its members are there, as often as needed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from utils.aws.rds_models import Cluster, Instance
from utils.aws.target.to_api import changes_after_restore
from utils.aws.target.whole import settings_of
from utils.cluster.target_record import settings_before
from utils.cluster_settings.comparison import Comparison, compare
from utils.errors import PermanentError, ResourceBusy, RestoreFailed
from utils.operation.model import Operation
from utils.runtime.services import Services

# RDS may take some time to show what it took; after so many requests it will not any more.
_MOST_REQUESTS = 3
# The last of all: what protects the cluster would keep the pipeline from removing what it left half-done.
_LAST = "deletion_protection"
_LONGEST_REFUSAL = 400


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A setting that is not as wanted yet, and how to ask for it."""

    name: str
    ask: Callable[[], None]


def unfinished_settings(operation: Operation, cluster: Cluster, services: Services) -> list[Piece]:
    """Name what is still to be asked for, in the order that RDS accepts; nothing that was refused for good."""
    record = operation.restore_record(services.clock.now()).settings
    pieces = [piece for piece in _pieces(operation, cluster, services) if piece.name not in record.refused]
    return sorted(pieces, key=lambda piece: piece.name == _LAST)


def finish_settings(operation: Operation, cluster: Cluster, services: Services) -> None:
    """Ask for what is missing; what AWS refuses for good is kept with its words, and told at the end."""
    record = operation.restore_record(services.clock.now()).settings
    for piece in unfinished_settings(operation, cluster, services):
        if record.requested.get(piece.name, 0) >= _MOST_REQUESTS:
            record.refused[piece.name] = "RDS took the request and does not show the change"
            continue
        record.requested[piece.name] = record.requested.get(piece.name, 0) + 1
        try:
            piece.ask()
        except ResourceBusy:
            # Another change is under way; the next look asks again.
            record.requested[piece.name] -= 1
            break
        except PermanentError as refused:
            record.refused[piece.name] = str(refused)[:_LONGEST_REFUSAL]


def compared(operation: Operation, cluster: Cluster, members: Sequence[Instance], services: Services) -> Comparison:
    """Hold what came out against the plan; raises `RestoreFailed` for what would not be safe to open."""
    plan, before = operation.plan, settings_before(operation, services)
    # Who keeps the master's password is settled, and proven, by the next step.
    now = settings_of(cluster, members).model_copy(
        update={"manage_master_user_password": plan.settings.manage_master_user_password}
    )
    found = compare(before, plan.settings, now, plan.origins, plan.not_put_back)
    if found.unsafe:
        raise RestoreFailed(
            f"{cluster.identifier} with {'; '.join(map(str, found.unsafe))}",
            expected="what the plan says, before anybody is let in",
            action="find out who or what changed it (the RDS events, CloudTrail), set it as planned, then resume the "
            "operation",
        )
    return found


def _pieces(operation: Operation, cluster: Cluster, services: Services) -> Iterator[Piece]:
    wanted = operation.plan.settings
    writer, name = services.rds_writer, cluster.identifier
    if wanted.data_api and not cluster.settings.data_api:
        yield Piece(name="data_api", ask=lambda: writer.enable_data_api(cluster.arn))
    for setting, change in changes_after_restore(wanted, cluster.settings).items():
        yield Piece(name=setting, ask=partial(writer.change_cluster, name, change))
