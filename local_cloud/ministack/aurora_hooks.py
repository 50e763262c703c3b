"""Ties the local Aurora to the cloud around it: IAM, KMS and Secrets Manager are ministack's."""

from __future__ import annotations

import contextvars
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local_cloud.aurora.errors import AccessDeniedError, ApiError
from local_cloud.aurora.hooks import (
    Caller,
    Hooks,
    KmsKey,
    ResourceRequest,
    Secret,
    credential_scope,
    presigning_key,
)
from local_cloud.credentials import root_credentials
from local_cloud.hop.server import Hop
from local_cloud.ministack import ministack_modules
from local_cloud.ministack.aurora_networks import MinistackNetworks, MinistackRoles

T = TypeVar("T")
_AWS_MANAGED = re.compile(r"(?:arn:aws:kms:[a-z0-9-]+:[0-9]{12}:)?alias/aws/(?P<service>[a-z]+)")
# The Query protocol's word for ministack's (which speaks JSON's); everything else is the same in both.
_QUERY_CODES = {"UnrecognizedClientException": "InvalidClientTokenId", "ExpiredTokenException": "ExpiredToken"}


def hooks(endpoint: str, hop: Hop | None = None) -> Hooks:
    """Everything the local Aurora asks of the cloud, answered by the ministack of this process, and its hop."""
    client = _clients(endpoint)
    return Hooks(
        authenticator=MinistackAuthenticator(),
        authorizer=MinistackAuthorizer(),
        keys=MinistackKeys(client),
        secrets=MinistackSecrets(client),
        roles=MinistackRoles(client),
        networks=MinistackNetworks(client),
        functions=HopFunctions(hop) if hop else None,
    )


def _clients(endpoint: str) -> Callable[[str, str, str], Any]:
    @functools.cache
    def client(service: str, account_id: str, region: str) -> Any:
        credentials = root_credentials(account_id)
        session = boto3.Session(
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            region_name=region,
        )
        retries: Any = {"mode": "standard", "max_attempts": 2}
        return session.client(service, endpoint_url=endpoint, config=Config(retries=retries))  # type: ignore[call-overload]

    return client


class MinistackAuthenticator:
    """Checks a request's signature against the users, roles and sessions of ministack's IAM."""

    def authenticate(self, headers: Mapping[str, str], body: bytes) -> Caller:
        """Return the caller; ApiError 403 for an unknown key, a wrong signature or an expired session."""
        key, region = credential_scope(headers)
        return contextvars.copy_context().run(self._authenticate, key, region, headers, body)

    def authenticate_url(self, url: str) -> Caller:
        """Return who presigned a GET of this URL; ApiError 403 as above, and once the URL has expired."""
        key, region = presigning_key(url)
        return contextvars.copy_context().run(self._authenticate_url, key, region, urlsplit(url))

    def _authenticate(self, key: str, region: str, headers: Mapping[str, str], body: bytes) -> Caller:
        evaluator = ministack_modules.core("iam_evaluator")
        account_id = _enter_scope(key, region)
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        evaluator.pin_signed_request("POST", "/", {}, raw)
        evaluator.pin_signed_body(body)
        return self._caller(key, account_id)

    def _authenticate_url(self, key: str, region: str, url: SplitResult) -> Caller:
        evaluator = ministack_modules.core("iam_evaluator")
        account_id = _enter_scope(key, region)
        query = parse_qs(url.query, keep_blank_values=True)
        evaluator.pin_signed_request("GET", url.path, query, [(b"host", url.netloc.encode("latin-1"))])
        return self._caller(key, account_id)

    def _caller(self, key: str, account_id: str) -> Caller:
        evaluator = ministack_modules.core("iam_evaluator")
        credential = evaluator.authenticate(key, account_id)
        if credential is None:  # an account's root, whose signature ministack does not check
            credential = evaluator.resolve_credential(key, account_id)
        if hasattr(credential, "code"):
            code = _QUERY_CODES.get(credential.code, credential.code)
            raise ApiError(code, credential.message, http_status=403)
        return Caller(account_id=credential.account_id, arn=credential.principal_arn, access_key_id=key)


class MinistackAuthorizer:
    """Judges a call by the policies of the caller, with the tags and condition keys of the resource."""

    def authorize(self, caller: Caller, action: str, resources: Sequence[ResourceRequest]) -> None:
        """Raise AccessDeniedError at the first resource on which the action is not allowed."""
        for resource in resources:
            contextvars.copy_context().run(self._authorize_one, caller, action, resource)

    def _authorize_one(self, caller: Caller, action: str, resource: ResourceRequest) -> None:
        evaluator = ministack_modules.core("iam_evaluator")
        region = next(iter(resource.context.get("aws:RequestedRegion", ())), "")
        _enter_scope(caller.access_key_id, region)
        denied = evaluator.enforce(
            caller.access_key_id, action, action.partition(":")[0], region,
            resource_arn=resource.arn, service_context=condition_context(resource.context),
        )  # fmt: skip
        if denied is not None:
            raise AccessDeniedError(caller.arn, action, resource.arn)


