"""The project-local environments are made once, again when their lock changes, and whole or not at all."""

from pathlib import Path

import pytest

from tooling import environments


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    folder = tmp_path / "requirements"
    folder.mkdir()
    (folder / "cloud.txt").write_text("# nothing\n")
    return folder


def made(tmp_path: Path, requirements: Path) -> list[str]:
    """Ensure the environment and return what was reported."""
    lines: list[str] = []
    environments.ensure(["cloud"], lines.append, requirements=requirements, folder=tmp_path / "envs")
    return lines


def test_it_is_made_once_and_again_when_its_lock_changes(tmp_path: Path, requirements: Path) -> None:
    assert made(tmp_path, requirements)[0] == "cloud: installing"
    first = (tmp_path / "envs" / "cloud").resolve()
    assert made(tmp_path, requirements) == []

    (requirements / "cloud.txt").write_text("# nothing else\n")
    assert made(tmp_path, requirements)[0] == "cloud: installing"

    assert (tmp_path / "envs" / "cloud").resolve() != first
    assert (tmp_path / "envs" / "cloud" / "bin" / "python").exists()


def test_one_that_was_interrupted_is_made_anew(tmp_path: Path, requirements: Path) -> None:
    made(tmp_path, requirements)
    home = (tmp_path / "envs" / "cloud").resolve()
    (home / ".complete").unlink()
    (home / "half").touch()

    assert made(tmp_path, requirements)

    assert not (home / "half").exists()


def test_a_failure_shows_what_the_installer_said(tmp_path: Path, requirements: Path) -> None:
    (requirements / "cloud.txt").write_text("not-hashed==1.0\n")

    with pytest.raises(environments.EnvironmentFailed, match=r"(?s)'cloud' could not be installed.*hash"):
        made(tmp_path, requirements)

    assert not (tmp_path / "envs" / "cloud").exists()
