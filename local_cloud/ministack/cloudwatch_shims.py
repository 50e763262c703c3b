"""What CloudWatch does and ministack 1.5.33 does not: metrics out of logs, saved queries, alarms on expressions."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from local_cloud.ministack import ministack_modules

Json = dict[str, Any]
_EMBEDDED = '{"_aws"'


def install() -> None:
    """Teach ministack what infrastructure/monitoring.yaml is built on."""
    take_metrics_out_of_logs()
    judge_alarms_by_what_came()
    keep_saved_queries()
    keep_alarms_on_several_metrics()


def take_metrics_out_of_logs() -> None:
    """Put the metrics that a function prints in the embedded metric format; ministack keeps them as text only.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    functions = ministack_modules.service("lambda_svc")
    metrics = ministack_modules.service("cloudwatch")
    original: Callable[..., None] = functions._emit_lambda_logs

    def emit(func: Json, request_id: str, log_text: str, *args: Any, **kwargs: Any) -> None:
        original(func, request_id, log_text, *args, **kwargs)
        for line in (log_text or "").splitlines():
            if line.startswith(_EMBEDDED):
                for request in _put_metric_data_requests(json.loads(line)):
                    metrics._put_metric_data({}, request, is_cbor=False, is_json=True)

    functions._emit_lambda_logs = emit


def judge_alarms_by_what_came() -> None:
    """Evaluate the alarms on the metrics that came; ministack evaluates every alarm, over all values, each time."""
    metrics = ministack_modules.service("cloudwatch")
    store: Callable[..., None] = metrics._store_datum
    came = threading.local()

    def store_datum(namespace: str, name: str, *args: Any) -> None:
        store(namespace, name, *args)
        came.metrics = {*getattr(came, "metrics", ()), (namespace, name)}

    def evaluate_alarms() -> None:
        fresh, came.metrics = getattr(came, "metrics", ()), ()
        for alarm in list(metrics._alarms.values()):
            if (alarm["Namespace"], alarm["MetricName"]) in fresh:
                metrics._evaluate_alarm(alarm)

    metrics._store_datum, metrics._evaluate_all_alarms = store_datum, evaluate_alarms


def keep_saved_queries() -> None:
    """Support AWS::Logs::QueryDefinition, and DescribeQueryDefinitions to see what was saved."""
    handlers = ministack_modules.service("cloudformation.provisioners")._RESOURCE_HANDLERS
    logs = ministack_modules.service("cloudwatch_logs")
    responses = ministack_modules.core("responses")
    saved = responses.AccountRegionScopedDict()
    original: Callable[..., Awaitable[Any]] = logs.handle_request

    def keep(query_id: str, properties: Json) -> tuple[str, Json]:
        saved[query_id] = {
            "queryDefinitionId": query_id,
            "name": properties["Name"],
            "queryString": properties["QueryString"],
            "logGroupNames": properties.get("LogGroupNames", []),
        }
        return query_id, {"QueryDefinitionId": query_id}

    def create(_logical_id: str, properties: Json, _stack_name: str) -> tuple[str, Json]:
        return keep(responses.new_uuid(), properties)

    def update(physical_id: str, _old: Json, new: Json, _stack_name: str) -> tuple[str, Json]:
        return keep(physical_id, new)

    def delete(physical_id: str, _properties: Json) -> None:
        saved.pop(physical_id, None)

    async def handle_request(method: str, path: str, headers: Json, body: bytes, query_params: Json) -> Any:
        if not headers.get("x-amz-target", "").endswith(".DescribeQueryDefinitions"):
            return await original(method, path, headers, body, query_params)
        prefix = json.loads(body or b"{}").get("queryDefinitionNamePrefix", "")
        found = [query for query in saved.values() if query["name"].startswith(prefix)]
        return responses.json_response({"queryDefinitions": sorted(found, key=lambda query: str(query["name"]))})

    logs.handle_request = handle_request
    handlers["AWS::Logs::QueryDefinition"] = {"create": create, "update": update, "delete": delete}


def keep_alarms_on_several_metrics() -> None:
    """Deploy an alarm with an expression over metrics; ministack refuses it. It is kept, and never evaluated."""
    provisioners = ministack_modules.service("cloudformation.provisioners")
    original: Callable[[str, Json], Json] = provisioners._cw_metric_alarm_record

    def record(name: str, properties: Json) -> Json:
        if not properties.get("Metrics"):
            return original(name, properties)
        plain = {key: value for key, value in properties.items() if key != "Metrics"}
        kept = original(name, {**plain, "Namespace": "none", "MetricName": "none"})
        return {**kept, "Namespace": "", "MetricName": "", "Metrics": properties["Metrics"]}

    provisioners._cw_metric_alarm_record = record


def _put_metric_data_requests(blob: Json) -> list[Json]:
    """Return a PutMetricData request for each set of dimensions of a line in the embedded metric format."""
    return [
        {
            "Namespace": directive["Namespace"],
            "MetricData": [
                {
                    "MetricName": metric["Name"],
                    "Unit": metric.get("Unit", "None"),
                    "Values": _values(blob[metric["Name"]]),
                    "Dimensions": [{"Name": name, "Value": blob[name]} for name in names],
                }
                for metric in directive["Metrics"]
            ],
        }
        for directive in blob["_aws"]["CloudWatchMetrics"]
        for names in directive["Dimensions"]
    ]


def _values(value: float | list[float]) -> list[float]:
    return value if isinstance(value, list) else [value]
