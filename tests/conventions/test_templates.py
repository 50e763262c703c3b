"""What the templates promise: names, one role and log group per function, least privilege, nothing lost on the way."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.conventions.cfn_yaml import (
    REPOSITORY,
    as_list,
    load_template,
    references,
    resources_of_type,
    statements,
)
from utils.aws.event_bus import SOURCE
from utils.operation.model import Helper, StepName

ROOT = load_template("template.yaml")
PREREQUISITES = load_template("infrastructure/prerequisites.yaml")
TABLES = load_template("infrastructure/dynamodb.yaml")
LAMBDA = load_template("infrastructure/lambda.yaml")
STEP_FUNCTIONS = load_template("infrastructure/stepfunctions.yaml")
MONITORING = load_template("infrastructure/monitoring.yaml")

FUNCTIONS = resources_of_type(LAMBDA, "AWS::Serverless::Function")
LOG_GROUPS = resources_of_type(LAMBDA, "AWS::Logs::LogGroup")
ROLES = resources_of_type(LAMBDA, "AWS::IAM::Role")
STATE_MACHINE = resources_of_type(STEP_FUNCTIONS, "AWS::Serverless::StateMachine")["StateMachine"]
DEFINITION = (REPOSITORY / "statemachine/aurora_restore.asl.json").read_text()

HELPERS = [helper.value.lower().replace(" ", "-") for helper in Helper]
STEPS = [*(step.value.lower().replace(" ", "-") for step in StepName), *HELPERS]
EVERY_FUNCTION_READS = {
    "ENVIRONMENT",
    "OWNERSHIP_MARK",
    "STATE_TABLE_NAME",
    "AUDIT_TABLE_NAME",
    "SNS_TOPIC_ARN",
    "SOURCE_REGION",
    "TARGET_REGION",
    "KMS_KEY_ID",
    "MASTER_SECRET_NAME",
    "APP_SECRET_NAME",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_LOG_LEVEL",
}
# What each guarded action may be allowed on: only what carries one of these sets of tags.
REPLACEABLE = {"aws:ResourceTag/aurora-restore:replaceable": "true"}
RESTORED = {"aws:ResourceTag/aurora-restore:managed": "true", "aws:ResourceTag/aurora-restore:role": "target"}
SNAPSHOT = {"aws:ResourceTag/aurora-restore:managed": "true", "aws:ResourceTag/aurora-restore:role": ["copy", "final"]}
NEW_SNAPSHOT = {"aws:ResourceTag/aurora-restore:managed": "true", "aws:ResourceTag/aurora-restore:role": "source"}
GUARDING_TAGS: dict[str, list[dict[str, Any]]] = {
    "rds:DeleteDBCluster": [REPLACEABLE],
    "rds:DeleteDBInstance": [REPLACEABLE],
    "rds:ModifyDBCluster": [REPLACEABLE, RESTORED],
    "rds:ModifyDBInstance": [REPLACEABLE],
    "rds:StartDBCluster": [REPLACEABLE, RESTORED],
    "rds:StopDBCluster": [RESTORED],
    "rds:DeleteDBClusterSnapshot": [SNAPSHOT, NEW_SNAPSHOT],
}
CHANGES_OF_ROWS = (
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DeleteTable",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLUpdate",
    "dynamodb:UpdateItem",
)


def logical_id(step: str) -> str:
    return "".join(word.capitalize() for word in step.split("-"))


def role_of(step: str) -> list[dict[str, Any]]:
    """The statements of a function's role, those of its managed policy included."""
    role = ROLES[f"{logical_id(step)}Role"]
    shared = resources_of_type(LAMBDA, "AWS::IAM::ManagedPolicy")
    attached = [shared[name] for policy in role.get("ManagedPolicyArns", []) for name in references(policy)]
    return statements(role) + [statement for policy in attached for statement in statements(policy)]


def allows(statement: dict[str, Any], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in as_list(statement["Action"]))


def test_every_function_directory_is_deployed_and_nothing_else() -> None:
    directories = {path.name for path in (REPOSITORY / "lambda_functions").glob("aurora-restore-*")}
    assert directories == {f"aurora-restore-{step}" for step in STEPS}
    assert {properties["FunctionName"] for properties in FUNCTIONS.values()} == directories


