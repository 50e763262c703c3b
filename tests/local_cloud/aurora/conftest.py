from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local_cloud.aurora import AuroraSettings, LocalAurora, permissive_hooks
from tests.local_cloud.aurora.story import OTHER_ACCOUNT, Region

SPEED = 2000


class FunctionsOnPaper:
    """Writes down what is asked of the functions, and what `look` saw at that moment."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, object]] = []
        self.look: Callable[[], object] = lambda: None

    def kill(self, operation_id: str) -> None:
        self.asked.append(("kill", operation_id, self.look()))

    def run_again(self, operation_id: str) -> None:
        self.asked.append(("run again", operation_id, self.look()))


@pytest.fixture(scope="session")
def functions() -> FunctionsOnPaper:
    return FunctionsOnPaper()


@pytest.fixture(scope="session")
def aurora(tmp_path_factory: pytest.TempPathFactory, functions: FunctionsOnPaper) -> Iterator[LocalAurora]:
    settings = AuroraSettings(run_dir=tmp_path_factory.mktemp("aurora"), speed=SPEED)
    local = LocalAurora(settings, replace(permissive_hooks(settings.account_id), functions=functions))
    local.start()
    yield local
    local.stop()


@pytest.fixture(autouse=True)
def _no_faults_from_before(aurora: LocalAurora) -> Iterator[None]:
    yield
    aurora.control.clear_faults()
    aurora.control.release()


@pytest.fixture(scope="session")
def ca(aurora: LocalAurora) -> Path:
    return aurora.ca_path


@pytest.fixture(scope="session")
def east(aurora: LocalAurora, ca: Path) -> Region:
    return Region(aurora.endpoint, "us-east-1", ca)


@pytest.fixture(scope="session")
def west(aurora: LocalAurora, ca: Path) -> Region:
    return Region(aurora.endpoint, "us-west-2", ca)


@pytest.fixture(scope="session")
def stranger(aurora: LocalAurora, ca: Path) -> Region:
    """Another account in us-east-1."""
    return Region(aurora.endpoint, "us-east-1", ca, OTHER_ACCOUNT)


@pytest.fixture(scope="session")
def prod(east: Region) -> Region:
    """us-east-1 with the cluster `prod`, encrypted with a customer key, data in it, and its snapshot `prod-base`."""
    east.has_cluster(
        "prod",
        StorageEncrypted=True,
        KmsKeyId="alias/production",
        DeletionProtection=True,
        BackupRetentionPeriod=7,
        EnableIAMDatabaseAuthentication=True,
        CopyTagsToSnapshot=True,
        Tags=[{"Key": "stage", "Value": "prod"}],
    )
    with east.psql("prod") as session, session.cursor() as cursor:
        cursor.execute("CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id")
        cursor.execute("CREATE ROLE shopkeeper LOGIN PASSWORD 'Shopkeeper-pass'")
        cursor.execute("GRANT SELECT ON orders TO shopkeeper")
    east.has_snapshot("prod-base", of="prod")
    return east
