"""The schedules' requests, judged before a night is lost to them."""

from collections.abc import Mapping

from deployment.account import Refused
from restore_command.fleet.requests import parsed, problems_of
from utils.errors import InvalidRequest
from utils.json_text import NotJson, read_json
from utils.request.model import RestoreRequest
from utils.request.parsing import Defaults, parse_request
from utils.settings import Settings


def check_requests_of_schedules(parameters: Mapping[str, str], region: str) -> None:
    """Refuse stack parameters with which every scheduled run, or every scheduled fleet, would be refused."""
    settings = _settings(parameters, region)
    is_on = parameters.get("ScheduleState", "DISABLED") == "ENABLED"
    for number in ("", *further_schedules(parameters)) if is_on else ():
        try:
            request_of(parameters.get(f"ScheduleInput{number}", "{}"), settings)
        except InvalidRequest as error:
            raise Refused(
                f"ScheduleState=ENABLED, but every scheduled run would be refused. ScheduleInput{number}: {error}"
            ) from None
    if parameters.get("FleetScheduleState", "DISABLED") == "ENABLED":
        problems = problems_of_fleet(parameters.get("FleetScheduleInput", "{}"), settings)
        if problems:
            raise Refused(
                "FleetScheduleState=ENABLED, but every scheduled fleet would be refused, or a run of each. "
                f"FleetScheduleInput: {'; '.join(problems)}"
            )


def problems_of_fleet(schedule_input: str, settings: Defaults) -> list[str]:
    """Return what is wrong with the request of scheduled fleets; a list in S3 is judged when it is read."""
    request, problems = parsed(schedule_input)
    if request is None or request.operations is None:
        return problems
    return list(problems_of(request, request.operations, settings))


def _settings(parameters: Mapping[str, str], region: str) -> Settings:
    return Settings.from_environment(
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
