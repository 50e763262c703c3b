"""What requests say about Enhanced Monitoring, Performance Insights and Database Insights."""

from __future__ import annotations

from typing import Any

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import invalid_combination, invalid_value
from local_cloud.aurora.operations.validate import require
from local_cloud.aurora.state.observation import Observation

MEMBERS = (
    "MonitoringInterval MonitoringRoleArn EnablePerformanceInsights PerformanceInsightsKMSKeyId "
    "PerformanceInsightsRetentionPeriod"
)
MODE = "DatabaseInsightsMode"  # which a restore cannot set
INTERVALS = (0, 1, 5, 10, 15, 30, 60)
RETENTIONS = (7, *(month * 31 for month in range(1, 24)), 731)
DEFAULT_RETENTION = 7
ADVANCED_RETENTION = 465
MONITORING = "monitoring.rds.amazonaws.com"


def asks_for_observation(params: dict[str, Any]) -> bool:
    """Tell whether a request says anything about it."""
    return any(name in params for name in (MODE, *MEMBERS.split()))


def requested_observation(call: Call, now: Observation) -> Observation:
    """Return what there will be, `now` where the request is silent; raise what RDS answers for a wrong request."""
    interval, role = _monitoring(call, now)
    insights: bool = call.params.get("EnablePerformanceInsights", now.insights)
    retention = _retention(call.params, now, insights=insights)
    mode = call.params.get(MODE, now.mode)
    if mode not in {"standard", "advanced"}:
        raise invalid_value(f"Invalid DatabaseInsightsMode: {mode}. Valid values: standard, advanced")
    require(
        mode == "standard" or (retention or 0) >= ADVANCED_RETENTION,
        invalid_combination(
            "To enable the Advanced mode of Database Insights, modify your cluster to enable Performance Insights and "
            f"set the retention period for Performance Insights to at least {ADVANCED_RETENTION} days."
        ),
    )
    return Observation(
        monitoring_interval=interval,
        monitoring_role_arn=role,
        mode=mode,
        insights=insights,
        insights_key_arn=_key(call, now, insights=insights),
        insights_retention=retention,
    )


def _monitoring(call: Call, now: Observation) -> tuple[int, str | None]:
    interval: int = call.params.get("MonitoringInterval", now.monitoring_interval)
    role: str | None = call.params.get("MonitoringRoleArn", now.monitoring_role_arn)
    if interval not in INTERVALS:
        raise invalid_value(f"Invalid MonitoringInterval: {interval}. Valid values: {', '.join(map(str, INTERVALS))}")
    if interval == 0:
        require(
            "MonitoringRoleArn" not in call.params,
            invalid_combination(
                "A MonitoringInterval value other than 0 is required if you specify a MonitoringRoleArn."
            ),
        )
        return 0, None
    if not role:
        raise invalid_combination(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        )
    if "MonitoringRoleArn" in call.params:
        call.pass_role(role, MONITORING)
        require(
            call.role_trusts(role, MONITORING),
            invalid_value(
                "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING"
            ),
        )
    return interval, role


def _retention(params: dict[str, Any], now: Observation, *, insights: bool) -> int | None:
    wanted: int | None = params.get("PerformanceInsightsRetentionPeriod")
    if not insights:
        require(
            wanted is None and "PerformanceInsightsKMSKeyId" not in params,
            invalid_combination("You must enable Performance Insights to set its KMS key or retention period."),
        )
        return None
    if wanted is not None and wanted not in RETENTIONS:
        raise invalid_value(
            f"Invalid Performance Insights retention period: {wanted}. "
            f"Valid values: {', '.join(map(str, sorted(set(RETENTIONS))))}"
        )
    return wanted or now.insights_retention or DEFAULT_RETENTION


def _key(call: Call, now: Observation, *, insights: bool) -> str | None:
    if not insights:
        return None
    wanted = call.params.get("PerformanceInsightsKMSKeyId")
    if now.insights_key_arn is None:
        return call.key(wanted or "alias/aws/rds").arn
    require(
        wanted is None or call.key(wanted).arn == now.insights_key_arn,
        invalid_combination("You cannot change your Performance Insights KMS key."),
    )
    return now.insights_key_arn
