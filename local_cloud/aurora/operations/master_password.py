"""The master password: given by the caller, or managed in Secrets Manager."""

from __future__ import annotations

from local_cloud.aurora.engine import Call
from local_cloud.aurora.errors import invalid_combination
from local_cloud.aurora.operations import validate
from local_cloud.aurora.operations.clusters import create_master_secret, generated_password, secret_value
from local_cloud.aurora.operations.stages import Stage
from local_cloud.aurora.state.resources import Cluster, MasterSecret


def password_stage(call: Call, cluster: Cluster) -> Stage | None:
    """Return the stage that resets the master password if the request asks for it."""
    _refuse_combinations(call, cluster)
    params = call.params
    if "MasterUserAuthenticationType" in params:
        return _authentication(call, cluster)
    if params.get("RotateMasterUserPassword"):
        return _managed(call, cluster, cluster.master_secret)
    if params.get("ManageMasterUserPassword") and cluster.master_secret is None:
        return _managed(call, cluster, None)
    if "MasterUserPassword" in params:
        return _given(call, cluster, validate.password(params["MasterUserPassword"]))
    return None


def _refuse_combinations(call: Call, cluster: Cluster) -> None:
    params = call.params
    managed = params.get("ManageMasterUserPassword", cluster.master_secret is not None)
    if managed and "MasterUserPassword" in params:
        raise invalid_combination(
            "You can't specify MasterUserPassword for a cluster with ManageMasterUserPassword enabled."
        )
    if cluster.master_secret and not managed and "MasterUserPassword" not in params:
        raise invalid_combination("You must specify MasterUserPassword to turn ManageMasterUserPassword off.")
    if params.get("RotateMasterUserPassword") and not (cluster.master_secret and params.get("ApplyImmediately")):
        raise invalid_combination("RotateMasterUserPassword needs a managed master password and ApplyImmediately.")
    if "MasterUserSecretKmsKeyId" in params and (cluster.master_secret or not managed):
        raise invalid_combination(
            "MasterUserSecretKmsKeyId can only be given when ManageMasterUserPassword is turned on."
        )


def _authentication(call: Call, cluster: Cluster) -> Stage:
    """Return the stage after which the master logs in by token, or by password again."""
    wanted = validate.one_of(call.params, "MasterUserAuthenticationType", "password", ("password", "iam-db-auth"))
    by_token = wanted == "iam-db-auth"
    if by_token and not call.params.get("EnableIAMDatabaseAuthentication", cluster.iam_auth):
        raise invalid_combination("MasterUserAuthenticationType iam-db-auth needs IAM database authentication.")
    if by_token and (cluster.master_secret or "MasterUserPassword" in call.params):
        raise invalid_combination("A master user with iam-db-auth has no password, given or managed.")
    password = call.params.get("MasterUserPassword")
    if password is not None:
        validate.password(password)

    def closing() -> None:
        cluster.server.let_master_in(cluster.master_username, by_token=by_token)
        if password is not None:
            cluster.server.set_password(cluster.master_username, password)

    def apply() -> None:
        call.event(cluster, "Reset master credentials", "configuration change")

    return Stage("resetting-master-credentials", call.settings.durations.reset_password, apply, closing=closing)


def _given(call: Call, cluster: Cluster, password: str) -> Stage:
    old, cluster.new_password = cluster.master_secret, password

    def apply() -> None:
        cluster.new_password = None
        if old:
            cluster.master_secret = None
            call.engine.timeline.run(lambda: call.engine.hooks.secrets.delete(old.arn))
        call.event(cluster, "Reset master credentials", "configuration change")

    return Stage(
        "resetting-master-credentials",
        call.settings.durations.reset_password,
        apply,
        closing=lambda: cluster.server.set_password(cluster.master_username, password),
    )


def _managed(call: Call, cluster: Cluster, existing: MasterSecret | None) -> Stage:
    password = generated_password()
    username = cluster.master_username
    secret = existing or create_master_secret(call, cluster.identifier, username, password)
    secret.status = "rotating" if existing else "creating"
    cluster.master_secret = secret

    def closing() -> None:
        cluster.server.set_password(username, password)
        call.engine.hooks.secrets.update(secret.arn, secret_value(username, password))

    def apply() -> None:
        if cluster.members:
            secret.status = "active"
        call.event(cluster, "Reset master credentials", "configuration change")

    return Stage("resetting-master-credentials", call.settings.durations.reset_password, apply, closing=closing)
