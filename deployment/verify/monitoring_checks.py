"""The check of the monitoring: every alarm that the stack's parameters ask for is there and tells the topic."""

from collections.abc import Mapping
from typing import Any

from deployment.names import Names
from deployment.verify.findings import Answer, Check, Inspection, deploy_again, failed, passed, remark

_ALWAYS = (
    "execution-failed", "execution-timed-out", "execution-aborted", "snapshot-older-than-rpo", "lock-held-too-long",
    "dead-letters", "fleet-interrupted",
)  # fmt: skip
_OF_FUNCTIONS = ("function-errors", "function-throttles", "function-errors-swap", "function-throttles-swap")
_OF_SCHEDULE = ("no-success",)


def expected_alarms(parameters: Mapping[str, str], names: Names) -> set[str]:
    """Return the names of the alarms that the stack has with these parameters."""
    if parameters.get("MonitoringLevel") == "none":
        return set()
    scheduled = parameters.get("ScheduleState") == "ENABLED" and parameters.get("NoSuccessAlarmHours") != "0"
    return {
        names.of(name)
        for name in (
            *_ALWAYS,
            *(_OF_FUNCTIONS if parameters.get("FunctionAlarms") != "false" else ()),
            *(_OF_SCHEDULE if scheduled else ()),
        )
    }


def _alarms(inspection: Inspection) -> Answer:
    expected = expected_alarms(inspection.pipeline.parameters if inspection.pipeline else {}, inspection.names)
    if not expected:
        return remark(
            "MonitoringLevel=none: nothing alarms", deploy_again(inspection) + " --set MonitoringLevel=alarms, or all"
        )
    pages = (
        inspection.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=inspection.names.of(""))
    )
    found = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    missing = sorted(expected - found.keys())
    if missing:
        again = deploy_again(inspection)
        return failed(
            f"no alarm {', '.join(missing)}",
            f"somebody deleted what the stack made: {again} --set MonitoringLevel=none, then {again} "
            "--set MonitoringLevel=all",
        )
    there = [found[name] for name in sorted(expected)]
    mute = [alarm["AlarmName"] for alarm in there if not _tells(alarm, inspection.output("NotificationTopicArn"))]
    if mute:
        return failed(
            f"{', '.join(mute)}: the topic is not told",
            "aws cloudwatch enable-alarm-actions --alarm-names NAME, or put the topic among its actions again",
        )
    off = [alarm["AlarmName"] for alarm in there if alarm["StateValue"] == "ALARM"]
    if off:
        return remark(f"{len(there)} alarms; went off: {', '.join(off)}", "docs/monitoring.md says what each means")
    return passed(f"{len(there)} alarms tell the topic; none went off")


def _tells(alarm: Mapping[str, Any], topic: str) -> bool:
    return bool(alarm["ActionsEnabled"]) and topic in alarm["AlarmActions"]


CHECKS = (Check("Alarms", _alarms, ("Region", "Pipeline stack")),)
