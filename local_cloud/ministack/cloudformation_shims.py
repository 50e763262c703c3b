"""Resource types that the templates use and ministack 1.5.33 does not have."""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Any

from local_cloud.ministack import ministack_modules

Json = dict[str, Any]
_nested_parameters: ContextVar[list[dict[str, str]]] = ContextVar("nested_parameters", default=[])  # noqa: B039 - only read


def install() -> None:
    """Teach ministack's CloudFormation the missing types."""
    keep_resource_policies_of_secrets()
    lock_objects_of_buckets()
    transform_nested_templates()
    keep_attributes_of_nested_updates()
    import_secrets()
    compare_what_there_will_be()


def keep_resource_policies_of_secrets() -> None:
    """Support AWS::SecretsManager::ResourcePolicy; ministack enforces such policies, but only its API sets them."""
    handlers = ministack_modules.service("cloudformation.provisioners")._RESOURCE_HANDLERS
    secrets = ministack_modules.service("secretsmanager")

    def put(properties: Json) -> str:
        request = {
            "SecretId": properties["SecretId"],
            "ResourcePolicy": json.dumps(properties["ResourcePolicy"]),
            "BlockPublicPolicy": properties.get("BlockPublicPolicy", False),
        }
        status, _, body = secrets._put_resource_policy(request)
        if status >= 400:
            raise ValueError(f"AWS::SecretsManager::ResourcePolicy: {body!r}")
        return str(json.loads(body)["ARN"])

    def create(_logical_id: str, properties: Json, _stack_name: str) -> tuple[str, Json]:
        return put(properties), {}

    def update(_physical_id: str, _old: Json, new: Json, _stack_name: str) -> tuple[str, Json]:
        return put(new), {}

    def delete(physical_id: str, _properties: Json) -> None:
        secrets._delete_resource_policy({"SecretId": physical_id})

    handlers["AWS::SecretsManager::ResourcePolicy"] = {"create": create, "update": update, "delete": delete}


def lock_objects_of_buckets() -> None:
    """Support ObjectLockEnabled and ObjectLockConfiguration of AWS::S3::Bucket; ministack's S3 has both."""
    handlers = ministack_modules.service("cloudformation.provisioners")._RESOURCE_HANDLERS
    s3 = ministack_modules.service("s3")
    bucket = handlers["AWS::S3::Bucket"]
    create_bucket, update_bucket = bucket["create"], bucket["update"]

    def lock(name: str, properties: Json) -> None:
        if not properties.get("ObjectLockEnabled"):
            return
        retention = (properties.get("ObjectLockConfiguration") or {}).get("Rule", {}).get("DefaultRetention")
        kept = {"Mode": retention["Mode"], "Days": int(retention["Days"])} if retention else None
        s3._bucket_object_lock[name] = {"enabled": True, "default_retention": kept}

    def create(logical_id: str, properties: Json, stack_name: str) -> tuple[str, Json]:
        made: tuple[str, Json] = create_bucket(logical_id, properties, stack_name)
        lock(made[0], properties)
        return made

    def update(physical_id: str, old: Json, new: Json, stack_name: str) -> tuple[str, Json]:
        made: tuple[str, Json] = update_bucket(physical_id, old, new, stack_name)
        lock(made[0], new)
        return made

    handlers["AWS::S3::Bucket"] = {**bucket, "create": create, "update": update}


def transform_nested_templates() -> None:
    """Expand the transforms of nested templates too; ministack does so for the root of a stack only."""
    provisioners = ministack_modules.service("cloudformation.provisioners")
    engine = ministack_modules.service("cloudformation.engine")
    deploy, check = provisioners._cfn_nested_stack_deploy, provisioners._check_nested_stack_capabilities

    def deploy_with_parameters(logical_id: str, properties: Json, *args: Any, **kwargs: Any) -> Any:
        given = properties.get("Parameters") or {}
        token = _nested_parameters.set(
            [{"Key": key, "Value": "" if value is None else str(value)} for key, value in given.items()]
        )
        try:
            return deploy(logical_id, properties, *args, **kwargs)
        finally:
            _nested_parameters.reset(token)

    def check_and_transform(parent_stack_name: str, template: Json) -> None:
        check(parent_stack_name, template)  # judges the declared transforms: CAPABILITY_AUTO_EXPAND
        # A template without a transform comes back itself, and would be cleared below.
        expanded = dict(engine._apply_transforms(template, _nested_parameters.get()))
        parameters = engine._resolve_parameters(expanded, _nested_parameters.get())
        engine.validate_template_support(expanded, engine._evaluate_conditions(expanded, parameters))
        template.clear()
        template.update(expanded)

    provisioners._cfn_nested_stack_deploy = deploy_with_parameters
    provisioners._check_nested_stack_capabilities = check_and_transform


def keep_attributes_of_nested_updates() -> None:
    """Keep what an update handler does not return, such as a log group's Arn; only root stacks keep it."""
    provisioners = ministack_modules.service("cloudformation.provisioners")
    stacks = ministack_modules.service("cloudformation")
    original = provisioners._update_resource

    def update(kind: str, physical_id: str, old: Json, new: Json, stack_name: str, logical_id: str) -> tuple[str, Json]:
        stack = stacks._stacks.get(stack_name) or {}
        before = dict((stack.get("_resources", {}).get(logical_id) or {}).get("Attributes") or {})
        new_id, attributes = original(kind, physical_id, old, new, stack_name, logical_id)
        return new_id, {**before, **(attributes or {})} if new_id == physical_id else attributes

    provisioners._update_resource = update


def import_secrets() -> None:
    """Support the import of AWS::SecretsManager::Secret, by its ARN; ministack's physical id is the name."""
    handlers = ministack_modules.service("cloudformation.provisioners")._RESOURCE_HANDLERS
    changesets = ministack_modules.service("cloudformation.changesets")
    secrets = ministack_modules.service("secretsmanager")
    compared = changesets._import_ref

    def name_of(arn: str) -> str | None:
        return next((str(name) for name, secret in secrets._secrets.items() if secret["ARN"] == arn), None)

    def problem(arn: str) -> str | None:
        if name_of(arn) is None:
            return f"Resource of type 'AWS::SecretsManager::Secret' with identifier '{arn}' was not found."
        return None

    def take(identifier: dict[str, str]) -> tuple[str, Json]:
        arn = identifier["Id"]
        return str(name_of(arn)), {"Id": arn, "Arn": arn}

    def compare(kind: str, value: str) -> Any:
        return name_of(value) or value if kind == "AWS::SecretsManager::Secret" else compared(kind, value)

    handlers["AWS::SecretsManager::Secret"]["import"] = take
    changesets._IMPORT_LOOKUPS["AWS::SecretsManager::Secret"] = (("Id",), problem)
    changesets._import_ref = compare


def compare_what_there_will_be() -> None:
    """Leave resources whose condition is false out of a change set; ministack lists them as added."""
    changesets = ministack_modules.service("cloudformation.changesets")
    engine = ministack_modules.service("cloudformation.engine")
    resolve = changesets._resolve_props_for_diff

    def resolve_those(template: Json, parameters: Json, *stack: str) -> Json:
        conditions = engine._evaluate_conditions(template, parameters)
        resolved: Json = resolve(template, parameters, *stack)
        made = {
            name: resource
            for name, resource in resolved.get("Resources", {}).items()
            if conditions.get(resource.get("Condition"), True)
        }
        return {**resolved, "Resources": made}

    changesets._resolve_props_for_diff = resolve_those
