"""Beside an environment: others of its account, in its Region and elsewhere, and what they must not have in common."""

from functools import cache

from deployment import stacks
from deployment.account import Account, Refused, told
from deployment.cli import ENVIRONMENTS
from deployment.names import Names

_ALL = (Names(), *map(Names.beside, ENVIRONMENTS))


def pipelines_of(account: Account) -> dict[Names, stacks.Stack]:
    """Return the pipelines of this Region by their names."""
    with told():
        found = {names: stacks.find_stack(account, names.pipeline) for names in _ALL}
    return {names: stack for names, stack in found.items() if stack is not None and stack.is_made}


def the_only_one(account: Account) -> Names:
    """Return the names of the Region's pipeline, the guide's if one has these; raises `Refused` for several others."""
    with told():
        if stacks.find_stack(account, Names().pipeline) is not None:
            return Names()  # whoever may look at this stack need not be allowed to look at others
    found = pipelines_of(account)
    if not found:
        return Names()
    if len(found) > 1:
        marks = " or ".join(f"--env {names.mark}" for names in found)
        raise Refused(f"{account.region} has {len(found)} environments: pass {marks}")
    return next(iter(found))


def names_beside(account: Account, environment: str) -> Names:
    """Return the names of an environment beside another one; raises `Refused` for one that has the guide's already."""
    with told():
        first = stacks.find_stack(account, Names().prerequisites)
    if first is not None and first.made_for == environment:
        raise Refused(
            f"{environment} is in {account.region} already, with the names of stack {first.name}: leave --beside out"
        )
    return Names.beside(environment)


def refuse_shared_targets(account: Account, names: Names, pattern: str) -> None:
    """Refuse a TargetClusterPattern that fits a name which fits another environment's; raises `Refused`.

    A lock is in the table of its own environment: what keeps two from one target is that neither may have the other's.
    """
    for other, stack in pipelines_of(account).items():
        theirs = stack.parameters.get("TargetClusterPattern", "*")
        if other != names and overlap(pattern, theirs):
            raise Refused(
                f"TargetClusterPattern {pattern}, and {theirs} of stack {other.pipeline} in {account.region}: some "
                "name fits both, and a cluster is the target of one environment only. Narrow either, each by its own "
                "./deploy.sh deploy --env ENVIRONMENT --set TargetClusterPattern=…"
            )


@cache
def overlap(one: str, other: str) -> bool:
    """Tell whether some name fits both patterns, in which * stands for any text and ? for one character."""
    if "*" in (one[:1], other[:1]):
        starred, beside = (one, other) if one[:1] == "*" else (other, one)
        return overlap(starred[1:], beside) or (beside != "" and overlap(starred, beside[1:]))
    if not one or not other:
        return one == other
    return (one[0] == other[0] or "?" in (one[0], other[0])) and overlap(one[1:], other[1:])


def regions_with_a_code_bucket(account: Account, names: Names) -> list[str]:
    """Return the Regions with prerequisites of these names, as far as buckets tell; raises botocore's errors."""
    prefix = f"{names.of('lambda-code')}-{account.account_id}-"
    buckets = account.client("s3").list_buckets()["Buckets"]
    return sorted(bucket["Name"].removeprefix(prefix) for bucket in buckets if bucket["Name"].startswith(prefix))


def has_dba_role_elsewhere(account: Account, names: Names) -> bool:
    """Tell whether another Region's prerequisites made the DBA role, which is the same in all Regions."""
    with told():
        regions = [region for region in regions_with_a_code_bucket(account, names) if region != account.region]
    return any(_has_dba_role(region, names) for region in regions)


def _has_dba_role(region: str, names: Names) -> bool:
    try:
        with told():
            stack = stacks.find_stack(Account.of_environment(region), names.prerequisites)
    except Refused as error:
        # Not to be waited for: this may be the Region that was lost, whose pipeline is to be had here.
        raise Refused(
            f"{region} has a code bucket, and does not say whether its stack made the role {names.of('dba-role')} "
            f"({error}). If it did, or nobody knows: --set DbaRoleNamedAfterRegion=true, which makes another role "
            "here; otherwise --set DbaRoleNamedAfterRegion=false"
        ) from None
    return stack is not None and stack.outputs.get("DbaRoleArn", "").endswith(f"/{names.of('dba-role')}")