@pytest.mark.parametrize("step", STEPS)
def test_a_function_is_named_like_its_directory_and_module(step: str) -> None:
    function = FUNCTIONS[f"{logical_id(step)}Function"]
    assert function["FunctionName"] == f"aurora-restore-{step}"
    assert function["CodeUri"] == f"../build/functions/aurora-restore-{step}"
    module, name = function["Handler"].split(".")
    assert (module, name) == (step.replace("-", "_"), "handler")
    assert (REPOSITORY / f"lambda_functions/aurora-restore-{step}/{module}.py").is_file()


@pytest.mark.parametrize("step", STEPS)
def test_a_function_has_its_own_log_group_with_retention_and_key(step: str) -> None:
    name = f"{logical_id(step)}LogGroup"
    assert FUNCTIONS[f"{logical_id(step)}Function"]["LoggingConfig"]["LogGroup"] == {"Ref": name}
    assert LOG_GROUPS[name]["LogGroupName"] == f"/aws/lambda/aurora-restore-{step}"
    assert LOG_GROUPS[name]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert LOG_GROUPS[name]["KmsKeyId"] == {"Ref": "KmsKeyArn"}


@pytest.mark.parametrize("step", STEPS)
def test_a_function_has_its_own_role(step: str) -> None:
    assert FUNCTIONS[f"{logical_id(step)}Function"]["Role"] == {"Fn::GetAtt": [f"{logical_id(step)}Role", "Arn"]}
    assert "Policies" not in FUNCTIONS[f"{logical_id(step)}Function"]


@pytest.mark.parametrize("step", STEPS)
def test_a_function_writes_to_its_own_log_group_only(step: str) -> None:
    logging = [statement for statement in role_of(step) if allows(statement, "logs:PutLogEvents")]
    assert [references(statement["Resource"]) for statement in logging] == [{f"{logical_id(step)}LogGroup.Arn"}]
    assert not any(allows(statement, "logs:CreateLogGroup") for statement in role_of(step))


@pytest.mark.parametrize("step", [step for step in STEPS if step not in HELPERS])
def test_a_function_ends_before_its_state_gives_up(step: str) -> None:
    timeout = FUNCTIONS[f"{logical_id(step)}Function"].get("Timeout", LAMBDA["Globals"]["Function"]["Timeout"])
    assert timeout <= 900
    token = f"${{{logical_id(step)}FunctionArn}}"
    # A function that is only asked what it reaches answers at once, and for a person the request says how long.
    limits = [
        state["TimeoutSeconds"]
        for name, state in json.loads(DEFINITION)["States"].items()
        if state["Type"] == "Task" and token in json.dumps(state) and name != "Ask for Approval"
    ]
    assert limits
    assert all(timeout < limit for limit in limits)


def test_every_function_gets_the_whole_environment() -> None:
    shared = LAMBDA["Globals"]["Function"]["Environment"]["Variables"]
    assert set(shared) == EVERY_FUNCTION_READS
    own = {name: set(function.get("Environment", {}).get("Variables", {})) for name, function in FUNCTIONS.items()}
    assert own.pop("SnapshotCheckFunction") == {
        "SOURCE_CLUSTER_ID",
        "TARGET_CLUSTER_ID",
        "TARGET_CLUSTER_PATTERN",
        "ALLOW_PUBLIC_ACCESS",
        "POINT_IN_TIME_SOURCES",
        "NEW_SNAPSHOT_SOURCES",
        "REQUEST_DEFAULTS",
        "MANDATORY_REQUEST",
        "QUARANTINE_SECURITY_GROUP_IDS",
        "REQUIRE_APPROVAL",
    }
    assert own.pop("CheckSwapStatusFunction") == {"DATABASE_TLS"}
    assert own.pop("SetupDbUsersFunction") == {"DATABASE_TLS", "MANDATORY_REQUEST"}
    assert own.pop("SnsNotificationFunction") == {
        "NOTIFICATION_FORMAT",
        "EVIDENCE_FUNCTION_NAME",
        "APPROVALS_TABLE_NAME",
    }
    assert own.pop("WriteEvidenceFunction") == {"EVIDENCE_BUCKET", "EVIDENCE_KEY_ID"}
    assert not any(own.values())


