"""The checks of the deployed pipeline: tables, functions, network, secrets' values, state machine, schedule."""

import json
from typing import Any

from botocore.exceptions import ClientError

from deployment import stacks
from deployment.account import error_code
from deployment.names import HELPERS, STEPS
from deployment.schedule import further_schedules, problems_of_fleet, request_of
from deployment.verify.findings import Answer, Check, Inspection, deploy_again, failed, passed, remark
from deployment.verify.network import path_to_database, what_shuts_services
from utils.errors import InvalidRequest
from utils.settings import Settings

SETUP = "setup-db-users"
# What a function answers when the network, not the thing it asked for, is the trouble.
_NO_ANSWER = "AwsUnavailable"


def _pipeline(inspection: Inspection) -> Answer:
    stack = stacks.find_stack(inspection.account, inspection.names.pipeline)
    if stack is None:
        return failed(f"no stack {inspection.names.pipeline}", deploy_again(inspection))
    if not stack.is_ready:
        return failed(f"stack {stack.name} is {stack.status}", deploy_again(inspection))
    inspection.pipeline = stack
    return passed(f"stack {stack.name} is {stack.status}")


def _tables(inspection: Inspection) -> Answer:
    dynamodb = inspection.client("dynamodb")
    problems = []
    for name in (inspection.of_pipeline("StateTableName"), inspection.of_pipeline("AuditTableName")):
        try:
            status = dynamodb.describe_table(TableName=name)["Table"]["TableStatus"]
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            status = "missing"
        if status not in {"ACTIVE", "UPDATING"}:
            problems.append(f"{name} is {status}")
    if problems:
        return failed("; ".join(problems), "restore the table under its name, from point-in-time recovery or a backup")
    return passed(f"{' and '.join(inspection.names.tables)} are active")


def _functions(inspection: Inspection) -> Answer:
    """Every function but one answers; that one, whose network may differ, has a check of its own."""
    problems = []
    for step in STEPS:
        if step == SETUP:
            continue
        body, is_error = inspection.invoke(inspection.names.of(step), {"verify": {}})
        if is_error:
            problems.append(f"{step}: {body.get('errorType')}: {body.get('errorMessage')}")
        # What is in a secret has a check of its own, too; that a function may not read it has none.
        wrong = [look for look in body.get("looks", []) if look["error"] and look["error"] != "SecretInvalid"]
        problems += [f"{step}, {look['what']}: {look['message']}" for look in wrong]
    if problems:
        return failed("; ".join(problems), f"read the function's log, then {deploy_again(inspection)}")
    return passed(f"{len(STEPS) - 1} functions answer, with their settings and the state table")


def _settings(inspection: Inspection) -> Settings:
    configuration = inspection.client("lambda").get_function_configuration(
        FunctionName=inspection.names.of("snapshot-check")
    )
    return Settings.from_environment(configuration["Environment"]["Variables"])


def _told(schedule: dict[str, Any]) -> str:
    zone = schedule.get("ScheduleExpressionTimezone", "UTC")
    return f"{schedule['State']}, {schedule['ScheduleExpression']} {zone}"


def _fleet_schedule(inspection: Inspection) -> Answer:
    """Judge the request of scheduled fleets, as far as it is not in S3."""
    schedule = inspection.client("scheduler").get_schedule(Name=inspection.names.of("fleet-schedule"))
    if schedule["State"] != "ENABLED":
        return passed(f"off ({_told(schedule)}); --set FleetScheduleState=ENABLED switches it on")
    problems = problems_of_fleet(schedule["Target"].get("Input", "{}"), _settings(inspection))
    if problems:
        text = f"{_told(schedule)}; every fleet would be refused, or a run of each: {'; '.join(problems)}"
        return failed(text, deploy_again(inspection) + " with --set")
    return passed(_told(schedule))


def _schedule(inspection: Inspection) -> Answer:
    """Judge the schedule's request as a run will, and remember its target for the network checks."""
    schedule = inspection.client("scheduler").get_schedule(Name=inspection.names.of("schedule"))
    state, settings = _told(schedule), _settings(inspection)
    inspection.target_cluster_id = settings.target_cluster_id
    try:
        request = request_of(schedule["Target"].get("Input", "{}"), settings)
    except InvalidRequest as error:
        if schedule["State"] == "ENABLED":
            return failed(f"{state}; every run would be refused: {error}", deploy_again(inspection) + " with --set")
        return remark(
            f"{state}; its request would be refused: {error}",
            deploy_again(inspection) + " --set SourceClusterId=… --set TargetClusterId=…",
        )
    inspection.target_cluster_id, inspection.target = request.target.cluster_id, request.target
    if schedule["State"] != "ENABLED":
        return passed(f"off ({state}); --set ScheduleState=ENABLED switches it on")
    return passed(f"{state}, for {request.target.cluster_id}")


def _further_schedules(inspection: Inspection) -> Answer:
    """Judge the requests of the schedules beside the first."""
    numbers = further_schedules(inspection.pipeline.parameters if inspection.pipeline else {})
    if not numbers:
        return passed("none beside the first")
    settings, told, refused = _settings(inspection), [], []
    for number in numbers:
        schedule = inspection.client("scheduler").get_schedule(Name=inspection.names.of(f"schedule-{number}"))
        state = f"{number}: {schedule['State']}, {schedule['ScheduleExpression']}"
        try:
            request = request_of(schedule["Target"].get("Input", "{}"), settings)
        except InvalidRequest as error:
            refused.append(f"{state}; every run would be refused: {error}")
        else:
            told.append(f"{state}, for {request.target.cluster_id}")
    if refused:
        return failed("; ".join(refused), deploy_again(inspection) + " with --set")
    return passed("; ".join(told))


