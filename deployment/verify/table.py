"""`deploy.sh verify`: every check, in a table, with what to do."""

import shutil
import sys
import textwrap
from collections.abc import Iterable

from botocore.exceptions import BotoCoreError, ClientError

from deployment import stacks
from deployment.account import Account, explain
from deployment.verify import evidence_checks, monitoring_checks, pipeline_checks, prerequisite_checks
from deployment.verify.findings import Check, Finding, Inspection, Outcome


def verify(account: Account, environment: str) -> int:
    """Print the table; returns 1 if any check fails."""
    checks = [*prerequisite_checks.CHECKS, *evidence_checks.CHECKS, *pipeline_checks.CHECKS, *monitoring_checks.CHECKS]
    findings = inspect(Inspection(account, environment, names=stacks.names_of(account, environment)), checks)
    _print(findings)
    failed = [finding for finding in findings if finding.outcome is Outcome.FAIL]
    skipped = sum(finding.outcome is Outcome.SKIP for finding in findings)
    if failed:
        print(f"\n{len(failed)} of {len(findings)} checks failed, {skipped} were left out because of that.")
        return 1
    warned = sum(finding.outcome is Outcome.WARN for finding in findings)
    print(f"\nAll {len(findings)} checks passed{f', {warned} with a remark' if warned else ''}.")
    return 0


def inspect(inspection: Inspection, checks: Iterable[Check]) -> list[Finding]:
    """Run the checks in order; one whose need is not met is left out, so that only the cause is named."""
    findings: list[Finding] = []
    unmet: set[str] = set()
    for check in checks:
        missing = [need for need in check.needs if need in unmet]
        if missing:
            outcome, found, action = Outcome.SKIP, f"not looked at: needs {missing[0]!r}", ""
        else:
            outcome, found, action = _run(check, inspection)
        findings.append(Finding(check.name, outcome, found, action))
        if outcome in {Outcome.FAIL, Outcome.SKIP}:
            unmet.add(check.name)
    return findings


def _run(check: Check, inspection: Inspection) -> tuple[Outcome, str, str]:
    try:
        return check.look(inspection)
    except (ClientError, BotoCoreError) as error:
        return Outcome.FAIL, explain(error), ""


def _print(findings: Iterable[Finding]) -> None:
    width = shutil.get_terminal_size((120, 24)).columns if sys.stdout.isatty() else 10_000
    for finding in findings:
        lines = [f"{finding.outcome.value:4}  {finding.name:38}  {finding.found}"]
        if finding.action and finding.outcome is not Outcome.PASS:
            lines.append(f"      what to do: {finding.action}")
        for line in lines:
            print("\n".join(textwrap.wrap(line, width, subsequent_indent=" " * 8, replace_whitespace=False)))
