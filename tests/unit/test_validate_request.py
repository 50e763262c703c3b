"""`python -m utils.validate_request`: what would be used, or every field that does not fit."""

import io
import json
from pathlib import Path

import pytest

from utils.validate_request import main

STACK = ["--source-cluster-id", "prod", "--source-region", "eu-west-1", "--target-cluster-id", "staging"]
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("{}"))


@pytest.mark.usefixtures("ask")
def test_the_request_is_printed_as_a_run_would_use_it(capsys: Printed) -> None:
    assert main(["-", *STACK, "--request-defaults", '{"keep_copies": 7}']) == 0
    printed = capsys.readouterr()
    used = json.loads(printed.out)
    assert (used["source"]["cluster_id"], used["source"]["region"]) == ("prod", "eu-west-1")
    assert (used["target"]["cluster_id"], used["keep_copies"], used["final_snapshot"]) == ("staging", 7, True)
    assert printed.err == ""


def test_a_file_is_read(tmp_path: Path, capsys: Printed) -> None:
    file = tmp_path / "input.json"
    file.write_text('{"target": {"cluster_id": "mine"}}')
    assert main([str(file), *STACK]) == 0
    assert json.loads(capsys.readouterr().out)["target"]["cluster_id"] == "mine"


def test_every_field_that_does_not_fit_is_named(tmp_path: Path, capsys: Printed) -> None:
    file = tmp_path / "input.json"
    file.write_text('{"sourc": {}, "keep_copies": 0}')
    assert main([str(file)]) == 2
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["sourc", "source.cluster_id", "target.cluster_id", "keep_copies"]
    assert all("; what to do: " in line for line in lines)
    assert printed.out == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found no JSON"),
        ("[1]", "found list [1]; expected a JSON object"),
        ("\x00", "found no JSON"),
        ("\ufeff{}", "found no JSON"),
        ("[" * 100_000, "found no JSON (values nested too deep)"),
        ('{"keep_copies": %s}' % ("1" * 5000), "found no JSON (a number of thousands of digits)"),
        ('{"keep_copies": Infinity}', "found no JSON (Infinity, which is no JSON)"),
        ('{"target": {"port": 5433, "port": 5432}}', "found no JSON ('port' twice in one object)"),
    ],
)
def test_what_is_no_request_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: Printed, text: str, words: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["-", *STACK]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("ask")
def test_defaults_of_the_stack_that_do_not_fit_are_refused(capsys: Printed) -> None:
    assert main(["-", *STACK, "--request-defaults", "[]"]) == 2
    assert "stack parameter RequestDefaults" in capsys.readouterr().err


@pytest.mark.usefixtures("ask")
@pytest.mark.parametrize(
    "parameter", ["[", '{"close_outbound": 1}', '{"close_outbound": true, "close_outbound": false}']
)
def test_what_the_stack_requires_is_refused_where_it_does_not_fit(capsys: Printed, parameter: str) -> None:
    assert main(["-", *STACK, "--mandatory-request", parameter]) == 2
    assert "stack parameter MandatoryRequest: found " in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: Printed) -> None:
    assert main([str(tmp_path / "nothing.json")]) == 2
    assert "nothing.json: found no JSON" in capsys.readouterr().err
