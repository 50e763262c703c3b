"""The reader of the documentation notices what a reader would."""

import os
from pathlib import Path

import pytest

from tests.deployment.reader import Reader


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    (tmp_path / ".local").mkdir()
    return Reader(tmp_path, {"PATH": os.environ["PATH"]})


def test_what_a_block_sets_is_set_in_the_next(reader: Reader) -> None:
    reader.run("NAME='two\nlines'\nexport OTHER=1\n")
    assert reader.run('[[ $NAME == "two\nlines" ]] && echo "the $OTHER"\n') == "the 1\r\n"


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ("false\ntrue\n", 1),
        ("exit 3\n", 3),
        ("false | cat\n", 1),
        ("NAME=$(false)\n", 1),
        ('echo "$NEVER_SET"\n', 1),
        ("no-such-command\n", 127),
    ],
)
def test_a_command_that_fails_fails_the_block(reader: Reader, commands: str, code: int) -> None:
    with pytest.raises(AssertionError, match=f"exit code {code} of"):
        reader.run(commands)


def test_questions_are_answered_each_by_who_asks(reader: Reader) -> None:
    ask = 'python3 -c \'print("got " + input("Deploy this changeset? [y/N]: "))\'\n'
    destroy = 'python3 -c \'print("got " + input("Delete stack aurora-restore? Type its name: "))\'\n'
    printed = reader.run(ask + ask + destroy)
    assert [line for line in printed.splitlines() if line.startswith("got")] == ["got y", "got y", "got aurora-restore"]


def test_a_question_without_an_answer_is_not_waited_for_forever(reader: Reader) -> None:
    with pytest.raises(AssertionError, match="not finished in time:\nYour name\\?"):
        reader.run("read -rp 'Your name? '\n", seconds=2)