@pytest.mark.parametrize("step", STEPS)
def test_only_setup_db_users_reads_the_masters_secret_and_only_who_looks_or_logs_in_the_users_too(step: str) -> None:
    readers = [statement for statement in role_of(step) if allows(statement, "secretsmanager:GetSecretValue")]
    if step != "setup-db-users":
        assert [statement["Resource"] for statement in readers] == [{"Ref": "AppSecretArn"}] * (
            step in {"snapshot-check", "check-swap-status"}
        )
        assert "MasterSecretArn" not in references(role_of(step))
        return
    named, kept_by_rds = readers
    assert all(as_list(reader["Action"]) == ["secretsmanager:GetSecretValue"] for reader in readers)
    assert named["Resource"] == [{"Ref": "MasterSecretArn"}, {"Ref": "AppSecretArn"}]
    assert kept_by_rds["Resource"]["Fn::Sub"].endswith(":secret:rds!cluster-*")
    assert set(kept_by_rds["Condition"]) == {"StringEquals", "ArnLike"}


@pytest.mark.parametrize("step", STEPS)
def test_only_the_first_and_the_last_step_send_events_and_only_ours(step: str) -> None:
    sending = [statement for statement in role_of(step) if allows(statement, "events:PutEvents")]
    assert len(sending) == (step in {"snapshot-check", "sns-notification"})
    for statement in sending:
        assert statement["Condition"] == {"StringEquals": {"events:source": SOURCE}}
        assert statement["Resource"]["Fn::Sub"].endswith(":event-bus/default")


@pytest.mark.parametrize("step", STEPS)
def test_nobody_writes_secrets(step: str) -> None:
    writes = ("PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage", "RotateSecret", "DeleteSecret")
    assert not any(allows(statement, f"secretsmanager:{write}") for statement in role_of(step) for write in writes)


@pytest.mark.parametrize("step", STEPS)
def test_who_makes_secrets_reads_scripts_and_logs_in_with_tokens_does_so_only_under_those_names(step: str) -> None:
    for action, pattern, steps in (
        ("secretsmanager:CreateSecret", ":secret:rds!cluster-*", {"setup-db-users"}),
        ("rds-db:connect", ":dbuser:cluster-*/*", {"setup-db-users"}),
        ("s3:GetObject", "/post-restore-sql/*", {"setup-db-users", "snapshot-check"}),
    ):
        allowed = [statement for statement in role_of(step) if allows(statement, action)]
        assert len(allowed) == (step in steps)
        assert all(statement["Resource"]["Fn::Sub"].endswith(pattern) for statement in allowed)


def test_the_database_is_never_talked_to_in_clear() -> None:
    assert ROOT["Parameters"]["DatabaseTls"]["AllowedValues"] == ["verify-full", "require"]
    assert ROOT["Parameters"]["DatabaseTls"]["Default"] == "verify-full"


@pytest.mark.parametrize("step", STEPS)
def test_audit_rows_are_only_ever_put(step: str) -> None:
    on_audit = [statement for statement in role_of(step) if "AuditTableArn" in references(statement["Resource"])]
    only = "dynamodb:Query" if step == "write-evidence" else "dynamodb:PutItem"
    assert [as_list(statement["Action"]) for statement in on_audit] == [[only]]
    everywhere = [statement for statement in role_of(step) if "*" in as_list(statement["Resource"])]
    assert not any(allows(statement, change) for statement in everywhere for change in CHANGES_OF_ROWS)


@pytest.mark.parametrize("step", STEPS)
def test_rows_of_operations_are_never_deleted(step: str) -> None:
    deletes = [statement for statement in role_of(step) if allows(statement, "dynamodb:DeleteItem")]
    if step not in {"snapshot-check", "sns-notification"}:
        assert not deletes
        return
    assert [references(statement["Resource"]) for statement in deletes] == [{"StateTableArn"}]
    assert deletes[0]["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": "lock#*"},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("action", GUARDING_TAGS)
def test_what_destroys_or_changes_is_tied_to_a_tag(step: str, action: str) -> None:
    for statement in role_of(step):
        if not allows(statement, action):
            continue
        if action == "rds:DeleteDBCluster" and statement["Sid"] == "DeleteAsksForSnapshotToo":
            assert str(statement["Resource"]).endswith(":cluster-snapshot:*'}")
            continue
        if action == "rds:DeleteDBInstance" and statement["Sid"] == "DeleteAutoscaledReaders":
            # Application Auto Scaling gives its readers no tag, and a name that nobody else gives.
            assert str(statement["Resource"]).endswith(":db:application-autoscaling-*'}")
            continue
        if action == "rds:DeleteDBInstance" and statement["Sid"] == "AskedForByScaling":
            assert statement["Condition"] == {"Bool": {"aws:ViaAWSService": "true"}}  # no call of the function's own
            continue
        assert statement["Condition"]["StringEquals"] in GUARDING_TAGS[action]


