"""Where and as whom PostgreSQL runs on this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from local_cloud.aurora.postgres.memory import PREFIX, SHARED_MEMORY, FolderInMemory, has_plenty

DATA = "data"
LONGEST_DATA_ROOT = 80  # a Unix socket's path ends after 103 bytes (macOS), with the folder and the file name below


class PostgresHost:
    """Runs PostgreSQL's programs as a user that is not root and can reach programs and data.

    The data lies in memory if there is plenty, else in the run folder, unless a folder above it is closed to
    that user (a checkout in root's home) or the path is too long: then in a temporary folder. A link in the
    run folder leads to it.
    """

    def __init__(self, run_dir: Path, bin_dirs: Mapping[int, Path], server_user: str) -> None:
        account = pwd.getpwnam(server_user) if os.geteuid() == 0 else None
        self._ids = (account.pw_uid, account.pw_gid) if account else None
        self._run_dir = run_dir
        self._in_memory = FolderInMemory(SHARED_MEMORY) if has_plenty(SHARED_MEMORY) else None
        self.data_root = self._make_data_root()
        self._bin_dirs = {major: self._reachable_bin_dir(major, folder) for major, folder in bin_dirs.items()}

    @property
    def majors(self) -> frozenset[int]:
        """Major versions whose programs are installed."""
        return frozenset(self._bin_dirs)

    def newest_with(self, program: str) -> int:
        """Return the newest major version that has a program; raise RuntimeError if none has."""
        majors = [major for major, folder in self._bin_dirs.items() if (folder / program).exists()]
        if not majors:
            raise RuntimeError(f"no installed PostgreSQL has {program}")
        return max(majors)

    def run(
        self, major: int, program: str, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Run a PostgreSQL program to its end; raise RuntimeError with its output if it fails."""
        self._run([str(self._bin_dirs[major] / program), *map(str, arguments)], environment)

    def copy(self, source: Path, target: Path) -> None:
        """Copy a folder of data, which is the server's user's then; raise RuntimeError if that fails."""
        # A third of the CPU time that shutil.copytree takes for a thousand small files, and their owner afterwards.
        self._run(["cp", "-Rp", str(source), str(target)], None)

    def _run(self, command: list[str], environment: Mapping[str, str] | None) -> None:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=self._environment(environment),
            **self._as_user(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"{Path(command[0]).name} failed with {done.returncode}: {done.stderr.strip()}")

    def spawn(
        self, major: int, program: str, arguments: Sequence[str | Path], log: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a PostgreSQL program that stays; its output goes to `log`."""
        return subprocess.Popen(
            [str(self._bin_dirs[major] / program), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=self._environment(None),
            pass_fds=self._in_memory.locks if self._in_memory else (),
            start_new_session=True,  # Ctrl-C in the terminal must reach the servers through us, in order
            **self._as_user(),
        )

    def hand_over(self, path: Path) -> None:
        """Make the server's user the owner of a file or a whole folder."""
        if self._ids is None:
            return
        os.chown(path, *self._ids)
        for folder, names, files in os.walk(path):
            for name in (*names, *files):
                os.chown(Path(folder) / name, *self._ids, follow_symlinks=False)

    def close(self) -> None:
        """Remove the data."""
        remove_data(self._run_dir)
        if self._in_memory is not None:
            self._in_memory.release()

    def _make_data_root(self) -> Path:
        """Return the folder for the data; from the run folder a link leads to it if it goes elsewhere."""
        data = self._run_dir / DATA
        if self._in_memory is not None:
            return self._linked(data, self._in_memory.path)
        data.mkdir(mode=0o755)
        self.hand_over(data)
        if self._can_use(data) and len(os.fsencode(data)) <= LONGEST_DATA_ROOT:
            return data
        data.rmdir()
        return self._linked(data, Path(tempfile.mkdtemp(prefix=PREFIX)))

    def _linked(self, data: Path, elsewhere: Path) -> Path:
        elsewhere.chmod(0o755)
        self.hand_over(elsewhere)
        data.symlink_to(elsewhere)
        return elsewhere

    def _reachable_bin_dir(self, major: int, bin_dir: Path) -> Path:
        if self._can_use(bin_dir / "postgres"):
            return bin_dir
        copy = self.data_root / f"postgresql-{major}"
        shutil.copytree(bin_dir.parent, copy, symlinks=True, dirs_exist_ok=True)
        self.hand_over(copy)
        return copy / bin_dir.name

    def _can_use(self, path: Path) -> bool:
        """Tell whether the server's user can write to a folder or run a program, through all folders above."""
        test = "-w" if path.is_dir() else "-x"
        return subprocess.run(["test", test, str(path)], check=False, cwd="/", **self._as_user()).returncode == 0

    def _as_user(self) -> dict[str, Any]:
        if self._ids is None:
            return {}
        return {"user": self._ids[0], "group": self._ids[1], "extra_groups": []}

    @staticmethod
    def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
        """Return an environment without the caller's PG* variables, credentials and locale."""
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/nonexistent", **(extra or {})}


def remove_data(run_dir: Path) -> None:
    """Remove the data below a run folder, wherever it lies."""
    data = run_dir / DATA
    shutil.rmtree(data.resolve(), ignore_errors=True)
    data.unlink(missing_ok=True)
