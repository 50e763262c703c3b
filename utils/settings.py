"""The functions' configuration, read from the environment when a step starts."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from utils.aws.notifier import NotificationFormat
from utils.database.server.tls import SHIPPED_CA_FILE, Tls, TlsMode
from utils.errors import ConfigurationMissing


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Environment of every function; each field is the variable of the same name in capitals."""

    environment: str
    state_table_name: str
    audit_table_name: str
    sns_topic_arn: str
    source_region: str
    target_region: str
    kms_key_id: str
    master_secret_name: str
    app_secret_name: str
    source_cluster_id: str = ""
    target_cluster_id: str = ""
    request_defaults: str = "{}"
    database_tls: str = "verify-full"
    database_ca_file: str = ""
    notification_format: str = "text"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; raises `ConfigurationMissing` that names the missing variables."""
        optional = {
            "source_cluster_id",
            "target_cluster_id",
            "request_defaults",
            "database_tls",
            "database_ca_file",
            "notification_format",
        }
        values = {field.name: environment.get(field.name.upper(), "") for field in fields(cls)}
        missing = [name.upper() for name, value in values.items() if not value and name not in optional]
        if missing:
            raise ConfigurationMissing(
                f"no value for {', '.join(missing)}",
                expected="every variable of infrastructure/lambda.yaml in the function's environment",
                action="deploy the stack again; do not edit the function by hand",
            )
        if len(values["sns_topic_arn"].split(":")) != 6:
            raise ConfigurationMissing(
                "a value that is not an ARN",
                field="SNS_TOPIC_ARN",
                expected="the ARN of the notification topic",
                action="deploy the stack again; do not edit the function by hand",
            )
        values["request_defaults"] = values["request_defaults"] or "{}"
        values["database_tls"] = values["database_tls"] or TlsMode.VERIFY_FULL.value
        if values["database_tls"] not in set(TlsMode):
            raise ConfigurationMissing(
                values["database_tls"],
                field="DATABASE_TLS",
                expected=" or ".join(TlsMode),
                action="correct the stack parameter DatabaseTls and deploy the stack again",
            )
        values["notification_format"] = values["notification_format"] or NotificationFormat.TEXT.value
        if values["notification_format"] not in set(NotificationFormat):
            raise ConfigurationMissing(
                values["notification_format"],
                field="NOTIFICATION_FORMAT",
                expected=" or ".join(NotificationFormat),
                action="correct the stack parameter NotificationFormat and deploy the stack again",
            )
        return cls(**values)

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
        return Tls(mode=TlsMode(self.database_tls), ca_file=ca_file)
