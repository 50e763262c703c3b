"""The project-local environments are made once, again when their lock changes, and whole or not at all."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tooling import environments


@dataclass(frozen=True)
class Place:
    """Where an environment is made, and from which locks."""

    requirements: Path
    envs: Path

    @classmethod
    def new(cls, folder: Path) -> "Place":
        (folder / "requirements").mkdir()
        (folder / "requirements" / "cloud.txt").write_text("# nothing\n")
        return cls(folder / "requirements", folder / "envs")

    def made(self) -> list[str]:
        """Ensure the environment and return what was reported."""
        lines: list[str] = []
        environments.ensure(["cloud"], lines.append, requirements=self.requirements, folder=self.envs)
        return lines


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, list[str]]:
    """What a first start makes, and what it reports: a real one takes several seconds."""
    place = Place.new(tmp_path_factory.mktemp("first"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environments, "SIGN_OF_LIFE_SECONDS", 0.0)
        return place, place.made()


@pytest.fixture
def place(tmp_path: Path, first_start: tuple[Place, list[str]]) -> Place:
    """A place of the test's own after its first start."""
    first, _ = first_start
    shutil.copytree(first.requirements.parent, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Place(tmp_path / "requirements", tmp_path / "envs")


def test_it_is_made_once_and_again_when_its_lock_changes(place: Place) -> None:
    first = (place.envs / "cloud").resolve()
    assert place.made() == []

    (place.requirements / "cloud.txt").write_text("# nothing else\n")
    told = place.made()

    assert told[0].startswith("Their lock has changed: fetching cloud from the package index")
    assert told[1] == "cloud: installing"
    assert (place.envs / "cloud").resolve() != first
    assert (place.envs / "cloud" / "bin" / "python").exists()


def test_a_first_start_says_what_it_fetches_and_that_it_is_once_and_shows_that_it_lives(
    first_start: tuple[Place, list[str]],
) -> None:
    place, told = first_start

    assert told[0].splitlines() == [
        "First start: fetching cloud from the package index, about 72 MiB.",
        f"This is done once and takes some minutes; it is kept in {place.envs}.",
    ]
    assert told[1] == "cloud: installing"
    assert any(line.startswith("cloud: fetching package 0 of 0 (") for line in told)


def test_every_environment_has_its_size_told() -> None:
    locks = {path.stem for path in environments.REQUIREMENTS.glob("*.txt")}

    assert set(environments.FETCHED_MIB) == locks


def test_one_that_was_interrupted_is_made_anew(place: Place) -> None:
    home = (place.envs / "cloud").resolve()
    (home / ".complete").unlink()
    (home / "half").touch()

    assert place.made()

    assert not (home / "half").exists()


def test_a_failure_shows_what_the_installer_said(tmp_path: Path) -> None:
    place = Place.new(tmp_path)
    (place.requirements / "cloud.txt").write_text("not-hashed==1.0\n")

    with pytest.raises(environments.EnvironmentFailed, match=r"(?s)'cloud' could not be installed.*hash"):
        place.made()

    assert not (place.envs / "cloud").exists()
