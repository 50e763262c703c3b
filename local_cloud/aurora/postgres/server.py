"""One cluster's PostgreSQL server."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection

from local_cloud.aurora.postgres.bootstrap import (
    ADMIN,
    Master,
    give_public_away,
    make_databases,
    make_functions,
    make_roles,
    set_password,
)
from local_cloud.aurora.postgres.configuration import CLOSED_ACCESS, KEEPING_WAL, OPEN_ACCESS, server_configuration
from local_cloud.aurora.postgres.host import PostgresHost
from local_cloud.aurora.postgres.proxy.door import Door
from local_cloud.aurora.postgres.readiness import becomes_ready
from local_cloud.aurora.postgres.recovery import END_OF_WAL, begin_recovery, recovery_configuration
from local_cloud.aurora.postgres.tls import ServerTls
from local_cloud.aurora.postgres.volume import Volume

STOP_SECONDS = 20.0


@dataclass(frozen=True)
class AdminAccess:
    """How the local Aurora itself gets into the servers: a role and a password of this run."""

    password: str = field(repr=False)


class PostgresServer:
    """A PostgreSQL server over one volume: started while the cluster has an available instance."""

    def __init__(
        self,
        host: PostgresHost,
        volume: Volume,
        engine_version: str,
        door: Door,
        tls: ServerTls,
        admin: AdminAccess,
        log_file: Path,
    ) -> None:
        self._host, self._volume = host, volume
        self._engine_version, self._major = engine_version, int(engine_version.partition(".")[0])
        self._door, self._tls, self._admin = door, tls, admin
        self.log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._members: set[str] = set()
        self._master_method = "scram-sha-256"
        self._keeps_wal = False
        self._lock = threading.RLock()

    @property
    def port(self) -> int:
        """The port that users connect to."""
        return self._door.port

    @property
    def running(self) -> bool:
        """Whether the server accepts its users' connections."""
        return self._process is not None and self._process.poll() is None

    def initialise(self, template: Volume, master: Master) -> None:
        """Make a new database cluster out of an empty one: Aurora's roles, the master user, the first database."""
        with self._lock:
            self._volume.copy_from(template)
            with self._behind_closed_doors() as admin:
                make_roles(admin, master)
                set_password(admin, ADMIN, self._admin.password)  # initdb gave it many iterations
                for database in ("template1", "postgres"):
                    with self._connect(database) as there:
                        give_public_away(there, master)
                        make_functions(there)
                make_databases(admin, master)

    def fill(self, source: Volume) -> None:
        """Take over what another server was initialised with."""
        with self._lock:
            self._volume.copy_from(source)

    def start(self, master_name: str) -> None:
        """Start the server for its users; nothing to do when it runs."""
        with self._lock:
            if not self.running:
                self._launch(self._open_access(master_name))
                self._door.open()

    def join(self, member: str, master_name: str) -> None:
        """Count an instance in; the first one starts the server."""
        with self._lock:
            self._members.add(member)
            self.start(master_name)

    def leave(self, member: str) -> None:
        """Count an instance out; the last one stops the server."""
        with self._lock:
            self._members.discard(member)
            if not self._members:
                self.stop()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server (open transactions are rolled back); nothing to do when it is not running."""
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            process.send_signal(how)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait()
            self._door.close()

    def restart(self, master_name: str) -> None:
        """Stop and start the server."""
        with self._lock:
            self.stop()
            self.start(master_name)

    def set_password(self, role: str, password: str) -> None:
        """Set a role's password, whether the server runs or not."""
        with self._lock, self._connect() if self.running else self._behind_closed_doors() as admin:
            set_password(admin, role, password)

    def let_master_in(self, master_name: str, *, by_token: bool) -> None:
        """Let the master log in by token of IAM, or by password again; at once if the server runs."""
        with self._lock:
            self._master_method = "trust" if by_token else "scram-sha-256"
            if self.running and self._process:
                (self._volume.folder / "pg_hba.conf").write_text(self._open_access(master_name))
                self._process.send_signal(signal.SIGHUP)

    def show_old_name(self, *, old: bool) -> None:
        """Let the door show a certificate of a name that the cluster no longer has, or its own again."""
        self._door.shows_old_name = old

    def way_in_behind_the_door(self) -> dict[str, Any]:
        """Return libpq's host and port of what no security group closes: the Data API is no part of a VPC."""
        return self._door.behind

    def run_as_admin(self, database: str, sql: str) -> None:
        """Run SQL in the running server as AWS's superuser, without a trace of it in the log."""
        with self._connect(database) as admin, admin.cursor() as cursor:
            cursor.execute(sql)

    def copy_to(self, target: Volume) -> None:
        """Fill a volume with a consistent copy of the data, while users write or at rest."""
        with self._lock:
            if not self.running:
                target.copy_from(self._volume)
                return
            target.create()
            me = f"host='{self._door.socket_dir}' port={self._door.number} user={ADMIN}"
            # pg_basebackup also serves older servers, and not every installation has it.
            self._host.run(
                self._host.newest_with("pg_basebackup"), "pg_basebackup",
                "-D", target.data, "-X", "stream", "-c", "fast", "--no-sync", "-d", me,
                environment={"PGPASSWORD": self._admin.password},
            )  # fmt: skip

    def keep_wal(self) -> None:
        """Keep what is written from now on, so that a copy of the data can be brought to a later moment."""
        with self._lock:
            self._keeps_wal = True
            if self._process:
                self._write_configuration()
                self._process.send_signal(signal.SIGHUP)

    def recover(self, base: Volume, source: PostgresServer, until: datetime) -> None:
        """Bring a copy of the source's data to a moment (real time) by the source's WAL, its commits included."""
        for statement in END_OF_WAL:
            source.run_as_admin("postgres", statement)
        with self._lock:
            self._volume.copy_from(base)
            begin_recovery(self._host, self._volume)
            try:
                self._launch(CLOSED_ACCESS, recovery_configuration(source._volume, until))
            finally:
                self.stop()

    def remove(self) -> None:
        """Stop the server and remove its data; the log stays."""
        with self._lock:
            self.stop(signal.SIGQUIT)  # no checkpoint of data that nobody needs any more
            self._volume.remove()

    def _open_access(self, master_name: str) -> str:
        return OPEN_ACCESS.format(master=master_name, method=self._master_method)

    def _write_configuration(self, more: str = "") -> None:
        folder = self._volume.folder
        hba_file, number = folder / "pg_hba.conf", self._door.number
        text = server_configuration(self._engine_version, self._door.socket_dir, number, hba_file, self._tls)
        (folder / "postgresql.conf").write_text(text + (KEEPING_WAL if self._keeps_wal else "") + more)
        self._host.hand_over(folder / "postgresql.conf")

    def _launch(self, access: str, more_configuration: str = "") -> None:
        folder = self._volume.folder
        (folder / "pg_hba.conf").write_text(access)
        self._host.hand_over(folder / "pg_hba.conf")
        self._write_configuration(more_configuration)
        (self._volume.data / "postmaster.pid").unlink(missing_ok=True)
        with self.log_file.open("ab") as log:
            arguments = ("-D", self._volume.data, "-c", f"config_file={folder / 'postgresql.conf'}")
            self._process = self._host.spawn(self._major, "postgres", arguments, log)
        if not becomes_ready(self._process, self._volume):
            raise RuntimeError(f"PostgreSQL did not start; see {self.log_file}")

    @contextlib.contextmanager
    def _behind_closed_doors(self) -> Iterator[connection]:
        """Run the server for the local Aurora alone."""
        self._launch(CLOSED_ACCESS)
        try:
            with self._connect() as admin:
                yield admin
        finally:
            self.stop()

    @contextlib.contextmanager
    def _connect(self, database: str = "postgres") -> Iterator[connection]:
        admin = psycopg2.connect(
            **self.way_in_behind_the_door(),
            user=ADMIN,
            dbname=database,
            password=self._admin.password,
            connect_timeout=10,
            options="-c log_statement=none",
        )
        try:
            admin.autocommit = True
            yield admin
        finally:
            admin.close()
