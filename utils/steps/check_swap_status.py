"""Look once at the exchange of names, and prove the new cluster under the target's name."""

from utils.aws.rds_models import Cluster
from utils.cluster.instance_names import unfinished_instances
from utils.cluster.retirement import begin_retirements
from utils.cluster.switch import Places, at_rest, note_switch, places
from utils.database.roles.profiles import Auth, users_of
from utils.database.server.answer import answers, leads_to
from utils.database.server.connection import FIRST_DATABASE, DatabaseServer, logged_in
from utils.database.setup import password_of
from utils.errors import DatabaseLoginRefused, DatabaseNotTrusted, DatabaseUnavailable
from utils.operation.model import Operation
from utils.operation.records import SwapRecord
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import restore_phase, swap_wait


def check_swap_status(operation: Operation, services: Services) -> StepResult:
    """Answer IN_PROGRESS, SWAP_AGAIN (the next move), or READY; raises `DatabaseNotTrusted`, `PhaseTimedOut`."""
    where = places(operation, services)
    record = operation.swap_record(services.clock.now())
    if where.has_old:
        _note_old_answer(where.old, record, services)
    elif not where.has_new:
        record.outage.note_silence(services.clock.now(), services.clock.now())
    if where.has_new and where.new is not None:
        note_switch(operation, record, services)
        waiting_for = _look_at_new(operation, where, where.new, record, services)
    else:
        waiting_for = ", ".join(where.changing)
    if record.finished_at is not None:
        services.operations.save(operation)
        retirements = begin_retirements(operation, services)
        return StepResult(
            status=StepStatus.READY,
            details={"endpoint": operation.restore.endpoint if operation.restore else None, "old": where.names.aside}
            | {
                "outage_seconds": record.outage_seconds,
                "outage_uncertainty_seconds": record.outage_uncertainty_seconds,
                "retirements": retirements,
            },
        )
    phase = restore_phase(operation, services.clock.now(), since=record.started_at)
    waiting = phase.wait(waiting_for or "the next rename")
    services.operations.save(operation)
    waiting = swap_wait(waiting, services.clock.now(), record.latest_move_at)
    return waiting if waiting_for else waiting.model_copy(update={"status": StepStatus.SWAP_AGAIN})


def _note_old_answer(old: Cluster | None, record: SwapRecord, services: Services) -> None:
    """Keep when the name last answered, which it does until the rename has taken effect."""
    if record.begun_at and old and old.endpoint and old.port:
        looked_at = services.clock.now()
        note = record.outage.note_answer if _answers(old, services) else record.outage.note_silence
        note(looked_at, services.clock.now())


def _answers(cluster: Cluster, services: Services) -> bool:
    if not cluster.endpoint or not cluster.port:
        return False
    return answers(DatabaseServer(host=cluster.endpoint, port=cluster.port, tls=services.settings.tls))


def _look_at_new(operation: Operation, where: Places, new: Cluster, record: SwapRecord, services: Services) -> str:
    """Say what to wait for; nothing when it is Swap Clusters' turn."""
    if record.restart and new.status == "stopped":
        return ""
    if not at_rest(new):
        return f"{new.identifier} ({new.status})"
    if record.restart == "stop":
        return ""
    if record.first_answer_at is None:
        return _first_answer(operation, new, record, services)
    unfinished = unfinished_instances(where, services)
    is_proven = record.writer_renamed_at is None or record.writer_answered_at is not None
    if not is_proven:
        # It may be back long before RDS calls all instances available.
        is_proven = _look_at_restart(operation, new, record, services, is_over=not unfinished)
    if unfinished:
        return ", ".join(unfinished) if _are_changing(unfinished) else ""
    if not is_proven:
        return f"a login to {new.identifier} after its restart"
    if record.writer_renamed_at is not None and record.writer_answered_at is None:
        record.writer_answered_at = services.clock.now()
        record.outage.end_restart()
    _finish(operation, new, record, services)
    return ""


def _look_at_restart(
    operation: Operation, new: Cluster, record: SwapRecord, services: Services, *, is_over: bool
) -> bool:
    """Note whether the new writer answers while it is restarted for its name; tell whether it is proven."""
    is_asked_for_login = is_over or record.outage.silent_since is not None
    looked_at = services.clock.now()
    # Short of a login: until it is gone, it is the one that was proven already.
    there = _is_proven(operation, new, record, services) if is_asked_for_login else _answers(new, services)
    (record.outage.note_answer if there else record.outage.note_silence)(looked_at, services.clock.now())
    return there and is_asked_for_login


def _are_changing(unfinished: list[str]) -> bool:
    return any(not item.endswith("(available)") for item in unfinished)


def _first_answer(operation: Operation, new: Cluster, record: SwapRecord, services: Services) -> str:
    looked_at = services.clock.now()
    if _is_proven(operation, new, record, services):
        record.first_answer_at, record.restart = services.clock.now(), ""
        record.outage.note_answer(looked_at, services.clock.now())
        return ""
    record.outage.note_silence(looked_at, services.clock.now())
    return "" if record.restart == "stop" else f"a login to {new.identifier}"


def _is_proven(operation: Operation, cluster: Cluster, record: SwapRecord, services: Services) -> bool:
    """Log in under the target's name as one of the users; False while nobody answers or the name leads elsewhere."""
    if not cluster.endpoint or not cluster.port or not _leads_to_writer(cluster, services):
        return False
    credentials = services.secrets.app_credentials(services.settings.app_secret_name)
    users = users_of(credentials, operation.request.user_limits)
    user = next((user for user in users if user.auth is not Auth.IAM), users[0])
    server = DatabaseServer(host=cluster.endpoint, port=cluster.port, tls=services.settings.tls)
    secret = (
        services.rds().login_token(server.host, server.port, user.name) if user.auth is Auth.IAM else password_of(user)
    )
    databases = operation.users.databases if operation.users else [FIRST_DATABASE]
    try:
        with logged_in(server, databases[0], user.name, secret) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseUnavailable:
        return False
    except DatabaseLoginRefused:
        # Who has a token has no right here to log in with it: that the server refuses it is its answer.
        # Nor does an undo know the users of the former cluster.
        if user.auth is not Auth.IAM and operation.undoes is None:
            raise
    except DatabaseNotTrusted:
        if record.restarted_at is not None:
            raise
        record.restart = "stop"
        return False
    # The clock is that of RDS's latest answer, and that one is from before the login.
    services.rds().find_cluster(cluster.identifier)
    return True


def _leads_to_writer(cluster: Cluster, services: Services) -> bool:
    """Tell whether the endpoint's name has reached the new writer; for a while it may still lead to the old one."""
    writer = services.rds().find_instance(cluster.writer_id) if cluster.writer_id else None
    return bool(writer and writer.endpoint and cluster.endpoint and leads_to(cluster.endpoint, writer.endpoint))


def _finish(operation: Operation, new: Cluster, record: SwapRecord, services: Services) -> None:
    record.finished_at = services.clock.now()
    if operation.restore is not None:
        operation.restore.cluster_arn = new.arn
        operation.restore.endpoint, operation.restore.port = new.endpoint, new.port
        operation.restore.instance_ids = sorted(operation.identifiers.instance_ids)
