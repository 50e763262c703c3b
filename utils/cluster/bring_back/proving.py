"""The old data under the target's name again: nothing in it is changed, and who can log in is tried."""

from pydantic import SecretStr

from utils.cluster.master_password import master_password, replace_master_password
from utils.cluster.ours import check_cluster_is_ours
from utils.cluster.restored import what_is_unready
from utils.database.roles.profiles import Auth, DatabaseUser, users_of
from utils.database.server.connection import FIRST_DATABASE, DatabaseServer, logged_in
from utils.database.setup import password_of
from utils.errors import DatabaseChangeRefused, DatabaseLoginRefused, DatabaseUnavailable
from utils.operation.model import Operation
from utils.operation.records import BringBackRecord
from utils.operation.wanted import wanted_settings
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.failure import as_caught
from utils.runtime.services import Services
from utils.runtime.waiting import has_settled, restore_phase


def prove_old_data(operation: Operation, record: BringBackRecord, services: Services) -> StepResult:
    """Answer BROUGHT_BACK once the server answers logins; raises `DatabaseNotTrusted`, `PhaseTimedOut`.

    The data has its own users and passwords. A password of the secrets that it does not know is told, and no failure.
    """
    if record.finished_at is None:
        waiting_for = _next(operation, record, services)
        if waiting_for:
            waiting = restore_phase(operation, services.clock.now()).wait(waiting_for)
            services.operations.save(operation)
            return waiting
        record.finished_at = services.clock.now()
        services.operations.save(operation)
    return StepResult(status=StepStatus.BROUGHT_BACK, details=as_caught(record.because) | _logins(record))


def _next(operation: Operation, record: BringBackRecord, services: Services) -> str:
    """Say what to wait for; nothing once all that can log in has done so."""
    now = services.clock.now()
    cluster = services.rds().find_cluster(operation.identifiers.target_cluster_id)
    if cluster is None or cluster.endpoint is None or cluster.port is None:
        return f"cluster {operation.identifiers.target_cluster_id} to be shown"
    check_cluster_is_ours(cluster, operation)
    is_managed = wanted_settings(operation).manage_master_user_password
    if is_managed and record.master_managed_at is None:
        # The secret of the deleted cluster went with it: nobody knows the password that the data has.
        replace_master_password(cluster, operation, services)
        record.master_managed_at = now
        return "the master password that RDS makes"
    changing = what_is_unready(cluster, [], operation, now)
    master = None if changing else master_password(cluster, operation, services)
    if master is None:
        return ", ".join(changing) or "the master password that RDS makes"
    server = DatabaseServer(host=cluster.endpoint, port=cluster.port, tls=services.settings.tls)
    credentials = services.secrets.app_credentials(services.settings.app_secret_name)
    logins = {cluster.master_username: master}
    logins |= {user.name: _secret(user, server, services) for user in users_of(credentials)}
    try:
        record.logins = [name for name, secret in logins.items() if _logs_in(server, name, secret)]
    except DatabaseUnavailable:
        return f"a login to {cluster.identifier}"
    record.refused = [name for name in logins if name not in record.logins]
    is_early = record.master_managed_at is not None and not has_settled(record.master_managed_at, now)
    if is_managed and is_early and cluster.master_username in record.refused:
        return "the master password that RDS has made"
    return ""


def _secret(user: DatabaseUser, server: DatabaseServer, services: Services) -> SecretStr:
    if user.auth is Auth.IAM:
        return services.rds().login_token(server.host, server.port, user.name)
    return password_of(user)


def _logs_in(server: DatabaseServer, name: str, secret: SecretStr) -> bool:
    try:
        with logged_in(server, FIRST_DATABASE, name, secret) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseLoginRefused, DatabaseChangeRefused):
        return False
    return True


def _logins(record: BringBackRecord) -> dict[str, list[str]]:
    return {"logins": record.logins, "refused": record.refused}
