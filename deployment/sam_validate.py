"""`python -m deployment.sam_validate REGION TEMPLATE…` under sam's own Python: `sam validate --lint` of each template.

sam takes one template at a time. Each process of it reads cfn-lint's rules again, which takes most of its five seconds.
Templates that were valid together once, alone or among others, are not read again until one of them, the Region or sam
changes.
"""

import hashlib
import importlib
import sys
from collections.abc import Sequence, Set
from pathlib import Path

from tooling.environments import LOCAL, REQUIREMENTS


def main(arguments: Sequence[str]) -> int:
    """Let sam look at each template, however the others are; returns the exit code."""
    region, *templates = arguments
    folder = LOCAL / "valid-templates" / _mark(region)
    wanted = {_as_it_is(template) for template in templates}
    if _were_valid(folder, wanted):
        return 0
    invalid = [template for template in templates if not _is_valid(region, template)]
    for template in invalid:
        print(f"{template} is not valid", file=sys.stderr)
    if invalid:
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    together = "\n".join(sorted(wanted))
    (folder / _digest(together.encode())).write_text(together)
    return 0


def _were_valid(folder: Path, wanted: Set[str]) -> bool:
    """Tell whether the templates were valid as they are, perhaps among others: they refer to each other."""
    return folder.is_dir() and any(wanted <= set(valid.read_text().splitlines()) for valid in folder.iterdir())


def _mark(region: str) -> str:
    """Return what is another one for another Region, sam or Python."""
    sam = _digest((REQUIREMENTS / "sam.txt").read_bytes())
    return _digest("\n".join([sys.version, region, sam]).encode())


def _as_it_is(template: str) -> str:
    return f"{template} {_digest(Path(template).read_bytes())}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _is_valid(region: str, template: str) -> bool:
    sam = importlib.import_module("samcli.cli.main").cli
    try:
        sam.main(["validate", "--lint", "--region", region, "--template-file", template], prog_name="sam")
    except SystemExit as end:  # what sam has said is on the screen
        return not end.code
    raise RuntimeError("sam did not end with an exit code")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
