"""`python -m deployment.sam_validate REGION TEMPLATE…` under sam's own Python: `sam validate --lint` of each template.

sam takes one template at a time. Each process of it reads cfn-lint's rules again, which takes most of its five seconds.
"""

import importlib
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Let sam look at each template, however the others are; returns the exit code."""
    region, *templates = arguments
    invalid = [template for template in templates if not _is_valid(region, template)]
    for template in invalid:
        print(f"{template} is not valid", file=sys.stderr)
    return 1 if invalid else 0


def _is_valid(region: str, template: str) -> bool:
    sam = importlib.import_module("samcli.cli.main").cli
    try:
        sam.main(["validate", "--lint", "--region", region, "--template-file", template], prog_name="sam")
    except SystemExit as end:  # what sam has said is on the screen
        return not end.code
    raise RuntimeError("sam did not end with an exit code")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
