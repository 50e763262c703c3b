"""Templates are validated until they are valid, and again when something changes that their validity depends on."""

from pathlib import Path

import pytest

from deployment import sam_validate


class Sam:
    """Finds templates invalid that contain the word, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def is_valid(self, region: str, template: str) -> bool:
        self.asked.append(f"{region} {Path(template).name}")
        return "invalid" not in Path(template).read_text()


@pytest.fixture
def sam(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sam:
    fake = Sam()
    monkeypatch.setattr(sam_validate, "_is_valid", fake.is_valid)
    monkeypatch.setattr(sam_validate, "LOCAL", tmp_path / ".local")
    return fake


@pytest.fixture
def templates(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "root.yaml", tmp_path / "nested.yaml"]
    for path in paths:
        path.write_text("Resources: {}")
    return [str(path) for path in paths]


def test_what_was_valid_is_not_validated_again(sam: Sam, templates: list[str]) -> None:
    assert [sam_validate.main(["us-west-2", *templates]) for _ in range(2)] == [0, 0]

    assert sam.asked == ["us-west-2 root.yaml", "us-west-2 nested.yaml"]


def test_what_was_valid_is_not_validated_again_among_fewer_but_among_more(sam: Sam, templates: list[str]) -> None:
    sam_validate.main(["us-west-2", templates[0]])
    sam_validate.main(["us-west-2", *templates])
    sam_validate.main(["us-west-2", templates[1]])

    assert sam.asked == ["us-west-2 root.yaml", "us-west-2 root.yaml", "us-west-2 nested.yaml"]


def test_what_is_invalid_stays_so(sam: Sam, templates: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(templates[1]).write_text("invalid")

    assert [sam_validate.main(["us-west-2", *templates]) for _ in range(2)] == [1, 1]

    assert len(sam.asked) == 4
    assert capsys.readouterr().err == f"{templates[1]} is not valid\n" * 2


def test_all_are_validated_again_when_one_changes(sam: Sam, templates: list[str]) -> None:
    sam_validate.main(["us-west-2", *templates])
    Path(templates[1]).write_text("Resources: {Topic: {}}")
    sam_validate.main(["us-west-2", *templates])

    assert sam.asked == ["us-west-2 root.yaml", "us-west-2 nested.yaml"] * 2


def test_they_are_validated_again_for_another_region_or_sam(
    sam: Sam, templates: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sam_validate.main(["us-west-2", *templates])
    sam_validate.main(["eu-west-1", *templates])
    (tmp_path / "sam.txt").write_text("aws-sam-cli==9.9")
    monkeypatch.setattr(sam_validate, "REQUIREMENTS", tmp_path)
    sam_validate.main(["us-west-2", *templates])

    assert [asked.split()[0] for asked in sam.asked] == ["us-west-2"] * 2 + ["eu-west-1"] * 2 + ["us-west-2"] * 2
