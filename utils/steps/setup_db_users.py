"""Step 8: replace the master password, then lock out, run scripts and checks, open, prove, and end the quarantine."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from pydantic import SecretStr

from utils.aws.rds_models import Cluster
from utils.cluster.bring_back.proving import prove_old_data
from utils.cluster.master_password import master_password, replace_master_password
from utils.cluster.ours import check_cluster_is_ours
from utils.cluster.quarantine import has_open_network, is_quarantined
from utils.cluster.restored import what_is_unready
from utils.database.access.script_login import ScriptWork, name_for
from utils.database.before_opening.scripts import ComeBack, Invocation, run_before_opening
from utils.database.health.amcheck import run_amcheck
from utils.database.health.finding import most_urgent
from utils.database.roles.profiles import Auth, DatabaseUser, users_of
from utils.database.server.connection import DatabaseServer, Login, Master
from utils.database.setup import SetupOutcome, password_of, set_up_users
from utils.errors import DatabaseLoginRefused, RestoreFailed
from utils.operation.model import CheckRecord, HealthRecord, Operation, ScriptRecord, UsersRecord, Verdict
from utils.request.mandatory import mandatory_of
from utils.runtime.contract import StepResult, StepStatus
from utils.runtime.services import Services
from utils.runtime.waiting import restore_phase
from utils.shortened import joined, shortened_proofs

_RESET_TAKES_AT_MOST = timedelta(minutes=15)
# The rights and the proof come after it in the same invocation.
_SECONDS_FOR_THE_REST = 300.0
_NEW_LOGIN = "the new master password"


def setup_db_users(operation: Operation, services: Services) -> StepResult:
    """Replace production's master password at the first call; work on the users when the new one is in force."""
    if operation.swap is not None and operation.swap.has_begun:
        return StepResult(status=StepStatus.SWAP_READY)
    if operation.bring_back is not None:
        return prove_old_data(operation, operation.bring_back, services)
    return _set_up(operation, services)


def _set_up(operation: Operation, services: Services) -> StepResult:
    # Also for a row that was written, or changed, without it.
    operation.request = mandatory_of(services.settings.mandatory_request).applied_to(operation.request)
    users = users_of(services.secrets.app_credentials(services.settings.app_secret_name), operation.request.user_limits)
    cluster = services.rds().find_cluster(operation.restored_cluster_id)
    if cluster is None or cluster.endpoint is None or cluster.port is None:
        return _not_shown(operation, services)
    if operation.restore is not None:
        operation.restore.missing_since = None
    check_cluster_is_ours(cluster, operation)
    record = operation.users_record()
    if record.finished_at is not None and is_quarantined(operation):
        return _opened(operation, cluster, record, services)
    if record.master_reset_at is None:
        replace_master_password(cluster, operation, services)
        record.master_reset_at = services.clock.now()
        services.operations.save(operation)
        return _wait(operation, record, services, _NEW_LOGIN)
    is_changing = what_is_unready(cluster, [], operation, services.clock.now())
    password = None if is_changing else master_password(cluster, operation, services)
    if password is None:
        return _wait(operation, record, services, _NEW_LOGIN)
    server = DatabaseServer(host=cluster.endpoint, port=cluster.port, tls=services.settings.tls)
    # A restore keeps the snapshot's master user name; the secret's is for people.
    master = Master(server=server, name=cluster.master_username, password=password)
    looked_at: list[HealthRecord] = []
    try:
        outcome = set_up_users(
            master,
            users,
            keep_logins=operation.request.keep_logins,
            close_outbound=operation.request.close_outbound,
            before_shutting_out=_remembering(record.shut_out, operation, services),
            before_disarming=_remembering(record.disarmed, operation, services),
            before_closing_outbound=_remembering(record.outbound, operation, services),
            after_shutting_out=partial(_end_exposure, operation, services),
            put_right=partial(_remember_health, operation, record, services),
            before_opening=_before_opening(master, operation, record, services, looked_at),
            login_secret=_login_secret(server, services),
        )
    except ComeBack:
        return _wait(operation, record, services, "the rest of post_restore_sql, checks and users")
    except DatabaseLoginRefused:
        # RDS may call the cluster available a moment before the new password is in force.
        if services.clock.now() - record.master_reset_at > _RESET_TAKES_AT_MOST:
            raise
        return _wait(operation, record, services, _NEW_LOGIN)
    _remember(record, outcome, looked_at)
    record.finished_at = services.clock.now()
    # What is proven stays so, also if the network cannot be opened at once.
    services.operations.save(operation)
    return _opened(operation, cluster, record, services)


def _opened(operation: Operation, cluster: Cluster, record: UsersRecord, services: Services) -> StepResult:
    """Let the target's own network in once all is proven, which is the last that is done to the cluster."""
    if not has_open_network(operation, cluster, services):
        waiting = _wait(operation, record, services, f"the security groups of {cluster.identifier}")
        services.operations.save(operation)
        return waiting
    services.operations.save(operation)
    return StepResult(
        status=StepStatus.SWAP_READY if operation.is_swap else StepStatus.READY,
        details={
            "proofs": record.proofs,
            "shut_out": record.shut_out,
            "kept": record.kept,
            "unknown_logins": record.unknown_logins,
            "left_to_aws": record.left_to_aws,
            "disarmed": record.disarmed,
            "outbound": record.outbound,
            "outbound_closed": record.outbound_closed,
            "scripts": [script.model_dump(exclude_none=True) for script in record.scripts],
            "checks": [check.model_dump() for check in record.checks],
            "health": [str(finding) for finding in record.health],
        },
    )


