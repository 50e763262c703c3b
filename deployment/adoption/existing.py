"""Something that was there before its stack: what stays of it, what the template changes, what stands in the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deployment.account import Account, Refused, require_word


@dataclass(frozen=True, kw_only=True)
class Existing:
    """One resource, as it is, and as CloudFormation imports it."""

    title: str
    stays: str
    changes: Sequence[str] = ()
    obstacle: str | None = None
    logical_id: str = ""
    type: str = ""
    identifier: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)


def changed(what: str, found: object, wanted: object) -> list[str]:
    """Return the line for one setting that the template has otherwise; nothing if it is the same."""
    return [] if found == wanted else [f"{what}: {_plainly(found)} -> {_plainly(wanted)}"]


def _plainly(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if value else "none"


def refuse_obstacles(found: Sequence[Existing]) -> None:
    """Refuse what cannot be adopted as it is, all at once, each with what to do; raises `Refused`."""
    obstacles = [f"{one.title} {one.obstacle}" for one in found if one.obstacle]
    if obstacles:
        raise Refused("what is here already cannot be adopted as it is:\n  " + "\n  ".join(obstacles))


def tell(found: Sequence[Existing], how: str) -> None:
    """Print what is adopted, what stays of each and what becomes of the rest."""
    print(f"\nHere already, and {how}:")
    for one in found:
        print(f"  {one.title}\n    stays: {one.stays}")
        for line in one.changes:
            print(f"    {line}")


def confirm_adoption(account: Account, ask: Callable[[str], str]) -> None:
    """Ask once; raises `Refused` for any answer but yes."""
    question = f"\nAdopt them in account {account.account_id}, Region {account.region}? Type yes: "
    require_word(ask, question, "yes", "nothing was changed; to adopt what is here, type yes or pass --yes")
