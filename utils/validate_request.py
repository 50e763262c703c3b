"""Validates a request before anything is deployed or started: `python -m utils.validate_request FILE|-`.

Prints the request as a run would use it, and exits with 0; or each field that does not fit on standard error, and 2.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.json_text import NotJson, read_json
from utils.request.parsing import find_problems, parse_request

INVALID = 2


@dataclass(frozen=True, kw_only=True)
class StackDefaults:
    """What the stack's parameters fill in."""

    source_cluster_id: str
    source_region: str
    target_cluster_id: str
    request_defaults: str
    mandatory_request: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Validate one request; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m utils.validate_request", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("file", help="file with the request, a JSON object; - reads standard input")
    parser.add_argument("--source-cluster-id", default="", help="stack parameter SourceClusterId")
    parser.add_argument("--source-region", default="us-east-1", help="stack parameter SourceRegion")
    parser.add_argument("--target-cluster-id", default="", help="stack parameter TargetClusterId")
    parser.add_argument("--request-defaults", default="{}", help="stack parameter RequestDefaults")
    parser.add_argument("--mandatory-request", default="{}", help="stack parameter MandatoryRequest")
    given = parser.parse_args(arguments)
    defaults = StackDefaults(
        source_cluster_id=given.source_cluster_id,
        source_region=given.source_region,
        target_cluster_id=given.target_cluster_id,
        request_defaults=given.request_defaults,
        mandatory_request=given.mandatory_request,
    )
    try:
        raw = read_json(sys.stdin.read() if given.file == "-" else Path(given.file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NotJson) as error:
        sys.stderr.write(f"{given.file}: found no JSON ({error}); expected a request, a JSON object\n")
        return INVALID
    problems = find_problems(raw, defaults)
    if problems:
        sys.stderr.write("".join(f"{problem}\n" for problem in problems))
        return INVALID
    sys.stdout.write(parse_request(raw, defaults).model_dump_json(indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
