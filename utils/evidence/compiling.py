"""Puts the evidence of an operation together, from its row and its audit trail."""

from collections.abc import Sequence
from datetime import datetime

from utils.aws.clients import USER_AGENT
from utils.evidence.costs import costs_of
from utils.evidence.limits import deviations, not_tested
from utils.evidence.model import (
    Access,
    ApprovalEvidence,
    Evidence,
    Execution,
    NextSteps,
    Objective,
    Result,
    Settings,
    SourceEvidence,
    TargetEvidence,
    UserEvidence,
    Verdict,
)
from utils.evidence.timeline import hands_of, timeline_of
from utils.evidence.turns import brought_back_of, swap_of
from utils.operation.audit_log import AuditRow
from utils.operation.model import Operation, OperationStatus, UsersRecord
from utils.report.advice import Advice, advice_after
from utils.report.settings_diff import settings_diff
from utils.report.summary import Summary, summarise
from utils.restore_type import RestoreType

CALLER = (
    "Not known to the pipeline: Step Functions does not tell an execution who started it. CloudTrail's event "
    "StartExecution of the execution does; a schedule starts it with the role aurora-restore-schedule."
)
APPROVER = (
    "The name is what the approver's command said of itself, with credentials that may read the question and answer. "
    "CloudTrail's event SendTaskSuccess has the caller as AWS knew it; the pipeline cannot see that."
)
_RTO = "by RDS's clock, from picking the snapshot to open, proven users; the time in which a person was asked is in it"
_RPO = "age of the snapshot when the run picked it: what was written since is not in the copy"
_RPO_OF_A_CLUSTER = "from the moment that is in the copy to when RDS was asked for it: what was written since is not"
_RPO_OF_A_TIME = "from the moment that was asked for to when the run began: what was written since is not in the copy"


def evidence_of(operation: Operation, trail: Sequence[AuditRow], now: datetime) -> Evidence:
    """Return the evidence of an operation as it stands now."""
    summary, snapshot = summarise(operation), operation.snapshot
    objectives = operation.request.objectives
    rto = _objective(objectives.rto_hours, summary.seconds.get("total"), _RTO)
    rpo = _objective(objectives.rpo_hours, round(snapshot.age_hours * 3600), _how_old(operation))
    timeline = timeline_of(trail, operation.approval, now)
    return Evidence(
        made_by=USER_AGENT,
        made_at=now,
        operation_id=operation.operation_id,
        verdict=_verdict(operation, summary),
        started_at=operation.created_at,
        finished_at=operation.finished_at,
        source=_source(operation),
        target=_target(operation, summary),
        rto=rto,
        rpo=rpo,
        timeline=timeline,
        executions=_executions(operation),
        hands=hands_of(trail),
        caller=CALLER,
        approval=_approval(operation),
        plan=operation.plan.actions,
        preflight=operation.plan.checks,
        settings=_settings(operation, summary),
        access=_access(operation),
        swap=swap_of(operation),
        brought_back=brought_back_of(operation),
        databases=operation.users.databases if operation.users else [],
        scripts=summary.scripts,
        checks=summary.checks,
        health=summary.health,
        not_tested=not_tested(operation),
        deviations=deviations(operation, rto, rpo, timeline),
        costs=costs_of(operation, summary),
        next=_next_steps(operation, summary),
    )


def _how_old(operation: Operation) -> str:
    if operation.snapshot.restore_type is RestoreType.SNAPSHOT:
        return _RPO
    return _RPO_OF_A_CLUSTER if operation.snapshot.is_of_the_restore else _RPO_OF_A_TIME


