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
    assert made(tmp_path, requirements)[1] == "cloud: installing"
    first = (tmp_path / "envs" / "cloud").resolve()
    assert made(tmp_path, requirements) == []

    (requirements / "cloud.txt").write_text("# nothing else\n")
    told = made(tmp_path, requirements)

    assert told[0].startswith("Their lock has changed: fetching cloud from the package index")
    assert told[1] == "cloud: installing"
    assert (tmp_path / "envs" / "cloud").resolve() != first
    assert (tmp_path / "envs" / "cloud" / "bin" / "python").exists()


def test_a_first_start_says_what_it_fetches_and_that_it_is_once_and_shows_that_it_lives(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "SIGN_OF_LIFE_SECONDS", 0.0)

    told = made(tmp_path, requirements)

    assert told[0].splitlines() == [
        "First start: fetching cloud from the package index, about 72 MiB.",
        f"This is done once and takes some minutes; it is kept in {tmp_path / 'envs'}.",
    ]
    assert any(line.startswith("cloud: fetching package 0 of 0 (") for line in told)


def test_every_environment_has_its_size_told() -> None:
    locks = {path.stem for path in environments.REQUIREMENTS.glob("*.txt")}

    assert set(environments.FETCHED_MIB) == locks


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
