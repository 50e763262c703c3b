"""All PostgreSQL servers and volumes of one local Aurora."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from pathlib import Path

from local_cloud.aurora.postgres.bootstrap import ADMIN, Master
from local_cloud.aurora.postgres.host import PostgresHost
from local_cloud.aurora.postgres.ports import free_port, port_is_free
from local_cloud.aurora.postgres.proxy.door import Door
from local_cloud.aurora.postgres.proxy.doorkeeper import Doorkeeper, NobodyByToken
from local_cloud.aurora.postgres.server import AdminAccess, PostgresServer
from local_cloud.aurora.postgres.tls import make_tls
from local_cloud.aurora.postgres.volume import Volume
from local_cloud.aurora.settings import AuroraSettings


class PostgresFarm:
    """Makes servers and volumes and removes all of them at the end."""

    def __init__(self, settings: AuroraSettings) -> None:
        self.host = PostgresHost(settings.run_dir, settings.postgres_bin_dirs, settings.server_user)
        self._log_dir = settings.run_dir / "logs"
        self._log_dir.mkdir(exist_ok=True)
        tls_dir = self.host.data_root / "tls"
        tls_dir.mkdir()
        self._tls = make_tls(settings.run_dir, tls_dir)
        self.host.hand_over(tls_dir)
        self._socket_dir = self.host.data_root / "sockets"
        self._socket_dir.mkdir(mode=0o700)
        self.host.hand_over(self._socket_dir)
        self._admin = AdminAccess(secrets.token_urlsafe(32))
        self._empty: dict[int, Volume] = {}
        self._asked_for: Counter[tuple[int, Master]] = Counter()
        self._kept: dict[tuple[int, Master], Volume] = {}
        self._servers: list[PostgresServer] = []
        self._lock = threading.Lock()
        self._empty_lock = threading.Lock()

    @property
    def ca_path(self) -> Path:
        """The CA certificate (PEM) that clients verify the servers with."""
        return self._tls.ca

    def empty_database(self, major: int) -> Volume:
        """Return a database cluster as initdb makes it, made once per major version."""
        with self._empty_lock:
            if major not in self._empty:
                self._empty[major] = self._initdb(major)
            return self._empty[major]

    def furnish(self, server: PostgresServer, major: int, master: Master) -> None:
        """Fill a new server with what Aurora puts into a cluster of this master; the same again is a copy of it."""
        wanted = (major, master)
        with self._lock:
            self._asked_for[wanted] += 1
            comes_again, kept = self._asked_for[wanted] == 2, self._kept.get(wanted)
        if kept:
            server.fill(kept)
            return
        server.initialise(self.empty_database(major), master)
        if comes_again:
            kept = self.new_volume(f"furnished-{secrets.token_hex(4)}")
            server.copy_to(kept)
            with self._lock:
                self._kept[wanted] = kept

    def new_volume(self, name: str) -> Volume:
        """Return a volume that has no files yet."""
        return Volume(self.host, name)

    def new_server(
        self,
        volume: Volume,
        major: int,
        log_name: str,
        wanted_port: int | None,
        keeper: Doorkeeper | None = None,
        *,
        engine_version: str = "",
    ) -> PostgresServer:
        """Return a server that is not started; it gets the wanted port if that is free.

        `engine_version` is what it says of itself.
        """
        with self._lock:
            taken = {other.port for other in self._servers}
            port = wanted_port if wanted_port and wanted_port not in taken and port_is_free(wanted_port) else None
            while port is None or port in taken:
                port = free_port()
            door = Door(self._tls, self._socket_dir, port, keeper or NobodyByToken())
            log_file = self._log_dir / f"{log_name}.log"
            version = engine_version or f"{major}.4"
            server = PostgresServer(self.host, volume, version, door, self._tls, self._admin, log_file)
            self._servers.append(server)
        return server

    def remove_server(self, server: PostgresServer) -> None:
        """Stop a server and remove its data."""
        server.remove()
        with self._lock:
            self._servers.remove(server)

    def close(self) -> None:
        """Stop every server and remove all data."""
        with self._lock:
            servers, self._servers = self._servers, []
        for server in servers:
            server.remove()
        self.host.close()

    def _initdb(self, major: int) -> Volume:
        volume = self.new_volume(f"empty-{major}")
        volume.create()
        password_file = volume.folder / "pwfile"
        password_file.touch(mode=0o600)
        password_file.write_text(self._admin.password)
        self.host.hand_over(password_file)
        self.host.run(
            major, "initdb", "-D", volume.data, "-U", ADMIN, "--pwfile", password_file, "-E", "UTF8",
            "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync", "--no-instructions", "--wal-segsize=1",
        )  # fmt: skip
        password_file.unlink()
        return volume