def _verdict(operation: Operation, summary: Summary) -> Verdict:
    target, source = summary.target_cluster_id, summary.source_cluster_id
    as_of = f"{summary.snapshot_created_at:%Y-%m-%d %H:%M} UTC"
    result, sentence = Result.RESTORED, f"{target} was restored from {source} as of {as_of}; its users are proven."
    if operation.request.dry_run and operation.status is OperationStatus.SUCCEEDED:
        result, sentence = Result.PLANNED, f"A restore of {target} from {source} was planned; nothing was changed."
    elif operation.undoes is not None and operation.status is OperationStatus.SUCCEEDED:
        result, sentence = (
            Result.UNDONE,
            f"{target} is its former cluster again: the swap of {operation.undoes} is undone.",
        )
    elif operation.status is not OperationStatus.SUCCEEDED:
        why = f": {operation.error.name} at {operation.error.step}" if operation.error else ""
        what = f"restore of {target} from {source} as of {as_of}"
        if operation.undoes is not None:
            what = f"undo of the swap of {operation.undoes}, over {target},"
        result, sentence = Result.FAILED, f"The {what} has not succeeded{why}."
        if operation.bring_back is not None:
            is_back = operation.bring_back.finished_at is not None
            sentence += f" The old data is {'back under the name' if is_back else 'NOT back'}."
    if operation.identifiers.drill_of and result is not Result.PLANNED:
        sentence += f" It was a drill for {operation.identifiers.drill_of}: what it made does not stay."
    return Verdict(
        result=result,
        status=operation.status,
        sentence=sentence,
        error=operation.error if result is Result.FAILED else None,
        changes=summary.changes.sentences(),
    )


def _source(operation: Operation) -> SourceEvidence:
    snapshot = operation.snapshot
    return SourceEvidence(
        cluster_id=snapshot.cluster_id,
        restore_type=snapshot.restore_type,
        snapshot_arn=snapshot.arn,
        snapshot_id=snapshot.identifier,
        region=snapshot.region,
        account_id=snapshot.account_id,
        created_at=snapshot.created_at,
        age_hours=snapshot.age_hours,
        storage_gib=snapshot.storage_gib,
        engine_version=snapshot.engine_version,
        kms_key_id=snapshot.kms_key_id,
        rejected={item.identifier: item.why for item in operation.plan.rejected},
    )


def _target(operation: Operation, summary: Summary) -> TargetEvidence:
    _, _, _, region, account_id, *_ = f"{operation.execution_arn}:::::".split(":")
    return TargetEvidence(
        cluster_id=summary.target_cluster_id,
        region=region,
        account_id=account_id,
        endpoint=summary.endpoint,
        port=summary.port,
        engine_version=summary.engine_version,
        instance_ids=summary.instances,
        snapshot_copy_arn=summary.copied,
        final_snapshot_arn=summary.final_snapshot,
        deleted=summary.deleted,
        pruned=summary.pruned,
    )


def _objective(target_hours: float | None, measured: int | None, what: str) -> Objective:
    target = round(target_hours * 3600) if target_hours is not None else None
    met = measured <= target if target is not None and measured is not None else None
    return Objective(target_seconds=target, measured_seconds=measured, met=met, measured=what)


def _executions(operation: Operation) -> list[Execution]:
    return [
        Execution(
            execution_arn=record.execution_arn,
            redrive_count=record.redrive_count,
            started_at=record.started_at,
            finished_at=record.finished_at,
            error=record.error.name if record.error else None,
        )
        for record in operation.executions
    ]


def _approval(operation: Operation) -> ApprovalEvidence | None:
    record = operation.approval
    return ApprovalEvidence(**record.model_dump(), proof=APPROVER) if record else None


def _settings(operation: Operation, summary: Summary) -> Settings:
    comparison = operation.restore.settings.comparison if operation.restore else None
    return Settings(
        comparison=summary.settings,
        changes=settings_diff(operation),
        deviations=[str(difference) for difference in comparison.differences] if comparison else [],
        not_put_back=comparison.not_put_back if comparison else operation.plan.not_put_back,
    )


def _access(operation: Operation) -> Access:
    users = operation.users or UsersRecord()
    return Access(
        users=[UserEvidence(name=name, proofs=proofs) for name, proofs in users.proofs.items()],
        shut_out=users.shut_out,
        kept=users.kept,
        left_to_aws=users.left_to_aws,
        disarmed=users.disarmed,
        outbound=users.outbound,
        outbound_closed=users.outbound_closed,
        exposure_seconds=operation.exposure.seconds,
        outage_seconds=operation.swap.outage_seconds if operation.swap else None,
        outage_uncertainty_seconds=operation.swap.outage_uncertainty_seconds if operation.swap else None,
    )


def _next_steps(operation: Operation, summary: Summary) -> NextSteps:
    failed = operation.error if operation.status is OperationStatus.FAILED else None
    can_resume = failed is not None and advice_after(failed.name, operation) is Advice.RESUME
    return NextSteps(
        resume=f"./restore.sh resume {operation.operation_id}" if can_resume else None,
        bring_back=summary.bring_back,
        reproduce=operation.request.model_dump(mode="json"),
    )
