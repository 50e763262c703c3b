"""The pipeline's roles, tried with real calls: each may do what its step needs, and is refused everything else."""

from collections.abc import Iterator

import pytest

from tests.integration.stage.roles.acting import Actors, furnish, make_ours
from tests.integration.stage.roles.rights import NOBODYS, OWN, ROLES
from tests.integration.stage.world import World


@pytest.fixture(scope="module")
def actors(world: World) -> Iterator[Actors]:
    with Actors(world, furnish(world)) as lent:
        yield lent


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("what", NOBODYS)
def test_no_role_may(world: World, actors: Actors, what: str) -> None:
    make_ours(world)
    assert [role for role in ROLES if actors.is_let_in(role, NOBODYS[what])] == []


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("what", OWN)
def test_only_those_whose_step_it_is_may(world: World, actors: Actors, what: str) -> None:
    whose, call = OWN[what]
    assert [role for role in ROLES if role not in whose and actors.is_let_in(role, call)] == []
    for role in sorted(whose):
        make_ours(world)
        assert actors.is_let_in(role, call), f"{role} may not {what}"
