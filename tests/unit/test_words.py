import pytest

from utils.words import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 copies"), (1, "1 copy"), (2, "2 copies")], ids=["none", "one", "two"]
)
def test_one_is_singular_and_everything_else_plural(number: int, words: str) -> None:
    assert counted(number, "copy", "copies") == words
    assert counted(number, "instance").endswith("instance" if number == 1 else "instances")