def test_who_has_readers_scaled_may_do_what_scaling_will_do() -> None:
    # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html
    asked = {
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
        "rds:AddTagsToResource",
        "rds:CreateDBInstance",
        "rds:DeleteDBInstance",
    }
    for step in STEPS:
        granted = [statement for statement in role_of(step) if statement["Sid"] == "AskedForByScaling"]
        scales = any(allows(statement, "application-autoscaling:RegisterScalableTarget") for statement in role_of(step))
        assert [set(statement["Action"]) for statement in granted] == ([asked] if scales else [])
        # One of the calls is for an instance of an account that does not exist.
        assert all(":*:db:*" in str(statement["Resource"]) for statement in granted)


@pytest.mark.parametrize("step", STEPS)
def test_in_the_source_region_only_snapshots_of_our_name_and_marks_are_deleted(step: str) -> None:
    for statement in role_of(step):
        if allows(statement, "rds:DeleteDBClusterSnapshot") and "SourceRegion" in str(statement["Resource"]):
            assert step == "archive-snapshot"
            assert str(statement["Resource"]).endswith(":cluster-snapshot:aurora-restore-source-*'}")
            assert statement["Condition"]["StringEquals"] == NEW_SNAPSHOT


@pytest.mark.parametrize("step", STEPS)
def test_no_wildcard_action_but_kms_data_keys(step: str) -> None:
    wild = {action for statement in role_of(step) for action in as_list(statement["Action"]) if "*" in action}
    assert wild <= {"kms:GenerateDataKey*", "kms:ReEncrypt*"}


@pytest.mark.parametrize("step", STEPS)
def test_a_wildcard_resource_is_only_looked_at(step: str) -> None:
    wild = [statement for statement in role_of(step) if "*" in as_list(statement["Resource"])]
    actions = {action for statement in wild for action in as_list(statement["Action"])}
    others = {action for action in actions if not action.startswith(("rds:Describe", "ec2:Describe"))}
    allowed = {"copy-snapshot": {"rds:CrossRegionCommunication"}}.get(step, set())
    others -= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}  # with tracing only
    others = {action for action in others if not action.startswith("application-autoscaling:Describe")}
    if step in {"setup-db-users", "check-swap-status"}:
        others = {action for action in others if not action.startswith("ec2:")}  # inside a VPC only
    assert others == allowed
    looks = [statement for statement in wild if "rds:Describe" in str(statement["Action"])]
    assert all("aws:RequestedRegion" in statement["Condition"]["StringEquals"] for statement in looks)


def test_the_role_that_the_secret_excepts_is_the_one_that_exists() -> None:
    policy = PREREQUISITES["Resources"]["MasterCredentialsPolicy"]["Properties"]["ResourcePolicy"]
    write, read = policy["Statement"]
    role = ROLES["SetupDbUsersRole"]["RoleName"]["Fn::Sub"]
    assert [f"role/{role}" in str(statement["Condition"]) for statement in (write, read)] == [False, True]
    assert {statement["Effect"] for statement in (write, read)} == {"Deny"}


def test_the_dba_role_touches_the_master_credentials_only() -> None:
    rights = statements(PREREQUISITES["Resources"]["DbaPolicy"]["Properties"])
    assert [references(statement["Resource"]) for statement in rights] == [{"MasterCredentials.Id"}, {"SecretsKey.Arn"}]


def test_substitutions_are_the_tokens_of_the_definition() -> None:
    tokens = set(re.findall(r"\$\{(\w+)\}", DEFINITION))
    assert tokens == set(STATE_MACHINE["DefinitionSubstitutions"])
    functions = {f"{logical_id(step)}FunctionArn" for step in STEPS if step not in HELPERS}
    assert tokens == {*functions, "RetirementStateMachineArn"}
    given = dict(STATE_MACHINE["DefinitionSubstitutions"])
    assert given.pop("RetirementStateMachineArn") == {"Ref": "RetirementStateMachine"}
    assert all(value == {"Ref": token} for token, value in given.items())


