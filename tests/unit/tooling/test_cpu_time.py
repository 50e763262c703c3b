"""The CPU seconds of everything that a command starts are counted, and its exit code is handed on."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tooling import cpu_time
from tooling.environments import REPOSITORY

BURN = "import time\nwhile time.process_time() < 0.3: pass\n"


def command(file: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tooling.cpu_time", str(file), "part", *arguments]


def counted(file: Path) -> float:
    part, user, system = file.read_text().strip().split("\t")
    assert part == "part"
    return float(user) + float(system)


def test_what_outlives_its_own_parent_is_counted(tmp_path: Path) -> None:
    (tmp_path / "burn.py").write_text(BURN)
    orphan = f"(sleep 0.2; exec {sys.executable} -S {tmp_path / 'burn.py'}) >/dev/null 2>&1 &"

    subprocess.run(command(tmp_path / "cpu", "sh", "-c", orphan), check=True, cwd=REPOSITORY)

    assert counted(tmp_path / "cpu") >= 0.3


def test_the_exit_code_is_the_commands(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path / "cpu", "sh", "-c", "exit 3"), check=False, cwd=REPOSITORY)

    assert done.returncode == 3


def test_a_signal_ends_the_command(tmp_path: Path) -> None:
    with subprocess.Popen(
        command(tmp_path / "cpu", "sh", "-c", "echo started; exec sleep 60"), stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        process.terminate()

        assert process.wait(20) == 128 + signal.SIGTERM
    assert counted(tmp_path / "cpu") < 1


def test_what_does_not_end_is_named_and_ended(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = "import sys; from tooling import cpu_time; cpu_time._PATIENCE_SECONDS = 0.1; "
    script += "sys.exit(cpu_time.main(sys.argv[1:]))"
    started = time.monotonic()

    arguments = [str(tmp_path / "cpu"), "part", "sh", "-c", "sleep 61 >/dev/null 2>&1 & exit 0"]
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, cwd=REPOSITORY)

    assert "left running:\n  sleep 61\n" in capfd.readouterr().err
    assert time.monotonic() - started < 50


def test_parts_of_several_commands_are_summed() -> None:
    printed = cpu_time.report("checks\t1.00\t0.50\nfaults\t20.00\t4.00\nchecks\t0.25\t0.25\n")

    assert [line.split() for line in printed.splitlines()] == [
        ["checks", "2.0", "(1.2", "+", "0.8)"],
        ["faults", "24.0", "(20.0", "+", "4.0)"],
        ["in", "all", "26.0", "(21.2", "+", "4.8)"],
    ]
