"""The data lies in memory where there is plenty, and what the dead have left there is removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.aurora.postgres import memory
from local_cloud.aurora.postgres.memory import FolderInMemory, has_plenty


def test_a_folder_stays_while_its_process_lives_and_is_removed_by_the_next_afterwards(tmp_path: Path) -> None:
    first = FolderInMemory(tmp_path)
    (first.path / "data").touch()

    second = FolderInMemory(tmp_path)
    assert (first.path / "data").exists()
    first.release()
    third = FolderInMemory(tmp_path)

    assert set(tmp_path.iterdir()) == {second.path, third.path}
    second.release()
    third.release()


def test_a_folder_stays_while_a_server_in_it_lives(tmp_path: Path) -> None:
    folder = FolderInMemory(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=folder.locks) as server:
        folder.release()
        memory.remove_leftovers(tmp_path)
        assert folder.path.exists()
        server.communicate(b"\n")

    memory.remove_leftovers(tmp_path)
    assert not folder.path.exists()


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "somebody-elses").mkdir()

    memory.remove_leftovers(tmp_path)

    assert (tmp_path / "somebody-elses").exists()


def test_little_memory_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = os.statvfs(tmp_path)
    monkeypatch.setattr(memory, "PLENTY", there.f_bavail * there.f_frsize * 2)

    assert not has_plenty(tmp_path)
    assert not has_plenty(tmp_path / "not-there")