def _end_exposure(operation: Operation, services: Services) -> None:
    if operation.exposure.ended_at is None:
        # The clock is that of RDS's latest answer, and that one is from before they were shut out.
        services.rds().find_cluster(operation.restored_cluster_id)
        operation.exposure.ended_at = services.clock.now()
        services.operations.save(operation)


def _not_shown(operation: Operation, services: Services) -> StepResult:
    """Wait for what RDS does not show, as its answers may be late; raises `RestoreFailed` once they have settled."""
    target_id, now = operation.restored_cluster_id, services.clock.now()
    record = operation.restore_record(now)
    waiting = restore_phase(operation, now, since=record.missing_since or now).wait_until_shown(
        record,
        f"cluster {target_id} to be shown",
        otherwise=RestoreFailed(
            f"no endpoint of cluster {target_id}",
            expected="the restored cluster with its instances",
            action="look at the RDS events, find out who deleted it, then start a new run",
        ),
    )
    services.operations.save(operation)
    return waiting


def _remembering(known: list[str], operation: Operation, services: Services) -> Callable[[list[str]], None]:
    """Return what keeps names in the row before they go: a second call, after a failure, finds nothing left."""

    def remember(names: list[str]) -> None:
        if (now_known := joined(known, names)) != known:
            known[:] = now_known
            services.operations.save(operation)

    return remember


def _remember_health(
    operation: Operation, record: UsersRecord, services: Services, found: Sequence[HealthRecord]
) -> None:
    if (now_known := _with_earlier(record, *found)) != record.health:
        record.health = now_known
        services.operations.save(operation)


def _with_earlier(record: UsersRecord, *found: HealthRecord) -> list[HealthRecord]:
    """Return the findings, and what an earlier call has mended or closed: a later one finds nothing of it any more."""
    done = [each for each in record.health if each.verdict in {Verdict.MENDED, Verdict.CLOSED}]
    return most_urgent([*(each for each in done if each not in found), *found])


def _login_secret(server: DatabaseServer, services: Services) -> Callable[[DatabaseUser], SecretStr]:
    """Return what gives the proof what a user logs in with: its password, or a token for it."""

    def secret(user: DatabaseUser) -> SecretStr:
        if user.auth is Auth.IAM:
            return services.rds().login_token(server.host, server.port, user.name)
        return password_of(user)

    return secret


def _before_opening(
    master: Master, operation: Operation, record: UsersRecord, services: Services, looked_at: list[HealthRecord]
) -> ScriptWork | None:
    """Return what is to be done on the data while nobody can log in; each script is in the row once it ran."""
    scripts, checks = operation.request.post_restore_sql, operation.request.checks
    if not (scripts or checks or operation.request.health.amcheck):
        return None
    invocation = Invocation()

    def remember(script: ScriptRecord) -> None:
        record.scripts.append(script)
        services.operations.save(operation)

    def remember_checks(checks: list[CheckRecord]) -> None:
        record.checks = checks
        services.operations.save(operation)

    def run(login: Login) -> None:
        run_before_opening(
            master, login, operation.request, services.s3,
            done=tuple(record.scripts), remember=remember, remember_checks=remember_checks, invocation=invocation,
            of_the_operator=mandatory_of(services.settings.mandatory_request).checks,
        )  # fmt: skip
        wanted = operation.request.health
        seconds = min(wanted.amcheck_seconds, invocation.left() - _SECONDS_FOR_THE_REST)
        looked_at[:] = run_amcheck(master, wanted.amcheck, seconds)

    changed = {script.database for script in scripts}
    return ScriptWork(
        login=name_for(operation.operation_id),
        databases=sorted({*changed, *(check.database for check in checks)}),
        changed=changed,
        roles=[script.user for script in scripts if script.user],
        as_master=any(script.as_master for script in scripts),
        run=run,
    )


def _wait(operation: Operation, record: UsersRecord, services: Services, waiting_for: str) -> StepResult:
    now = services.clock.now()
    return restore_phase(operation, now, since=record.master_reset_at or now).wait(waiting_for)


def _remember(record: UsersRecord, outcome: SetupOutcome, looked_at: Sequence[HealthRecord]) -> None:
    record.databases, record.proofs = joined([], outcome.databases), shortened_proofs(outcome.proofs)
    record.shut_out = joined(record.shut_out, outcome.shut_out)
    record.disarmed = joined(record.disarmed, outcome.disarmed)
    record.outbound = joined(record.outbound, outcome.outbound)
    record.kept, record.unknown_logins = outcome.kept, outcome.unknown_logins
    record.left_to_aws = joined([], outcome.left_to_aws)
    record.outbound_closed, record.health = outcome.outbound_closed, _with_earlier(record, *outcome.health, *looked_at)
