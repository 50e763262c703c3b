"""What the step after the restore will need, looked at before anything is destroyed: users and scripts."""

from collections.abc import Iterator

from utils.aws.s3 import S3Gateway
from utils.cluster_settings.model import TargetSettings
from utils.credentials import AppCredentials, Auth
from utils.database.before_opening.sql_script import NotASqlScript, split
from utils.database.roles.profiles import users_of
from utils.error_base import raise_all
from utils.errors import InvalidRequest, PermanentError, PostRestoreSqlFailed
from utils.request.model import RestoreRequest
from utils.words import counted


def check_users(credentials: AppCredentials, settings: TargetSettings, request: RestoreRequest) -> None:
    """Make sure that the users will be able to log in; raises `InvalidRequest`."""
    users = users_of(credentials)
    tokens = [user.name for user in users if user.auth is Auth.IAM]
    if tokens and not settings.iam_authentication:
        raise InvalidRequest(
            f"no IAM authentication, with auth iam for {', '.join(tokens)} in app-credentials",
            field="target.iam_authentication",
            expected="true",
            action="set it to true, or give these users passwords",
        )
    ours = sorted({user.name for user in users} & set(request.keep_logins))
    if ours:
        raise InvalidRequest(
            f"{', '.join(ours)}, which app-credentials names too",
            field="keep_logins",
            expected="logins of the snapshot that stay as they are",
            action="leave them out: the pipeline sets them up anyway",
        )


def check_queries(request: RestoreRequest) -> None:
    """Make sure that every check is one query, as far as that can be seen without asking.

    Raises `InvalidRequest` that names every one that is not.
    """
    raise_all([*_wrong_queries(request)])


def _wrong_queries(request: RestoreRequest) -> Iterator[InvalidRequest]:
    for check in request.checks:
        try:
            statements = len(split(check.sql))
            found = counted(statements, "statement")
        except NotASqlScript as problem:
            statements, found = 0, str(problem)
        if statements != 1:
            yield InvalidRequest(
                f"{found} in check {check.name!r}",
                field="checks",
                expected="one query that gives one row of one column",
                action="correct it, in the request or in the stack parameter MandatoryRequest; start the run again",
            )


def check_scripts(s3: S3Gateway, request: RestoreRequest) -> None:
    """Make sure that every script can be read and is plain SQL.

    Raises `PostRestoreSqlFailed` or `AccessDenied` that names every one that is not.
    """
    raise_all([*_wrong_scripts(s3, request)])


def _wrong_scripts(s3: S3Gateway, request: RestoreRequest) -> Iterator[PermanentError]:
    for uri in dict.fromkeys(wanted.s3_uri for wanted in request.post_restore_sql):
        try:
            split(s3.script(uri).text)
        except PermanentError as error:
            yield error
        except NotASqlScript as error:
            yield PostRestoreSqlFailed(
                str(error),
                field=f"post_restore_sql, {uri}",
                expected="plain SQL for one transaction, without psql's commands",
                action="correct the script, then start a new run",
            )