def _setup_function(inspection: Inspection) -> Answer:
    """Ask setup-db-users, from where it runs, what it reaches."""
    body, is_error = inspection.invoke(
        inspection.names.of(SETUP), {"verify": {"target_cluster_id": inspection.target_cluster_id}}
    )
    if is_error:
        return failed(
            f"{body.get('errorType')}: {body.get('errorMessage')}",
            f"read its log (aws logs tail /aws/lambda/{inspection.names.of(SETUP)} "
            f"--region {inspection.account.region}), then {deploy_again(inspection)}",
        )
    inspection.looks = {look["what"]: (look["error"], look["message"]) for look in body["looks"]}
    return passed("answers, with its settings")


def _service_path(inspection: Inspection) -> Answer:
    services = {"state-table": "DynamoDB", "database": "RDS", "master-credentials": "Secrets Manager",
                "app-credentials": "Secrets Manager"}  # fmt: skip
    silent = {name for what, name in services.items() if inspection.looks.get(what, ("", ""))[0] == _NO_ANSWER}
    if silent:
        advice = what_shuts_services(inspection.account, inspection.names.of(SETUP))
        return failed(f"{SETUP} gets no answer from {' and '.join(sorted(silent))}", advice)
    return passed(f"{SETUP} reaches Secrets Manager, DynamoDB and RDS")


def _database_path(inspection: Inspection) -> Answer:
    """Take the function's own connection for the truth; security groups say why there is none, or what to expect."""
    error, message = inspection.looks.get("database", ("", ""))
    function = inspection.names.of(SETUP)
    path = path_to_database(inspection.account, function, inspection.target_cluster_id, inspection.target)
    if error:
        return failed(message, "; ".join(path.shut_by) or "look at the network ACLs and routes of both sides")
    if path.endpoint:
        return passed(f"{SETUP} opens a connection to {path.endpoint}")
    if path.shut_by:
        return failed(f"{SETUP} will not reach the restored cluster", "; ".join(path.shut_by))
    if path.is_judged:
        return passed("no target cluster yet; security groups let the function through to its subnet group")
    return remark("no target cluster yet, so nothing to connect to", path.hint)


def _secret_value(name: str) -> Any:
    def look(inspection: Inspection) -> Answer:
        error, message = inspection.looks[name]
        if error:
            action = deploy_again(inspection, f"put-secret {name} --file FILE") + " (or --generate)"
            return failed(message, action if error == "SecretInvalid" else f"read the log of {SETUP}")
        return passed(f"{SETUP} reads it, and it is no placeholder")

    return look


def _state_machine(inspection: Inspection) -> Answer:
    states = inspection.client("stepfunctions")
    machine = states.describe_state_machine(stateMachineArn=inspection.of_pipeline("StateMachineArn"))
    verdict = states.validate_state_machine_definition(definition=machine["definition"], type="STANDARD")
    errors = [item["message"] for item in verdict.get("diagnostics", []) if item.get("severity", "ERROR") == "ERROR"]
    if verdict["result"] != "OK" or errors:
        return failed("; ".join(errors) or verdict["result"], deploy_again(inspection))
    if machine["status"] != "ACTIVE":
        return failed(f"{machine['name']} is {machine['status']}", deploy_again(inspection))
    text = json.dumps(machine["definition"])
    # A helper is called by a function.
    called = (step for step in STEPS if step not in HELPERS)
    absent = [step for step in called if f":function:{inspection.names.of(step)}" not in text]
    if absent:
        return failed(f"{machine['name']} does not call {', '.join(absent)}", deploy_again(inspection))
    return passed(f"{machine['name']} is active, valid, and calls the ten functions")


_DEPLOYED = ("Region", "Pipeline stack")
_ASKED = (*_DEPLOYED, "KMS key", "Secrets", "Tables", f"Function {SETUP}")
CHECKS = (
    Check("Pipeline stack", _pipeline, ("Region",)),
    Check("Tables", _tables, _DEPLOYED),
    Check("State machine", _state_machine, _DEPLOYED),
    Check("Schedule", _schedule, _DEPLOYED),
    Check("Further schedules", _further_schedules, _DEPLOYED),
    Check("Schedule of fleets", _fleet_schedule, _DEPLOYED),
    Check("Functions", _functions, (*_DEPLOYED, "KMS key", "Tables")),
    Check(f"Function {SETUP}", _setup_function, (*_DEPLOYED, "KMS key", "Tables")),
    Check("Network to AWS services", _service_path, _ASKED),
    Check("Network to the database", _database_path, (*_ASKED, "Network to AWS services")),
    Check(
        "Secret master-credentials is replaced",
        _secret_value("master-credentials"),
        (*_ASKED, "Network to AWS services"),
    ),
    Check("Secret app-credentials is replaced", _secret_value("app-credentials"), (*_ASKED, "Network to AWS services")),
)
