"""The functions' configuration, read from the environment when a step starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from utils.aws.notifier import NotificationFormat
from utils.database.server.tls import SHIPPED_CA_FILE, Tls, TlsMode
from utils.errors import ConfigurationMissing

_DEPLOY_AGAIN = "deploy the stack again; do not edit the function by hand"
# What to say of a value that does not fit: what was found, what was expected, what to do.
_MISFITS = {
    "sns_topic_arn": ("a value that is not an ARN", "the ARN of the notification topic", _DEPLOY_AGAIN),
    "database_tls": (
        "{}",
        " or ".join(TlsMode),
        "correct the stack parameter DatabaseTls and deploy the stack again",
    ),
    "notification_format": (
        "{}",
        " or ".join(NotificationFormat),
        "correct the stack parameter NotificationFormat and deploy the stack again",
    ),
}


class Settings(BaseModel):
    """Environment of every function; each field is the variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True)

    environment: str
    ownership_mark: str = "true"
    state_table_name: str
    audit_table_name: str
    sns_topic_arn: Annotated[str, Field(pattern=r"^[^:]*(:[^:]*){5}$")]
    source_region: str
    target_region: str
    kms_key_id: str
    master_secret_name: str
    app_secret_name: str
    source_cluster_id: str = ""
    target_cluster_id: str = ""
    target_cluster_pattern: str = "*"
    allow_public_access: bool = False
    point_in_time_sources: str = ""
    new_snapshot_sources: str = ""
    request_defaults: str = "{}"
    mandatory_request: str = "{}"
    quarantine_security_group_ids: str = ""
    database_tls: TlsMode = TlsMode.VERIFY_FULL
    database_ca_file: str = ""
    notification_format: NotificationFormat = NotificationFormat.TEXT
    require_approval: bool = False
    approvals_table_name: str = ""
    evidence_function_name: str = ""
    evidence_bucket: str = ""
    evidence_key_id: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; raises `ConfigurationMissing` that names the missing variables, or the first misfit."""
        given = {name: environment.get(name.upper(), "") for name in cls.model_fields}
        try:
            return cls.model_validate({name: value for name, value in given.items() if value})
        except ValidationError as error:
            problems = [(str(problem["loc"][0]), problem["type"]) for problem in error.errors()]
        missing = [name.upper() for name, kind in problems if kind == "missing"]
        if missing:
            raise ConfigurationMissing(
                f"no value for {', '.join(missing)}",
                expected="every variable of infrastructure/lambda.yaml in the function's environment",
                action=_DEPLOY_AGAIN,
            )
        name, _ = problems[0]
        found, expected, action = _MISFITS[name]
        raise ConfigurationMissing(found.format(given[name]), field=name.upper(), expected=expected, action=action)

    @property
    def quarantine_group_ids(self) -> list[str]:
        """The security groups that a restored cluster starts with; none: it starts with the target's."""
        return [name.strip() for name in self.quarantine_security_group_ids.split(",") if name.strip()]

    @property
    def environment_beside(self) -> str:
        """The environment, if it has its own name in all names; empty with the guide's."""
        return "" if self.ownership_mark == "true" else self.ownership_mark

    @property
    def account_id(self) -> str:
        """The account that the pipeline is deployed in."""
        return self.sns_topic_arn.split(":")[4]

    @property
    def partition(self) -> str:
        """The partition of AWS, such as `aws` or `aws-cn`."""
        return self.sns_topic_arn.split(":")[1]

    @property
    def tls(self) -> Tls:
        """How the restored database shows that it is the one."""
        ca_file = Path(self.database_ca_file) if self.database_ca_file else SHIPPED_CA_FILE
        return Tls(mode=self.database_tls, ca_file=ca_file)
