"""Makes ministack's IAM judge as AWS's where the templates depend on it (ministack 1.5.33)."""

from __future__ import annotations

import functools
import json
import threading
import types
from collections.abc import Callable
from typing import Any

from local_cloud.ministack import ministack_modules


def install() -> None:
    """Correct condition keys, the rights to secrets and the keeping of sessions."""
    register_one_session_at_a_time()
    give_sessions_the_arn_of_their_role()
    take_the_loopback_for_tls()
    ask_for_the_key_of_a_secret()
    tell_the_leading_keys_of_dynamodb_calls()
    tell_the_source_of_events()
    tell_the_namespace_of_scaling()
    tell_what_kms_knows_of_a_call()
    judge_key_aliases_as_their_keys()
    read_each_policy_once()
    read_each_request_once()


def register_one_session_at_a_time() -> None:
    """Let functions that start at the same moment have their roles' sessions one after the other.

    ministack looks through all sessions for those to forget while another thread adds one, at which Python raises
    RuntimeError, and a function does not start.
    """
    service = ministack_modules.service("sts")
    original: Callable[[str, Any], None] = service.register_session
    lock = threading.Lock()

    def register_session(access_key: str, session: Any) -> None:
        with lock:
            original(access_key, session)

    service.register_session = register_session


def give_sessions_the_arn_of_their_role() -> None:
    """Make aws:PrincipalArn of an assumed role the role's ARN.

    ministack gives the session's (arn:aws:sts::…:assumed-role/…), which no policy names.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    evaluator = ministack_modules.core("iam_evaluator")
    roles = ministack_modules.service("iam")._roles
    original: Callable[[str, Any], Any] = evaluator._resolve_condition_key

    def resolve(key: str, context: Any) -> Any:
        if key.lower() == "aws:principalarn" and context.principal_type == "AssumedRole":
            name = evaluator._role_name_from_assumed_arn(context.principal_arn)
            role = roles.get_scoped(context.principal_account, None, name)
            if role:
                return role["Arn"]
        return original(key, context)

    evaluator._resolve_condition_key = resolve


def take_the_loopback_for_tls() -> None:
    """Make aws:SecureTransport true: plain HTTP that never leaves this machine stands in for AWS's TLS."""
    evaluator = ministack_modules.core("iam_evaluator")
    original: Callable[[str, Any], Any] = evaluator._resolve_condition_key
    evaluator._resolve_condition_key = lambda key, context: (
        "true" if key.lower() == "aws:securetransport" else original(key, context)
    )


def tell_the_leading_keys_of_dynamodb_calls() -> None:
    """Fill the condition key dynamodb:LeadingKeys for the calls on one item."""
    actions = ministack_modules.core("iam_actions")
    tables = ministack_modules.service("dynamodb")._tables
    original = actions.dynamodb_service_context

    def with_leading_keys(body: bytes) -> dict[str, Any]:
        found: dict[str, Any] = original(body)
        request = actions.json.loads(body or b"{}")
        item = request.get("Key") or request.get("Item")
        table = tables.get(request.get("TableName", "").rsplit("/", 1)[-1])
        if item and table:
            found["dynamodb:LeadingKeys"] = [str(value) for value in item.get(table["pk_name"], {}).values()]
        return found

    actions.dynamodb_service_context = with_leading_keys


def tell_the_source_of_events() -> None:
    """Fill the condition key events:source of PutEvents."""
    actions = ministack_modules.core("iam_actions")
    original: Callable[..., dict[str, Any]] = actions.request_tag_context

    def with_source(service: str, iam_action: str, body: bytes, *args: Any) -> dict[str, Any]:
        found = original(service, iam_action, body, *args)
        if iam_action != "events:PutEvents":
            return found
        entries = json.loads(body or b"{}").get("Entries", [])
        sources = list(dict.fromkeys(str(entry.get("Source", "")) for entry in entries))
        return {**found, "events:source": sources[0] if len(sources) == 1 else sources}

    actions.request_tag_context = with_source