def condition_context(context: Mapping[str, Sequence[str]]) -> dict[str, str | list[str]]:
    """Condition keys as ministack wants them: a list only where IAM's key is multi-valued."""
    return {
        key: list(values) if key == "aws:TagKeys" or len(values) != 1 else values[0] for key, values in context.items()
    }


class MinistackKeys:
    """The KMS keys that RDS may be told to use."""

    def __init__(self, client: Callable[[str, str, str], Any]) -> None:
        self._client = client

    def find_key(self, account_id: str, region: str, key_id: str) -> KmsKey | None:
        """Return the key as `account_id` sees it from `region`, None if there is none."""
        owner, home = _owner_and_region(key_id, account_id, region)
        if home != region:
            return None
        managed = _AWS_MANAGED.fullmatch(key_id)
        if managed:
            # AWS makes these keys at first use; ministack never does.
            return KmsKey(arn=f"arn:aws:kms:{region}:{account_id}:key/aws-{managed['service']}", aws_managed=True)
        if key_id.endswith((":key/aws-rds", ":key/aws-secretsmanager")):
            return KmsKey(arn=key_id, aws_managed=True)
        try:
            described = self._client("kms", owner, region).describe_key(KeyId=key_id)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NotFoundException":
                return None
            raise
        metadata = described["KeyMetadata"]
        return KmsKey(
            arn=metadata["Arn"],
            enabled=bool(metadata["Enabled"]),
            symmetric=metadata.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT",
            aws_managed=metadata.get("KeyManager") == "AWS",
        )


class MinistackSecrets:
    """The secrets of master passwords that RDS manages."""

    def __init__(self, client: Callable[[str, str, str], Any]) -> None:
        self._client = client

    def create(
        self, account_id: str, region: str, name: str, value: str, kms_key_id: str | None, tags: Mapping[str, str]
    ) -> str:
        """Create a secret and return its ARN."""
        key = {"KmsKeyId": kms_key_id} if kms_key_id else {}
        tag_list = [{"Key": tag, "Value": text} for tag, text in tags.items()]
        client = self._client("secretsmanager", account_id, region)
        return str(client.create_secret(Name=name, SecretString=value, Tags=tag_list, **key)["ARN"])

    def update(self, arn: str, value: str) -> None:
        """Give a secret a new value."""
        self._of(arn).put_secret_value(SecretId=arn, SecretString=value)

    def get(self, arn: str) -> str:
        """Return a secret's value."""
        return str(self._of(arn).get_secret_value(SecretId=arn)["SecretString"])

    def find(self, arn: str) -> Secret | None:
        """Return a secret, None if there is none or it is to be deleted."""
        try:
            told = self._of(arn).describe_secret(SecretId=arn)
            return Secret(value=self.get(arn), tags={tag["Key"]: tag["Value"] for tag in told.get("Tags", [])})
        except ClientError as error:
            if error.response["Error"]["Code"] in {"ResourceNotFoundException", "InvalidRequestException"}:
                return None
            raise

    def delete(self, arn: str) -> None:
        """Delete a secret at once, as RDS does with its cluster."""
        self._of(arn).delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)

    def _of(self, arn: str) -> Any:
        owner, region = _owner_and_region(arn, "", "")
        return self._client("secretsmanager", owner, region)


class HopFunctions:
    """The functions whose calls pass the hop."""

    def __init__(self, hop: Hop) -> None:
        self._hop = hop

    def kill(self, operation_id: str) -> None:
        """End the process of the function that works on an operation."""
        self._hop.invocations.at_work_on(operation_id).kill()

    def run_again(self, operation_id: str) -> None:
        """Run that function once more, and wait for its end."""
        self._hop.run_again(self._hop.invocations.at_work_on(operation_id))


def _owner_and_region(name: str, account_id: str, region: str) -> tuple[str, str]:
    if not name.startswith("arn:"):
        return account_id, region
    parts = name.split(":")
    return parts[4], parts[3]


def _enter_scope(access_key_id: str, region: str) -> str:
    """Make ministack's request scope that of a caller, as its own front door does; return the account."""
    responses = ministack_modules.core("responses")
    responses.set_request_account_id(ministack_modules.app()._request_account_scope(access_key_id))
    responses.set_request_region(region)
    return str(responses.get_account_id())
