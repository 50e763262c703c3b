"""Whether a drill did what it should: data, logins and evidence."""

from pathlib import Path

from deployment.selftest.content import LOGINS, checks
from deployment.selftest.setting import Setting
from restore_command.evidence import stored
from restore_command.evidence.verifying import verify
from utils.evidence.model import Evidence, Result
from utils.operation.model import Operation

Findings = tuple[bool, str]


def judge_data(operation: Operation) -> Findings:
    """Say whether the copy has the source's rows, and none that came later."""
    asked = {record.name: record for record in operation.users.checks} if operation.users else {}
    names = [check["name"] for check in checks()]
    missing = [name for name in names if name not in asked]
    wrong = [f"{name}: {asked[name].found}" for name in names if name in asked and not asked[name].holds]
    if missing or wrong:
        return False, "; ".join([*wrong, *(f"not asked: {name}" for name in missing)])
    return True, "; ".join(f"{name.removeprefix('selftest: ')}: {asked[name].found}" for name in names)


def judge_logins(operation: Operation) -> Findings:
    """Say whether the users of the secrets are proven, and the source's logins shut out."""
    users = operation.users
    if users is None or users.finished_at is None:
        return False, "the users were not set up"
    still_open = sorted(set(LOGINS) - set(users.shut_out))
    if still_open:
        return False, f"not shut out: {', '.join(still_open)}"
    unproven = sorted(name for name, proofs in users.proofs.items() if not proofs)
    if unproven or not users.proofs:
        return False, f"nothing is proven of {', '.join(unproven) or 'any user'}"
    return True, f"{', '.join(sorted(users.proofs))} proven; {', '.join(LOGINS)} shut out"


def judge_evidence(setting: Setting, operation: Operation, folder: Path) -> Findings:
    """Fetch the evidence into a folder and say whether its signature, files and story are right."""
    record = operation.evidence
    if record is None or record.folder is None:
        return False, f"none was kept: {record.error if record else 'the row has none'}"
    account = setting.pipeline.account
    stored.fetch(account.client("s3"), account.client("kms"), record, folder)
    found = verify([folder], folder / stored.PUBLIC_KEY)
    if not found.holds:
        return False, "; ".join(found.wrong)
    evidence = Evidence.model_validate_json((folder / "report.json").read_text(encoding="utf-8"))
    told = (evidence.operation_id, evidence.source.snapshot_id, evidence.verdict.result)
    if told != (setting.operation_id, setting.snapshot, Result.RESTORED):
        return False, f"it tells of {', '.join(map(str, told))}"
    return True, f"{record.folder} is signed, and says: {evidence.verdict.sentence}"
