"""Lists that stay short, whatever a production has: the first of its names, and how many more there are.

AWS takes 256 KiB for the answer of a state and 400 KB for a row.
"""

from collections.abc import Mapping, Sequence

MOST_NAMES = 50
# Of all users together, and of one line.
_MOST_PROOFS, _LONGEST_PROOF = 40, 1_000


def first_of(names: Sequence[str], most: int = 5) -> str:
    """Return at most so many names, and how many more there are."""
    return ", ".join(_first(names, most))


def joined(known: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return what is known, a list of this function's, with more names: sorted, and no more than the first of them."""
    if set(names) <= set(known[:MOST_NAMES]):
        return list(known)
    return _first(sorted({*known[:MOST_NAMES], *names}), MOST_NAMES)


def shortened_proofs(proofs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return what was proven of each user in the first databases; none of it is left out but its words."""
    most = max(1, _MOST_PROOFS // max(1, len(proofs)))
    return {user: _first([_cut(line) for line in lines], most) for user, lines in proofs.items()}


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST_PROOF else f"{line[:_LONGEST_PROOF]}..."


def _first(names: Sequence[str], most: int) -> list[str]:
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return [*names[:most], *more]
