"""The schedule's request, judged before a night is lost to it."""

from collections.abc import Mapping

from deployment.account import Refused
from utils.errors import InvalidRequest
from utils.json_text import NotJson, read_json
from utils.request.model import RestoreRequest
from utils.request.parsing import parse_request
from utils.settings import Settings


def check_request_of_schedule(parameters: Mapping[str, str], region: str) -> None:
    """Refuse stack parameters with which every scheduled run would be refused."""
    if parameters.get("ScheduleState", "DISABLED") != "ENABLED":
        return
    settings = Settings.from_environment(
        {
            **dict.fromkeys(("ENVIRONMENT", "STATE_TABLE_NAME", "AUDIT_TABLE_NAME", "KMS_KEY_ID"), "-"),
            **dict.fromkeys(("MASTER_SECRET_NAME", "APP_SECRET_NAME"), "-"),
            "SNS_TOPIC_ARN": "arn:aws:sns:::topic",
            "SOURCE_REGION": parameters.get("SourceRegion", "us-east-1"),
            "TARGET_REGION": region,
            "SOURCE_CLUSTER_ID": parameters.get("SourceClusterId", ""),
            "TARGET_CLUSTER_ID": parameters.get("TargetClusterId", ""),
            "REQUEST_DEFAULTS": parameters.get("RequestDefaults", ""),
            "MANDATORY_REQUEST": parameters.get("MandatoryRequest", ""),
        }
    )
    for number in ("", *further_schedules(parameters)):
        try:
            request_of(parameters.get(f"ScheduleInput{number}", "{}"), settings)
        except InvalidRequest as error:
            raise Refused(
                f"ScheduleState=ENABLED, but every scheduled run would be refused. ScheduleInput{number}: {error}"
            ) from None


def further_schedules(parameters: Mapping[str, str]) -> list[str]:
    """Return the numbers of the schedules beside the first, as their parameters' names end."""
    return [number for number in ("2", "3", "4") if parameters.get(f"ScheduleExpression{number}")]


def request_of(schedule_input: str, settings: Settings) -> RestoreRequest:
    """Read a schedule's input as Snapshot Check will; raises `InvalidRequest`."""
    try:
        raw = read_json(schedule_input)
    except NotJson as error:
        raise InvalidRequest(
            f"text that is not JSON ({error})",
            field="ScheduleInput",
            expected="a JSON object with fields of the request",
            action="correct the stack parameter and deploy again",
        ) from None
    return parse_request(raw, settings)
