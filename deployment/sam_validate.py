"""`python -m deployment.sam_validate REGION TEMPLATE…` under sam's own Python: `sam validate --lint` of each template.

sam takes one template at a time. Each process of it reads cfn-lint's rules again, which takes most of its five seconds.
Templates that were valid together once are not read again until one of them, the Region or sam changes.
"""

import hashlib
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tooling.environments import LOCAL, REQUIREMENTS


def main(arguments: Sequence[str]) -> int:
    """Let sam look at each template, however the others are; returns the exit code."""
    region, *templates = arguments
    valid = LOCAL / "valid-templates" / _mark(region, templates)
    if valid.exists():
        return 0
    invalid = [template for template in templates if not _is_valid(region, template)]
    for template in invalid:
        print(f"{template} is not valid", file=sys.stderr)
    if invalid:
        return 1
    valid.parent.mkdir(parents=True, exist_ok=True)
    valid.touch()
    return 0


def _mark(region: str, templates: Sequence[str]) -> str:
    """Return what is another one if any of what sam looks at is: templates refer to each other."""
    contents = [(REQUIREMENTS / "sam.txt").read_bytes(), *(Path(template).read_bytes() for template in templates)]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    return hashlib.sha256("\n".join([sys.version, region, *templates, *digests]).encode()).hexdigest()[:16]


def _is_valid(region: str, template: str) -> bool:
    sam = importlib.import_module("samcli.cli.main").cli
    try:
        sam.main(["validate", "--lint", "--region", region, "--template-file", template], prog_name="sam")
    except SystemExit as end:  # what sam has said is on the screen
        return not end.code
    raise RuntimeError("sam did not end with an exit code")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