def test_the_retirement_has_the_functions_of_its_definition_and_may_invoke_no_other() -> None:
    definition = (REPOSITORY / "statemachine/aurora_retirement.asl.json").read_text()
    machine = resources_of_type(STEP_FUNCTIONS, "AWS::Serverless::StateMachine")["RetirementStateMachine"]
    tokens = set(re.findall(r"\$\{(\w+)\}", definition))
    assert machine["DefinitionSubstitutions"] == {token: {"Ref": token} for token in tokens}
    invoking = [
        statement
        for statement in statements(STEP_FUNCTIONS["Resources"]["RetirementRole"]["Properties"])
        if allows(statement, "lambda:InvokeFunction")
    ]
    assert [references(statement["Resource"]) for statement in invoking] == [tokens]


def test_the_state_machine_may_invoke_the_ten_functions_and_nothing_else() -> None:
    invoking = [
        statement
        for statement in statements(STEP_FUNCTIONS["Resources"]["StateMachineRole"]["Properties"])
        if allows(statement, "lambda:InvokeFunction")
    ]
    assert len(invoking) == 1
    steps = [step for step in STEPS if step not in HELPERS]
    assert references(invoking[0]["Resource"]) == {f"{logical_id(step)}FunctionArn" for step in steps}


def test_only_the_last_step_asks_for_evidence_which_one_function_alone_signs_and_writes() -> None:
    asking = {step for step in STEPS for statement in role_of(step) if allows(statement, "lambda:InvokeFunction")}
    signing = {step for step in STEPS for statement in role_of(step) if allows(statement, "kms:Sign")}
    writing = {step for step in STEPS for statement in role_of(step) if allows(statement, "s3:PutObject")}
    assert (asking, signing, writing) == ({"sns-notification"}, {"write-evidence"}, {"write-evidence"})
    role = ROLES["WriteEvidenceRole"]["RoleName"]["Fn::Sub"]
    key = PREREQUISITES["Resources"]["EvidenceKey"]["Properties"]["KeyPolicy"]["Statement"]
    (may_sign,) = [statement for statement in key if allows(statement, "kms:Sign")]
    assert may_sign["Condition"]["ArnEquals"]["aws:PrincipalArn"]["Fn::Sub"].endswith(f":role/{role}")
    assert not any(allows(statement, "kms:CreateGrant") for statement in key)
    bucket = PREREQUISITES["Resources"]["EvidenceBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (written,) = [statement for statement in bucket if statement["Sid"] == "WrittenByOneFunctionOnly"]
    assert written["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]["Fn::Sub"].endswith(f":role/{role}")


def test_every_end_without_success_is_told_to_the_last_step_and_lost_nowhere() -> None:
    rule = resources_of_type(STEP_FUNCTIONS, "AWS::Events::Rule")["ClosingRule"]
    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
            "stateMachineArn": [{"Ref": "StateMachine"}, {"Ref": "RetirementStateMachine"}],
        },
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "SnsNotificationFunctionArn"}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert target["DeadLetterConfig"]["Arn"] == {"Ref": "DeadLettersArn"}
    permission = resources_of_type(STEP_FUNCTIONS, "AWS::Lambda::Permission")["ClosingPermission"]
    assert permission["SourceArn"] == {"Fn::GetAtt": ["ClosingRule", "Arn"]}
    own = FUNCTIONS["SnsNotificationFunction"]["DeadLetterQueue"]
    assert own["TargetArn"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}


def test_the_schedule_is_off_by_default() -> None:
    assert STATE_MACHINE["Events"]["Nightly"]["Properties"]["State"] == {"Ref": "ScheduleState"}
    assert ROOT["Parameters"]["ScheduleState"]["Default"] == "DISABLED"
    assert STEP_FUNCTIONS["Parameters"]["ScheduleState"]["Default"] == "DISABLED"


@pytest.mark.parametrize("number", ["2", "3", "4"])
def test_a_further_schedule_is_there_only_with_an_expression_and_differs_from_the_first_in_that_and_its_request(
    number: str,
) -> None:
    resource = STEP_FUNCTIONS["Resources"][f"Schedule{number}"]
    condition = STEP_FUNCTIONS["Conditions"][resource["Condition"]]
    assert condition == {"Fn::Not": [{"Fn::Equals": [{"Ref": f"ScheduleExpression{number}"}, ""]}]}
    assert ROOT["Parameters"][f"ScheduleExpression{number}"]["Default"] == ""
    first = STATE_MACHINE["Events"]["Nightly"]["Properties"]
    further = resource["Properties"]
    target = further.pop("Target")
    assert further.pop("Name") == f"{first['Name']}-{number}"
    assert further == {name: first[name] for name in further} | {
        "ScheduleExpression": {"Ref": f"ScheduleExpression{number}"}
    }
    assert target == {
        "Arn": {"Ref": "StateMachine"},
        "Input": {"Ref": f"ScheduleInput{number}"},
        **{name: first[name] for name in ("RoleArn", "RetryPolicy", "DeadLetterConfig")},
    }


