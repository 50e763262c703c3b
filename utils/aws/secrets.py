"""Secrets Manager: the credentials of the master and of the database users."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from utils.aws.calls import aws_call, error_code
from utils.credentials import AppCredentials, Credentials
from utils.errors import SecretInvalid
from utils.json_text import NotJson, read_json

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

_Model = TypeVar("_Model", bound=BaseModel)

REFUSED_BY_RDS = frozenset('/@" ')
PLACEHOLDERS = {"PLACEHOLDER", "APP_PASSWORD", "READONLY_PASSWORD", "DEVOPS_PASSWORD"}


class SecretsGateway:
    """Reads secrets; an error names the secret and the field, never a value."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    def master_credentials(self, secret_name: str) -> Credentials:
        """Read the master user's credentials, with a password that RDS takes; raises `SecretInvalid`.

        https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html, MasterUserPassword
        """
        credentials = self._read(secret_name, Credentials)
        password = credentials.password.get_secret_value()
        if not (password.isascii() and password.isprintable()) or set(password) & REFUSED_BY_RDS:
            raise _invalid(
                secret_name,
                "password",
                "a character that RDS refuses in a master password",
                'printable ASCII without "/", "@", double quotes and spaces',
            )
        return credentials

    def app_credentials(self, secret_name: str) -> AppCredentials:
        """Read the database users' credentials; raises `SecretInvalid`."""
        credentials = self._read(secret_name, AppCredentials)
        names = [login.username for _, _, login in credentials.logins()]
        if len(set(names)) < len(names):
            raise _invalid(secret_name, "username", "a user name that is used twice", "different user names")
        return credentials

    def _read(self, secret_name: str, model: type[_Model]) -> _Model:
        with aws_call("secretsmanager:GetSecretValue"):
            try:
                text = self._client.get_secret_value(SecretId=secret_name).get("SecretString", "")
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                raise _invalid(secret_name, "SecretString", "no secret or no value", "a value") from None
        try:
            document = read_json(text)
        except NotJson:
            raise _invalid(secret_name, "SecretString", "text that is not JSON", "a JSON object") from None
        _refuse_placeholders(secret_name, document)
        try:
            return model.model_validate(document)
        except ValidationError as error:
            # Only place and kind of the problem: the input is secret.
            problem = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in problem["loc"])
            raise _invalid(secret_name, field, "something that does not fit", _in_words(problem)) from None


def _in_words(problem: Mapping[str, Any]) -> str:
    # Of a hidden text pydantic counts items.
    bounds: Mapping[str, int] = problem.get("ctx", {})
    if problem["type"] == "too_short":
        return f"at least {bounds['min_length']} characters"
    if problem["type"] == "too_long":
        return f"at most {bounds['max_length']} characters"
    return str(problem["msg"])


def _refuse_placeholders(secret_name: str, document: Any) -> None:
    if isinstance(document, dict):
        for name, value in document.items():
            if name == "password" and isinstance(value, str) and value in PLACEHOLDERS:
                raise _invalid(secret_name, "password", "the placeholder of the template", "a password of your own")
            _refuse_placeholders(secret_name, value)


def _invalid(secret_name: str, field: str, found: str, expected: str) -> SecretInvalid:
    return SecretInvalid(
        found,
        field=f"secret {secret_name}, {field}",
        expected=expected,
        action="put the value as docs/01_prerequisites.md shows, then start the run again",
    )
