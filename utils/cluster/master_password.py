"""The master user's password after a restore, which is production's until it is replaced.

Either it is set to that of the secret `master-credentials`, or RDS is told to make one and to keep it in a secret of
its own (Aurora User Guide, "Password management with Amazon Aurora and AWS Secrets Manager").
"""

from pydantic import SecretStr

from utils.aws.rds_models import Cluster
from utils.aws.rds_statuses import MASTER_SECRET, Verdict
from utils.cluster.statuses import judge
from utils.errors import RestoreFailed
from utils.operation.model import Operation
from utils.operation.wanted import wanted_settings
from utils.runtime.services import Services


def replace_master_password(cluster: Cluster, operation: Operation, services: Services) -> None:
    """Start replacing production's password, which takes RDS some minutes; raises `SecretInvalid`."""
    settings = services.settings
    if not wanted_settings(operation).manage_master_user_password:
        credentials = services.secrets.master_credentials(settings.master_secret_name)
        services.rds_writer.reset_master_password(cluster.identifier, credentials.password.get_secret_value())
    elif cluster.master_secret is None:
        # RDS refuses to be told twice, as after a crash between its answer and our row.
        services.rds_writer.let_rds_manage_master_password(cluster.identifier, settings.kms_key_id)


def master_password(cluster: Cluster, operation: Operation, services: Services) -> SecretStr | None:
    """Read the new password; None while RDS still makes it.

    Raises `SecretInvalid`, `RestoreFailed`, `UnknownStatus`.
    """
    if not wanted_settings(operation).manage_master_user_password:
        return services.secrets.master_credentials(services.settings.master_secret_name).password
    secret = cluster.master_secret
    if secret is None:
        return None
    verdict = judge(MASTER_SECRET, secret.status, f"of cluster {cluster.identifier}", operation, services.clock.now())
    if verdict is Verdict.FAILED:
        raise RestoreFailed(
            f"the master user's secret of cluster {cluster.identifier} as {secret.status}",
            expected="status active",
            action="see in the RDS console why RDS cannot keep the secret (often its KMS key), then start a new run",
        )
    if verdict is Verdict.IN_PROGRESS:
        return None
    return services.secrets.master_credentials(secret.arn).password
