"""What each command of deploy.sh does, in order."""

import json
import sys
from argparse import Namespace

from deployment import stacks
from deployment.account import Account, told
from deployment.adoption.prerequisites import adopt_prerequisites, refuse_deletion_of_adopted
from deployment.adoption.tables import Table, adopt_tables, mend
from deployment.destroy import destroy
from deployment.environments import has_dba_role_elsewhere, names_beside, refuse_shared_targets
from deployment.obstacles import (
    reasons_told,
    refuse_failed_stack,
    refuse_log_groups_of_before,
    refuse_secrets_to_be_deleted,
)
from deployment.plan import plan
from deployment.schedule import check_requests_of_schedules
from deployment.secret_values import put_secret
from deployment.selftest.command import selftest
from deployment.source_account import bootstrap_source_account
from deployment.verify.table import verify

_TEMPLATES = (
    "template.yaml", "infrastructure/dynamodb.yaml", "infrastructure/lambda.yaml", "infrastructure/stepfunctions.yaml",
    "infrastructure/monitoring.yaml",
)  # fmt: skip


def run(options: Namespace) -> int:
    """Run the command that was asked for."""
    account = Account.of_environment(options.region)
    # Standard output is for the document alone where one is asked for.
    beside = sys.stderr if getattr(options, "json", False) else sys.stdout
    where = f"account {account.account_id}, Region {account.region}"
    if not getattr(options, "source_account", False):
        where += f", environment {options.env}"
    print(where, file=beside, flush=True)
    match options.command:
        case "bootstrap":
            return (
                bootstrap_source_account(account, options) if options.source_account else _bootstrap(account, options)
            )
        case "put-secret":
            prerequisites = stacks.prerequisites_of(account, options.env)
            name = put_secret(account, prerequisites, options.env, options.name, options.file)
            print(f"{name} has its new value; restored clusters get it with the next run")
            return 0
        case "deploy":
            return _deploy(account, options)
        case "verify":
            return verify(account, options.env)
        case "plan":
            names = stacks.prerequisites_of(account, options.env).names
            return plan(account, names, options.env, options.input, as_json=options.json)
        case "selftest":
            return selftest(account, options)
    return destroy(account, options.env, confirm=not options.yes)


def _bootstrap(account: Account, options: Namespace) -> int:
    parameters = stacks.parameters_of(f"{options.env}-prerequisites", options.parameters)
    names = names_beside(account, options.env) if options.beside else stacks.names_of(account, options.env)
    parameters["NamePrefix"] = names.prefix
    with told():
        there = stacks.find_stack(account, names.prerequisites)
    if there is not None and there.made_for not in ("", options.env):
        stacks.prerequisites_of(account, options.env)  # says why not
    refuse_failed_stack(account, there)
    if there is None or not there.is_made:
        with told():
            refuse_secrets_to_be_deleted(account, options.env)
        if "DbaRoleNamedAfterRegion" not in parameters and has_dba_role_elsewhere(account, names):
            parameters["DbaRoleNamedAfterRegion"] = "true"
        adopt_prerequisites(account, names.prerequisites, parameters, ask=None if options.yes else input)
    else:
        refuse_deletion_of_adopted(there, parameters)
    with reasons_told(account, names.prerequisites):
        stacks.sam_deploy(
            account, f"{options.env}-prerequisites", names.prerequisites, parameters, confirm=not options.yes
        )
    where = f"--env {options.env} --region {account.region}"
    print(
        "\nNext, unless the secrets have their values:\n"
        f"  ./deploy.sh put-secret master-credentials --generate {where}\n"
        f"  ./deploy.sh put-secret app-credentials --generate {where}   (or --file FILE)\n"
        f"then ./deploy.sh deploy {where}"
    )
    return 0


def _deploy(account: Account, options: Namespace) -> int:
    prerequisites = stacks.prerequisites_of(account, options.env)
    names = prerequisites.names
    with told():
        there = stacks.find_stack(account, names.pipeline)
    refuse_failed_stack(account, there)
    parameters = stacks.parameters_of(options.env, options.parameters)
    known = {**(there.parameters if there else {}), **parameters}
    check_requests_of_schedules(known, account.region)
    refuse_shared_targets(account, names, known.get("TargetClusterPattern", "*"))
    protect = parameters.get("TableDeletionProtection", "true") == "true"
    key_arn, adopted = prerequisites.outputs["KmsKeyArn"], list[Table]()
    if there is None or not there.is_made:
        with told():
            refuse_log_groups_of_before(account, names)
        existing, adopted = adopt_tables(
            account, names.prefix, key_arn, protect=protect, ask=None if options.yes else input
        )
        parameters["ExistingTables"] = existing
    stacks.run(["./build_lambda_packages.sh", *(["--host"] if options.host else [])], "the packages could not be built")
    _validate(account)
    for table in adopted:
        mend(account, table, key_arn, protect=protect)
    bucket = prerequisites.outputs["CodeBucketName"]
    with reasons_told(account, names.pipeline):
        stacks.sam_deploy(
            account, options.env, names.pipeline, parameters | {"NamePrefix": names.prefix}, "--s3-bucket", bucket,
            confirm=not options.yes,
        )  # fmt: skip
    print(f"\nNext: ./deploy.sh verify --env {options.env} --region {account.region}")
    return 0


def _validate(account: Account) -> None:
    # The Python that deploy.sh has installed sam for, also where another sam is first on the PATH.
    python = str(stacks.REPOSITORY / ".local/envs/sam/bin/python")
    command = [python, "-m", "deployment.sam_validate", account.region, *_TEMPLATES]
    stacks.run(command, "a template is not valid; what sam says above is why")
    json.loads((stacks.REPOSITORY / "statemachine/aurora_restore.asl.json").read_text())
