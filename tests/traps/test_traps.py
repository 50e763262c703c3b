"""Every trap of the kit ends as it says: a sample on PostgreSQL 17, all of them one by one on 14 to 17 when asked."""

import re
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest

from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.volume import Volume
from tests.traps.kit import Trap, table, traps
from tests.unit.database.production import LOGINS, MASTER, Restored, make_production, restore, start_farm
from tests.unit.database.traps import DEEP
from tests.unit.database.versions import ALL, skip_unless_installed
from utils.errors import PermanentError

README = Path(__file__).parent / "README.md"
SAMPLE = 17
ONE_BY_ONE = [(trap, version) for trap in traps() for version in ALL if DEEP and version in trap.outcomes]
REFUSED = [trap for trap in traps() if trap.outcomes.get(SAMPLE) == "refused"]


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresFarm]:
    started = start_farm(tmp_path_factory.mktemp("postgres"))
    yield started
    started.close()


@cache
def production(farm: PostgresFarm, version: int) -> Volume:
    return make_production(farm, version, f"production-{version}")


@pytest.fixture
def restored(farm: PostgresFarm, request: pytest.FixtureRequest) -> Iterator[Restored]:
    version = getattr(request, "param", SAMPLE)
    skip_unless_installed(version)
    yield from restore(farm, production(farm, version), uuid4().hex, version)


def plant(restored: Restored, trap: Trap) -> None:
    """Let production have the trap."""
    for setting in trap.server:
        restored.run(ADMIN, "postgres", f"ALTER SYSTEM SET {setting}")
    if trap.server:
        restored.server.restart(MASTER)
    for part in trap.parts:
        user = ADMIN if part.user == "superuser" else part.user
        with closing(restored.connect(user, part.database)) as connection, connection.cursor() as cursor:
            cursor.execute(part.statements.encode(part.encoding))


def outcome_of(restored: Restored) -> tuple[str, str]:
    """Set the users up, and return how it ended and all that was told."""
    try:
        outcome = restored.set_up_with_retries()
    except PermanentError as error:
        return "refused", str(error)
    proofs = [line for lines in outcome.proofs.values() for line in lines]
    return "green", "\n".join([*proofs, *outcome.outbound, *outcome.disarmed, *map(str, outcome.health)])


def version_of(restored: Restored) -> int:
    """Return the major version of the server."""
    with closing(restored.connect(ADMIN, "shop")) as connection:
        return int(connection.server_version) // 10_000


def check(restored: Restored, trap: Trap, ended: str, told: str, version: int) -> None:
    """Compare with what the trap's header says; nobody of production's gets in, however it ended."""
    assert ended == trap.outcomes[version], told
    for says in trap.says:
        assert re.search(says, told, re.DOTALL), told
    for wish in trap.allowed:
        assert restored.is_allowed(wish.user, wish.database, wish.statement), wish
    for wish in trap.refused:
        assert not restored.is_allowed(wish.user, wish.database, wish.statement), wish


def test_all_traps_that_a_run_survives_are_survived_at_once(restored: Restored) -> None:
    survived = [trap for trap in traps() if trap.outcomes.get(SAMPLE) == "green" and not trap.is_alone]
    for trap in sorted(survived, key=lambda trap: (not trap.server, trap.is_last)):
        plant(restored, trap)
    ended, told = outcome_of(restored)
    for trap in survived:
        check(restored, trap, ended, told, SAMPLE)
    assert not [name for name in LOGINS if restored.can_log_in(name, "shop")]


@pytest.mark.parametrize("trap", REFUSED, ids=lambda trap: trap.name)
def test_a_trap_that_stops_a_run_says_so_at_once(restored: Restored, trap: Trap) -> None:
    plant(restored, trap)
    check(restored, trap, *outcome_of(restored), SAMPLE)


@pytest.mark.parametrize(
    ("restored", "trap"),
    [(version, trap) for trap, version in ONE_BY_ONE],
    indirect=["restored"],
    ids=[f"{trap.name}-{version}" for trap, version in ONE_BY_ONE],
)
def test_each_trap_ends_as_it_says_on_every_version(restored: Restored, trap: Trap) -> None:
    plant(restored, trap)
    check(restored, trap, *outcome_of(restored), version_of(restored))


def test_the_readmes_table_is_that_of_the_traps() -> None:
    assert table() in README.read_text()
