"""The local Aurora as a whole: start and stop."""

from __future__ import annotations

import threading
from pathlib import Path

from local_cloud.aurora.clock import ScaledClock
from local_cloud.aurora.data_api.service import DataApi
from local_cloud.aurora.engine import Engine
from local_cloud.aurora.front.control import Control
from local_cloud.aurora.front.http_endpoint import AuroraHttpServer
from local_cloud.aurora.hooks import Hooks
from local_cloud.aurora.journal import Journal
from local_cloud.aurora.permissive import permissive_hooks
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.leftovers import remove_leftovers
from local_cloud.aurora.settings import AuroraSettings
from local_cloud.aurora.state.store import Store
from local_cloud.aurora.timeline import Timeline

POLL_SECONDS = 0.05  # of the HTTP server: how soon it notices that it is to stop


class LocalAurora:
    """An RDS endpoint whose clusters are PostgreSQL servers; start() and stop() it once."""

    def __init__(self, settings: AuroraSettings, hooks: Hooks | None = None, clock: ScaledClock | None = None) -> None:
        self.settings = settings
        self.clock = clock or ScaledClock(settings.speed)
        self._hooks = hooks or permissive_hooks(settings.account_id)
        self._engine: Engine | None = None
        self._http: AuroraHttpServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def ca_path(self) -> Path:
        """CA certificate (PEM) to verify the PostgreSQL servers with."""
        return self.engine.farm.ca_path

    @property
    def engine(self) -> Engine:
        """The running parts; raise RuntimeError before start()."""
        if self._engine is None:
            raise RuntimeError("the local Aurora is not started")
        return self._engine

    @property
    def endpoint(self) -> str:
        """URL of the RDS endpoint, for AWS_ENDPOINT_URL_RDS; raise RuntimeError before start()."""
        if self._http is None:
            raise RuntimeError("the local Aurora is not started")
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def control(self) -> Control:
        """Faults, journal and clock, as Python calls."""
        return Control(self.engine)

    @property
    def data_api(self) -> DataApi:
        """The Data API of every cluster, for whatever speaks HTTP."""
        return DataApi(self.engine)

    def start(self) -> str:
        """Start the endpoint and return its URL."""
        self.settings.run_dir.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.settings.run_dir)
        engine = Engine(
            settings=self.settings,
            hooks=self._hooks,
            clock=self.clock,
            timeline=Timeline(self.clock),
            farm=PostgresFarm(self.settings),
            store=Store(self._hooks.networks),
            journal=Journal(self.settings.run_dir / "journal.jsonl"),
        )
        self._engine = engine
        engine.timeline.start()
        self._http = AuroraHttpServer(self.settings.port, engine)
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(POLL_SECONDS,), name="local-aurora-http", daemon=True
        )
        self._thread.start()
        return self.endpoint

    def stop(self) -> None:
        """Stop the endpoint and every PostgreSQL server and remove the data; logs and journal stay."""
        if self._http and self._thread:
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()
            self._http = None
        if self._engine:
            self._engine.timeline.stop()
            self._engine.farm.close()