def tell_the_namespace_of_scaling() -> None:
    """Fill the condition key application-autoscaling:service-namespace, which every call says itself."""
    actions = ministack_modules.core("iam_actions")
    original: Callable[..., dict[str, Any]] = actions.request_tag_context

    def with_namespace(service: str, iam_action: str, body: bytes, *args: Any) -> dict[str, Any]:
        found = original(service, iam_action, body, *args)
        if not iam_action.startswith("application-autoscaling:"):
            return found
        namespace = json.loads(body or b"{}").get("ServiceNamespace", "")
        return {**found, "application-autoscaling:service-namespace": namespace}

    actions.request_tag_context = with_namespace


def tell_what_kms_knows_of_a_call() -> None:
    """Fill the condition keys kms:CallerAccount, and of a signature kms:SigningAlgorithm and kms:MessageType."""
    actions = ministack_modules.core("iam_actions")
    responses = ministack_modules.core("responses")
    original: Callable[..., dict[str, Any]] = actions.request_tag_context

    def with_caller(service: str, iam_action: str, body: bytes, *args: Any) -> dict[str, Any]:
        found = original(service, iam_action, body, *args)
        if service != "kms":
            return found
        found = {**found, "kms:CallerAccount": responses.get_account_id()}
        if iam_action not in {"kms:Sign", "kms:Verify"}:
            return found
        request = json.loads(body or b"{}")
        algorithm, kind = request.get("SigningAlgorithm", ""), request.get("MessageType", "RAW")
        return {**found, "kms:SigningAlgorithm": algorithm, "kms:MessageType": kind}

    actions.request_tag_context = with_caller


def judge_key_aliases_as_their_keys() -> None:
    """Take the key's ARN as the resource of a KMS call that names an alias, as IAM does."""
    actions = ministack_modules.core("iam_actions")
    kms = ministack_modules.service("kms")
    original = actions.extract_resource_arn

    def with_keys(service: str, *args: Any) -> str:
        arn: str = original(service, *args)
        key = kms._aliases.get(arn) if service == "kms" and ":alias/" in arn else None
        return f"{arn.rsplit(':', 1)[0]}:key/{key}" if key else arn

    actions.extract_resource_arn = with_keys


def ask_for_the_key_of_a_secret() -> None:
    """Refuse a secret's value to who may not decrypt with its key, as Secrets Manager does; ministack asks no key.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-authz
    """
    evaluator = ministack_modules.core("iam_evaluator")
    responses = ministack_modules.core("responses")
    secrets = ministack_modules.service("secretsmanager")
    keys = ministack_modules.service("kms")
    original: Callable[[dict[str, Any]], Any] = secrets._get_secret_value

    def get_secret_value(data: dict[str, Any]) -> Any:
        access_key = evaluator._verified_key.get()  # empty for an account's root, who may everything
        _, secret = secrets._resolve(data.get("SecretId"))
        key = keys._resolve_key(secret["KmsKeyId"]) if access_key and secret and secret.get("KmsKeyId") else None
        if key:
            region = responses.get_region()
            context = {
                "kms:ViaService": f"secretsmanager.{region}.amazonaws.com",
                "kms:EncryptionContext:SecretARN": secret["ARN"],
                "kms:CallerAccount": responses.get_account_id(),
            }
            key_arn = key["Arn"]
            if evaluator.enforce(access_key, "kms:Decrypt", "kms", region, key_arn, context) is not None:
                return responses.error_response_json("AccessDeniedException", "Access to KMS is not allowed", 400)
        return original(data)

    secrets._get_secret_value = get_secret_value


def read_each_policy_once() -> None:
    """Keep what a policy's text says: ministack reads all policies of a caller twice for each of its requests."""
    evaluator = ministack_modules.core("iam_evaluator")
    original: Callable[[Any], list[Any]] = evaluator.parse_policy_document
    of_text = functools.lru_cache(maxsize=1000)(original)

    def parse_policy_document(document: Any) -> list[Any]:
        return list(of_text(document)) if isinstance(document, str) else original(document)

    evaluator.parse_policy_document = parse_policy_document


def read_each_request_once() -> None:
    """Keep what the newest requests say: ministack reads a body once for its resources, once for its keys and so on."""
    actions = ministack_modules.core("iam_actions")
    reading = {**vars(json), "loads": functools.lru_cache(maxsize=16)(json.loads)}
    actions.json = types.SimpleNamespace(**reading)
