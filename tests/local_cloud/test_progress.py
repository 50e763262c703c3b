"""The steps of the demonstration, and the comparison at its end."""

import io

import pytest

from local_cloud.pipeline.comparison import Comparison
from local_cloud.screen.layout import table
from local_cloud.screen.terminal import Terminal


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_moves_until_the_step_is_done() -> None:
    stream = Tty()
    terminal = Terminal(stream)

    with terminal.step("deploy"):
        pass
    terminal.close()

    assert "✓" in stream.getvalue()
    assert "\r\x1b[K" in stream.getvalue()


def test_a_step_that_fails_looks_different_from_one_that_succeeds() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)

    with pytest.raises(KeyError), terminal.step("deploy"):
        raise KeyError
    with terminal.step("furnish"):
        pass

    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["…", "✗", "…", "✓"]


@pytest.mark.parametrize(
    ("source", "target", "equal"),
    [
        ({"t": 1}, {"t": 1}, True),
        ({"t": 1}, {"t": 2}, False),
        ({"t": 1}, {}, False),
        ({"t": 1}, {"t": 1, "leftover": 1}, False),
        ({}, {}, False),
    ],
)
def test_only_the_same_tables_with_the_same_rows_are_equal(
    source: dict[str, int], target: dict[str, int], equal: bool
) -> None:
    assert Comparison(source=source, target=target).is_equal is equal


def test_numbers_stand_right_and_words_left() -> None:
    assert table(["t", "rows"], [["a", "1,000"], ["bb", "7"]], indent="").splitlines()[2:] == ["a   1,000", "bb      7"]
