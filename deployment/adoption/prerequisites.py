"""What the guide's steps 1 and 3 to 6 made becomes part of the prerequisites' stack."""

from collections.abc import Callable, Mapping, Sequence

from deployment.account import Account, Refused, told
from deployment.adoption.access import SECRETS, find_dba_role, find_key, find_secrets
from deployment.adoption.existing import Existing, confirm_adoption, refuse_obstacles, tell
from deployment.adoption.importing import import_into
from deployment.adoption.storage import find_buckets, find_topic
from deployment.stacks import Stack

_RETAIN = "Retain"


def adopt_prerequisites(
    account: Account,
    stack: str,
    parameters: Mapping[str, str],
    *,
    ask: Callable[[str], str] | None,
) -> None:
    """Import what is there into a stack that has nothing yet, after saying what becomes of it; raises `Refused`.

    `parameters` are those of the deployment that follows; `ask` None asks nothing.
    """
    environment, prefix = parameters["Environment"], parameters.get("NamePrefix", "aurora-restore")
    ends = f"-{account.region}" if parameters.get("DbaRoleNamedAfterRegion") == "true" else ""
    with told():
        found = [
            *find_buckets(account, prefix),
            *find_key(account, prefix),
            *find_secrets(account, environment),
            *find_topic(account, prefix),
            *find_dba_role(account, f"{prefix}-dba-role{ends}", f"{prefix}-dba-secrets-policy"),
        ]
    if not found:
        return
    refuse_obstacles(found)
    _refuse_deletion(parameters, ", ".join(one.title for one in found))
    tell(
        found,
        f"taken into stack {stack}, which keeps all of it when it is deleted; after that, the change "
        "set below brings the changes (->) and what is missing",
    )
    if ask is not None:
        confirm_adoption(account, ask)
    with told():
        import_into(account, stack, found, {**_names(parameters), **parameters_kept(found)})
    print(f"\nStack {stack} has {len(found)} that were here; nothing of them has changed yet.\n")


def refuse_deletion_of_adopted(stack: Stack, parameters: Mapping[str, str]) -> None:
    """Refuse, at any later deployment as at the first, to give what was adopted to a stack that deletes it."""
    if stack.parameters.get("AccessDeletionPolicy") == _RETAIN:
        _refuse_deletion(parameters, f"adopted by stack {stack.name}")


def _refuse_deletion(parameters: Mapping[str, str], what: str) -> None:
    if parameters.get("DataDeletionPolicy") == "Delete":
        raise Refused(
            f"DataDeletionPolicy=Delete would delete with the stack what was here before it ({what}): "
            "leave the parameter out"
        )


def _names(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return what names the template's resources, so that a deployment that was put off finds them again."""
    deciding = ("Environment", "NamePrefix", "DbaRoleNamedAfterRegion")
    return {name: parameters[name] for name in deciding if name in parameters}


def parameters_kept(found: Sequence[Existing]) -> dict[str, str]:
    """Return the stack's parameters by which no deployment writes an adopted value or deletes what was adopted."""
    there = {one.logical_id for one in found}
    values = {f"{logical_id}Value": "kept" for logical_id, _ in SECRETS.values() if logical_id in there}
    return {**values, "AccessDeletionPolicy": _RETAIN}
