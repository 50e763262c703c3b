"""Stacks: a name that is taken, a stack whose creation failed, of which only the deletion is left, a protected table.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events-by-operation.html (status codes)
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html (a resource that already exists)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules

Json = dict[str, Any]
_ONLY_TO_BE_DELETED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
_PROTECTED = "DeletionProtectionEnabled"


def install() -> None:
    """Refuse to take over what exists, to go on with a stack that failed, and to delete a table that is protected."""
    take_over_nothing()
    go_on_with_no_failed_stack()
    delete_no_protected_table()


def take_over_nothing() -> None:
    """Let the creation of a resource fail whose name is taken; ministack overwrites it."""
    handlers = ministack_modules.service("cloudformation.provisioners")._RESOURCE_HANDLERS
    for kind, (naming, exists) in _kinds().items():
        handlers[kind]["create"] = _unless_there(kind, naming, exists, handlers[kind]["create"])


def go_on_with_no_failed_stack() -> None:
    """Refuse to create or update a stack in ROLLBACK_COMPLETE and its like; ministack does both."""
    handlers = ministack_modules.service("cloudformation.handlers")
    answers = handlers._ACTION_HANDLERS
    for name in ("CreateStack", "UpdateStack", "CreateChangeSet"):
        answers[name] = _unless_failed(handlers._error, name, answers[name])


def delete_no_protected_table() -> None:
    """Let a deletion fail for a table with deletion protection: CloudFormation asks DynamoDB, ministack's does not.

    ministack keeps a parameter's "false" as the word, which every client takes for true.
    """
    tables = ministack_modules.service("dynamodb")._tables
    provisioners = ministack_modules.service("cloudformation.provisioners")
    table = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    delete: Callable[[str, Json], None] = table["delete"]

    def delete_unprotected(physical_id: str, properties: Json) -> None:
        if tables.get(physical_id, {}).get(_PROTECTED):
            raise ValueError(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection "
                "first. (Service: DynamoDb, Status Code: 400)"
            )
        delete(physical_id, properties)

    def by_truth(make: Callable[..., tuple[str, Json]]) -> Callable[..., tuple[str, Json]]:
        def made(*arguments: Any, **more: Any) -> tuple[str, Json]:
            name, attributes = make(*arguments, **more)
            tables[name][_PROTECTED] = provisioners._cfn_bool(tables[name].get(_PROTECTED))
            return name, attributes

        return made

    table |= {"create": by_truth(table["create"]), "update": by_truth(table["update"]), "delete": delete_unprotected}


def _kinds() -> dict[str, tuple[str, Callable[[str], bool]]]:
    """Return, of each resource type, the property that names it and how to tell whether the name is taken."""
    iam, topics = ministack_modules.service("iam"), ministack_modules.service("sns")
    tables, functions = ministack_modules.service("dynamodb"), ministack_modules.service("lambda_svc")
    logs, keys = ministack_modules.service("cloudwatch_logs"), ministack_modules.service("kms")
    queues = ministack_modules.service("sqs")
    machines, secrets = ministack_modules.service("stepfunctions"), ministack_modules.service("secretsmanager")
    return {
        "AWS::IAM::Role": ("RoleName", lambda name: name in iam._roles),
        "AWS::SNS::Topic": ("TopicName", lambda name: _ends(topics._topics, name)),
        "AWS::DynamoDB::Table": ("TableName", lambda name: name in tables._tables),
        "AWS::Lambda::Function": ("FunctionName", lambda name: name in functions._functions),
        "AWS::StepFunctions::StateMachine": ("StateMachineName", lambda name: _ends(machines._state_machines, name)),
        "AWS::Logs::LogGroup": ("LogGroupName", lambda name: name in logs._log_groups),
        "AWS::KMS::Alias": ("AliasName", lambda name: _ends(keys._aliases, name)),
        "AWS::SQS::Queue": ("QueueName", lambda name: any(str(url).endswith(f"/{name}") for url in queues._queues)),
        "AWS::SecretsManager::Secret": ("Name", lambda name: _is_there(secrets._secrets.get(name))),
    }


def _ends(by_arn: Any, name: str) -> bool:
    return any(str(arn).endswith(f":{name}") for arn in by_arn)


def _is_there(secret: Json | None) -> bool:
    return secret is not None and not secret.get("DeletedDate")


def _unless_there(
    kind: str, naming: str, exists: Callable[[str], bool], create: Callable[..., Any]
) -> Callable[..., Any]:
    def create_new(logical_id: str, properties: Json, *rest: Any, **options: Any) -> Any:
        name = properties.get(naming)
        if name and exists(name):
            raise ValueError(f"Resource of type '{kind}' with identifier '{name}' already exists.")
        return create(logical_id, properties, *rest, **options)

    return create_new


def _unless_failed(
    refuse: Callable[[str, str], Any], name: str, answer: Callable[[Json], Any]
) -> Callable[[Json], Any]:
    stacks = ministack_modules.service("cloudformation")._stacks

    def answer_unless_failed(params: Json) -> Any:
        stack = stacks.get(_first(params, "StackName")) or {}
        status = stack.get("StackStatus")
        if status not in _ONLY_TO_BE_DELETED:
            return answer(params)
        if name == "CreateStack" or _first(params, "ChangeSetType") == "CREATE":
            return refuse("AlreadyExistsException", f"Stack [{stack['StackName']}] already exists")
        return refuse("ValidationError", f"Stack:{stack['StackId']} is in {status} state and can not be updated.")

    return answer_unless_failed


def _first(params: Json, name: str) -> str:
    value = params.get(name, "")
    text = str(value[0] if isinstance(value, list) and value else value or "")
    return text.rpartition(":stack/")[2].partition("/")[0] if text.startswith("arn:") else text
