"""The project-local environments are made once, again when their lock changes, and whole or not at all."""

import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from tooling import environments, installers, uv


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
    """What a first start makes, and what it reports."""
    place = Place.new(tmp_path_factory.mktemp("first"))
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


def test_a_first_start_says_what_it_fetches_and_that_it_is_once(first_start: tuple[Place, list[str]]) -> None:
    place, told = first_start

    assert told[0].splitlines() == [
        "First start: fetching cloud from the package index, about 72 MiB.",
        f"This is done once and takes some minutes; it is kept in {place.envs}.",
    ]
    assert told[1] == "cloud: installing"


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("Collecting six==1.17.0", "cloud: fetching package 1 of 2 ("),
        ("Collecting six\nInstalling collected packages: six, lib", "cloud: unpacking 2 packages ("),
        (" Downloaded lib", "cloud: fetching package 1 of 2 ("),
        (" Downloaded lib\nPrepared 2 packages in 3s", "cloud: unpacking 2 packages ("),
    ],
)
def test_an_installer_shows_now_and_then_that_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str, told: str
) -> None:
    monkeypatch.setattr(installers, "SIGN_OF_LIFE_SECONDS", 0.0)
    lock = tmp_path / "cloud.txt"
    lock.write_text("lib==1 \\\n    --hash=sha256:0\nsix==1.17.0\n")
    said: list[str] = []

    def report(line: str) -> None:
        said.append(line)
        if line.startswith(told):
            (tmp_path / "seen").touch()

    wanted = installers.Wanted(name="cloud", home=tmp_path, lock=lock, report=report, stop=threading.Event())
    wanted.run(["sh", "-c", f"echo '{printed}'; until [ -e '{tmp_path}/seen' ]; do sleep 0.05; done"])

    assert said[-1].startswith(told)


def test_every_environment_has_its_size_told() -> None:
    locks = {path.stem for path in environments.REQUIREMENTS.glob("*.txt")}

    assert set(environments.FETCHED_MIB) == locks


def test_one_that_was_interrupted_is_made_anew(place: Place) -> None:
    home = (place.envs / "cloud").resolve()
    (home / ".complete").unlink()
    (home / "half").touch()

    assert place.made()

    assert not (home / "half").exists()


def test_a_failure_shows_what_both_installers_said(tmp_path: Path) -> None:
    place = Place.new(tmp_path)
    (place.requirements / "cloud.txt").write_text("not-hashed==1.0\n")
    told: list[str] = []

    with pytest.raises(installers.EnvironmentFailed, match=r"(?s)'cloud' could not be installed.*hash"):
        environments.ensure(["cloud"], told.append, requirements=place.requirements, folder=place.envs)

    [of_uv] = [line for line in told if line.endswith("cloud: once more, with pip")]
    assert "hash" in of_uv
    assert not (place.envs / "cloud").exists()


@pytest.mark.parametrize(
    ("keys", "index"),
    [
        ([], None),
        (["global.extra-{}", "global.timeout"], None),
        (["global.{}"], "of global.{}"),
        (["global.{}", "install.{}"], "of install.{}"),
        ([":env:.{}", "install.{}"], "of :env:.{}"),
    ],
)
def test_uv_asks_the_index_that_pip_is_set_to(keys: list[str], index: str | None) -> None:
    option = "-".join(["index", "url"])
    assert uv.index_of_pip("".join(f"{key.format(option)}='of {key}'\n" for key in keys)) == index
