"""`deploy.sh verify`: each check once, in order; what follows from a broken one is not named as broken, too."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from deployment import stacks
from deployment.account import Account
from deployment.stacks import Stack
from deployment.verify import evidence_checks, monitoring_checks, pipeline_checks, prerequisite_checks, table
from deployment.verify.findings import Answer, Check, Inspection, Outcome, failed, passed, remark

ACCOUNT = cast(Account, SimpleNamespace(region="us-west-2"))
INSPECTION = Inspection(ACCOUNT, "dev")


def no_permission(_: Inspection) -> Answer:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "GetRole")


KEY = Check("key", lambda _: failed("no key", "make one"))
COPY = Check("copy", lambda _: passed("a copy"), needs=("key",))
SECRET = Check("secret", lambda _: remark("a placeholder", "put one"))
RESTORE = Check("restore", lambda _: passed("a cluster"), needs=("secret", "copy"))
ROLE = Check("role", no_permission)


def test_of_a_broken_check_and_what_needs_it_only_the_cause_is_named() -> None:
    found = table.inspect(INSPECTION, [KEY, COPY, SECRET, RESTORE])
    assert [(finding.name, finding.outcome, finding.found) for finding in found] == [
        ("key", Outcome.FAIL, "no key"),
        ("copy", Outcome.SKIP, "not looked at: needs 'key'"),
        ("secret", Outcome.WARN, "a placeholder"),
        ("restore", Outcome.SKIP, "not looked at: needs 'copy'"),
    ]


def test_a_remark_leaves_nothing_out() -> None:
    found = table.inspect(INSPECTION, [SECRET, Check("x", lambda _: passed("all"), needs=("secret",))])
    assert [finding.outcome for finding in found] == [Outcome.WARN, Outcome.PASS]


def test_a_check_that_aws_refuses_fails_with_what_aws_says() -> None:
    (found,) = table.inspect(INSPECTION, [ROLE])
    assert found.outcome is Outcome.FAIL
    assert found.found == "no permission for GetRole: not you; use credentials that are allowed to"


@pytest.mark.parametrize(
    ("checks", "code", "printed"),
    [
        (
            [KEY, COPY, SECRET],
            1,
            [
                f"FAIL  {'key':38}  no key",
                "      what to do: make one",
                f"SKIP  {'copy':38}  not looked at: needs 'key'",
                f"WARN  {'secret':38}  a placeholder",
                "      what to do: put one",
                "",
                "1 of 3 checks failed, 1 were left out because of that.",
            ],
        ),
        (
            [SECRET, Check("log", lambda _: (Outcome.PASS, "kept", "said to nobody"))],
            0,
            [
                f"WARN  {'secret':38}  a placeholder",
                "      what to do: put one",
                f"PASS  {'log':38}  kept",
                "",
                "All 2 checks passed, 1 with a remark.",
            ],
        ),
        ([Check("log", lambda _: passed("kept"))], 0, [f"PASS  {'log':38}  kept", "", "All 1 checks passed."]),
    ],
)
def test_the_table_ends_with_how_many_failed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checks: list[Check],
    code: int,
    printed: list[str],
) -> None:
    for room in (prerequisite_checks, evidence_checks, pipeline_checks, monitoring_checks):
        monkeypatch.setattr(room, "CHECKS", [])
    monkeypatch.setattr(prerequisite_checks, "CHECKS", checks)
    monkeypatch.setattr(stacks, "names_of", lambda *_: INSPECTION.names)
    assert table.verify(ACCOUNT, "dev") == code
    assert capsys.readouterr().out.splitlines() == printed


def test_outputs_are_those_of_the_stacks_that_are_there() -> None:
    known = Inspection(
        ACCOUNT,
        "dev",
        prerequisites=Stack("prerequisites", "CREATE_COMPLETE", {}, {"Key": "of the prerequisites"}),
        pipeline=Stack("pipeline", "CREATE_COMPLETE", {}, {"Key": "of the pipeline"}),
    )
    assert (known.output("Key"), known.of_pipeline("Key")) == ("of the prerequisites", "of the pipeline")
    assert (known.output("Other"), known.of_pipeline("Other")) == ("", "")
    assert (INSPECTION.output("Key"), INSPECTION.of_pipeline("Key")) == ("", "")


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"Payload": b'{"status": "READY"}'}, ({"status": "READY"}, False)),
        ({"Payload": b'{"errorMessage": "no"}', "FunctionError": "Unhandled"}, ({"errorMessage": "no"}, True)),
        ({"Payload": b""}, ({"errorMessage": "None"}, False)),
        ({"Payload": b'"text"'}, ({"errorMessage": "text"}, False)),
    ],
)
def test_what_a_function_answers_is_told_with_whether_it_failed(payload: dict[str, Any], told: Any) -> None:
    asked: list[dict[str, Any]] = []

    def invoke(**request: Any) -> dict[str, Any]:
        asked.append(request)
        return payload | {"Payload": SimpleNamespace(read=lambda: payload["Payload"])}

    account = SimpleNamespace(client=lambda _: SimpleNamespace(invoke=invoke))
    assert Inspection(cast(Account, account), "dev").invoke("snapshot-check", {"verify": {}}) == told
    assert asked == [{"FunctionName": "snapshot-check", "Payload": b'{"verify": {}}'}]
