"""What no restore takes of the settings: asked for once the cluster and its members are there, as often as needed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from utils.aws.rds_models import Cluster, Instance
from utils.aws.target.to_api import changes_after_restore
from utils.aws.target.whole import settings_of
from utils.cluster.beside import as_planned, planned_settings
from utils.cluster.quarantine import is_quarantined
from utils.cluster.target_record import settings_before
from utils.cluster_settings.comparison import Comparison, compare
from utils.cluster_settings.model import TargetSettings
from utils.errors import PermanentError, ResourceBusy, RestoreFailed
from utils.operation.model import Operation
from utils.operation.wanted import not_put_back, wanted_settings
from utils.runtime.services import Services

# RDS may take some time to show what it took; after so many requests it will not any more.
_MOST_REQUESTS = 3
# The last of all: what protects the cluster would keep the pipeline from removing what it left half-done.
_LAST = "deletion_protection"


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
            record.keep_refusal(piece.name, refused)


def compared(operation: Operation, cluster: Cluster, members: Sequence[Instance], services: Services) -> Comparison:
    """Hold what came out against the plan; raises `RestoreFailed` for what would not be safe to open."""
    plan, before = operation.plan, settings_before(operation, services)
    wanted = planned_settings(operation)
    # Who keeps the master's password is settled, and proven, by the next step.
    found_there = attached_now(wanted, cluster, services)
    if cluster.settings.cluster_parameter_group:
        found_there["tls_parameters"] = services.offers.tls_parameters(cluster.settings.cluster_parameter_group)
    now = settings_of(cluster, members, found_there).model_copy(
        update={"manage_master_user_password": wanted_settings(operation).manage_master_user_password}
    )
    found = compare(before, wanted, as_planned(operation, now), plan.origins, not_put_back(operation))
    if found.unsafe:
        raise RestoreFailed(
            f"{cluster.identifier} with {'; '.join(map(str, found.unsafe))}",
            expected="what the plan says, before anybody is let in",
            action="find out who or what changed it (the RDS events, CloudTrail), set it as planned, then resume the "
            "operation, or start a new run",
        )
    return found


def _pieces(operation: Operation, cluster: Cluster, services: Services) -> Iterator[Piece]:
    wanted = planned_settings(operation)
    writer, name = services.rds_writer, cluster.identifier
    # It asks no security group: of a cluster in quarantine it is a door, and comes with the open network.
    if wanted.data_api and not cluster.settings.data_api and not is_quarantined(operation):
        yield Piece(name="data_api", ask=lambda: writer.enable_data_api(cluster.arn))
    yield from _attached_pieces(operation, cluster, services)
    for setting, change in changes_after_restore(wanted, cluster.settings).items():
        yield Piece(name=setting, ask=partial(writer.change_cluster, name, change))


def attached_now(wanted: TargetSettings, cluster: Cluster, services: Services) -> dict[str, Any]:
    """Describe what hangs on the cluster, as far as any of it is wanted."""
    names = [member.identifier for member in wanted.members]
    return services.attached.everything(cluster.identifier, names, lambda setting: bool(getattr(wanted, setting)))


def _attached_pieces(operation: Operation, cluster: Cluster, services: Services) -> Iterator[Piece]:
    wanted, writer, name = planned_settings(operation), services.attached_writer, cluster.identifier
    there = attached_now(wanted, cluster, services)
    known = {endpoint.identifier for endpoint in there.get("custom_endpoints", [])}
    for endpoint in wanted.custom_endpoints or []:
        if endpoint.identifier not in known:
            ask = partial(writer.create_endpoint, name, endpoint)
            yield Piece(name=f"custom_endpoints.{endpoint.identifier}", ask=ask)
    if wanted.reader_scaling and wanted.reader_scaling != there.get("reader_scaling"):
        yield Piece(name="reader_scaling", ask=partial(writer.scale_readers, name, wanted.reader_scaling))
    for proxy in wanted.proxies or []:
        if proxy not in there.get("proxies", []):
            yield Piece(name=f"proxies.{proxy.proxy}", ask=partial(writer.register_proxy, name, proxy))
    subscribed = {item.name: set(item.source_ids) for item in there.get("event_subscriptions", [])}
    for item in wanted.event_subscriptions or []:
        for source in sorted(set(item.source_ids) - subscribed.get(item.name, set())):
            yield Piece(
                name=f"event_subscriptions.{item.name}.{source}", ask=partial(writer.subscribe, item.name, source)
            )