def test_the_schedule_of_fleets_is_off_by_default_and_as_careful_as_the_other() -> None:
    fleets = STEP_FUNCTIONS["Resources"]["FleetStateMachine"]["Properties"]["Events"]["Fleets"]["Properties"]
    nightly = STATE_MACHINE["Events"]["Nightly"]["Properties"]
    assert fleets["State"] == {"Ref": "FleetScheduleState"}
    assert ROOT["Parameters"]["FleetScheduleState"]["Default"] == "DISABLED"
    assert STEP_FUNCTIONS["Parameters"]["FleetScheduleState"]["Default"] == "DISABLED"
    own = {"Name", "Description", "State", "ScheduleExpression", "Input"}
    assert {key: fleets[key] for key in fleets.keys() - own} == {key: nightly[key] for key in nightly.keys() - own}


@pytest.mark.parametrize(
    ("name", "child"),
    [("Tables", TABLES), ("Functions", LAMBDA), ("Orchestration", STEP_FUNCTIONS), ("Monitoring", MONITORING)],
)
def test_the_root_passes_what_the_nested_stack_asks_for(name: str, child: dict[str, Any]) -> None:
    passed = set(ROOT["Resources"][name]["Properties"]["Parameters"])
    assert passed == set(child["Parameters"])


def test_the_root_reads_only_outputs_and_exports_that_exist() -> None:
    children = {"Tables": TABLES, "Functions": LAMBDA, "Orchestration": STEP_FUNCTIONS, "Monitoring": MONITORING}
    text = json.dumps(ROOT)
    read = re.findall(r'"Fn::GetAtt": \["(\w+)", "Outputs\.(\w+)"\]', text)
    assert read
    assert all(output in children[child]["Outputs"] for child, output in read)
    imported = set(re.findall(r'"Fn::ImportValue": "([\w-]+)"', text))
    exports = {output["Export"]["Name"] for output in PREREQUISITES["Outputs"].values()}
    assert imported
    assert imported <= exports


@pytest.mark.parametrize("table", ["StateTable", "AuditTable"])
def test_tables_are_on_demand_encrypted_and_recoverable(table: str) -> None:
    properties = TABLES["Resources"][table]["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"]["KMSMasterKeyId"] == {"Ref": "KmsKeyArn"}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert TABLES["Resources"][table]["UpdateReplacePolicy"] == "Retain"


def test_what_goes_with_the_stack_is_not_protected_from_that() -> None:
    tables = resources_of_type(TABLES, "AWS::DynamoDB::Table")
    protected = {name: table["DeletionProtectionEnabled"] for name, table in tables.items()}
    asked = {"Ref": "DeletionProtection"}
    assert protected == {"StateTable": asked, "AuditTable": asked, "ApprovalsTable": False}
    assert TABLES["Resources"]["ApprovalsTable"]["DeletionPolicy"] == "Delete"


def test_names_are_the_agreed_ones() -> None:
    resources = PREREQUISITES["Resources"]
    secrets = resources_of_type(PREREQUISITES, "AWS::SecretsManager::Secret").values()
    names = {
        TABLES["Resources"]["StateTable"]["Properties"]["TableName"],
        TABLES["Resources"]["AuditTable"]["Properties"]["TableName"],
        resources["NotificationTopic"]["Properties"]["TopicName"],
        resources["SecretsKeyAlias"]["Properties"]["AliasName"],
        resources["DbaRole"]["Properties"]["RoleName"]["Fn::If"][2],
        STATE_MACHINE["Name"],
        resources["CodeBucket"]["Properties"]["BucketName"]["Fn::Sub"],
        *(secret["Name"]["Fn::Sub"] for secret in secrets),
    }
    assert names == {
        "aurora-restore-state",
        "aurora-restore-audit",
        "aurora-restore-notifications",
        "alias/aurora-restore-secrets",
        "aurora-restore-dba-role",
        "aurora-restore-pipeline",
        "aurora-restore-lambda-code-${AWS::AccountId}-${AWS::Region}",
        "aurora-restore/${Environment}/master-credentials",
        "aurora-restore/${Environment}/app-credentials",
        "aurora-restore/${Environment}/kms-key",
    }
