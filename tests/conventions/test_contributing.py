"""What CONTRIBUTING.md and SECURITY.md send people to is there: every file, test, name and tool."""

import re
from pathlib import Path

import pytest
import yaml

from tests.conventions.cfn_yaml import REPOSITORY
from tests.shell_blocks import shell_blocks

CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", CONTRIBUTING, re.MULTILINE | re.DOTALL))
WALKS = {name: text for name, text in SECTIONS.items() if name.startswith("Add ")}
PAGES = ("CONTRIBUTING.md", "SECURITY.md")
(COMMANDS,) = shell_blocks("CONTRIBUTING.md")


def paths_in(text: str) -> set[str]:
    """What looks like a file or folder of the repository, in code or as the target of a link.

    What is installed (.local) is only there after the first command.
    """
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"\]\(([^)#]+)", text)
    words = {word for piece in code for word in piece.split() if not word.startswith(".local/")}
    return {
        word.rstrip(",") for word in words if re.fullmatch(r"[\w.<>-]+(/[\w.<>-]*)+|\w+\.(py|md|yaml|json|sh)", word)
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page: str) -> None:
    named = paths_in((REPOSITORY / page).read_text())
    assert named
    assert [path for path in named if not found(path)] == []


def found(path: str) -> list[Path]:
    """The files and folders that a path stands for; a bare name may be that of a file beside a step or an operation."""
    pattern = re.sub(r"<\w+>", "*", path).rstrip("/")
    places = ("", "lambda_functions/*/", "local_cloud/aurora/operations/") if "/" not in path else ("",)
    return [match for place in places for match in REPOSITORY.glob(place + pattern)]


def test_every_test_that_is_to_be_run_is_there() -> None:
    runs = re.findall(r"bin/pytest -q (\S+)(?: -k (?:\"([^\"]+)\"|(\w+)))?", COMMANDS.commands)
    assert len(runs) == 4
    for path, several, one in runs:
        names = re.findall(r"^def (test_\w+)", (REPOSITORY / path).read_text(), re.MULTILINE)
        words = [word for word in (several or one).split() if word != "and" and not word.isdigit()]
        assert any(all(word in name for word in words) for name in names), path


def test_every_option_and_module_that_is_to_be_used_is_there() -> None:
    scripts = re.findall(r"^\./(\w+\.sh)(?: (--\w+))?", COMMANDS.commands, re.MULTILINE)
    assert len(scripts) == 3
    for script, option in scripts:
        assert option in (REPOSITORY / script).read_text(), script
    for module in re.findall(r"python(?:3\.11)? -m (\S+)", CONTRIBUTING):
        place = REPOSITORY / module.strip("`.").replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), module


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_is_ten_lines_and_its_names_are_in_the_files_it_names(name: str) -> None:
    lines = WALKS[name].strip().splitlines()
    assert len(lines) <= 12, "ten steps, of which some take two lines"
    assert len([line for line in lines if re.match(r"\d+\. ", line)]) <= 10
    files = {file for path in paths_in(WALKS[name]) for file in found(path)}
    text = "\n".join(file.read_text() for file in files if file.is_file())
    text += "\n".join(file.read_text() for folder in files if folder.is_dir() for file in folder.glob("*.py"))
    # The alarm with a 2 is the one to be added.
    names = {word.removesuffix("2") for word in re.findall(r"`@?([A-Za-z]\w+)`", WALKS[name])}
    assert [word for word in names if word not in text] == []


def test_the_four_walks_are_there() -> None:
    assert set(WALKS) == {
        "Add an error",
        "Add a request field",
        "Add a step",
        "Add an operation to the local Aurora",
    }


def test_pre_commit_runs_what_test_sh_runs_with_the_same_tools() -> None:
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"]
    checks = (REPOSITORY / "test.sh").read_text()
    for hook in hooks[0]["hooks"]:
        (tool,) = re.findall(r"\.local/envs/dev/bin/(\S+)", hook["entry"])
        assert f'"$DEV/{tool}"' in checks, hook["id"]


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{path.name}" for path in REPOSITORY.glob("docs/*.md"))])
def test_a_module_is_run_by_a_python_that_has_what_it_needs(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    assert (
        re.findall(r"(?<!\.local/envs/operator/bin/)(?<!\.local/envs/dev/bin/)python3? -m (?:utils|docs)\b\S*", text)
        == []
    )


def test_weaknesses_are_reported_where_somebody_reads_them() -> None:
    text = Path(REPOSITORY / "SECURITY.md").read_text()
    assert "private vulnerability reporting" in text
    assert "@" not in text, "no address that nobody has"
