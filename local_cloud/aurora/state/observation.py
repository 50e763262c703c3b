"""Enhanced Monitoring and Database Insights, which a cluster has and each of its instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Observation:
    """How somebody watches a cluster or an instance; `insights` is Performance Insights, `mode` Database Insights."""

    monitoring_interval: int = 0
    monitoring_role_arn: str | None = None
    mode: str = "standard"
    insights: bool = False
    insights_key_arn: str | None = None
    insights_retention: int | None = None

    def describe(self) -> dict[str, Any]:
        """Return the members that clusters and instances have in common."""
        return {
            "MonitoringInterval": self.monitoring_interval,
            "MonitoringRoleArn": self.monitoring_role_arn,
            "DatabaseInsightsMode": self.mode,
            "PerformanceInsightsEnabled": self.insights,
            "PerformanceInsightsKMSKeyId": self.insights_key_arn,
            "PerformanceInsightsRetentionPeriod": self.insights_retention,
        }
