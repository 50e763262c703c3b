"""Whatever the layout of roles and rights was: the users have their profiles' rights, and nobody else gets in."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from local_cloud.aurora.postgres.bootstrap import Master as ProductionMaster
from local_cloud.aurora.postgres.farm import PostgresFarm
from tests.unit.database.judge import catalog, who_can_log_in, wrong_rights
from tests.unit.database.layouts import DATABASE, OURS, ROLES, Grant, Later, Layout, Thing, build, layouts, remove
from tests.unit.database.production import MASTER, PASSWORDS, USERS, Restored
from tests.unit.database.traps import DEEP
from tests.unit.database.versions import ALL, DEFAULT, skip_unless_installed

EXAMPLES = int(os.environ.get("LAYOUTS", "100" if DEEP else "4"))


@pytest.fixture(scope="module", params=ALL if DEEP else DEFAULT)
def server(farm: PostgresFarm, request: pytest.FixtureRequest) -> Iterator[Restored]:
    skip_unless_installed(request.param)
    name = f"layouts-{request.param}"
    started = farm.new_server(farm.new_volume(name), request.param, name, None)
    started.initialise(farm.empty_database(request.param), ProductionMaster(MASTER, PASSWORDS[MASTER], "crm"))
    started.start(MASTER)
    yield Restored(farm, started, farm._log_dir / f"{name}.log")
    farm.remove_server(started)


# What hypothesis has found: a user passed a right on, and is now a member of the role that owns the schema.
_EVERYBODY = dict.fromkeys((*OURS, *ROLES), "LOGIN")
PASSED_ON = Layout(
    attributes=_EVERYBODY, members=[], schema_owners=["app"] * 3, closed_to_owner=[True] * 3, database_owner="app",
    things=[Thing(kind="TABLE", schema="public", owner="app"), Thing(kind="TABLE", schema="dot.dot", owner="app")],
    grants=[
        Grant(thing=7, on_schema=True, choice=1, grantee="devops", with_option=True, passed_on_to="reader"),
    ],
    later=[],
)  # fmt: skip
# The same with an owner who stays, and a role that is a member of it.
PASSED_ON_BY_A_MEMBER = Layout(
    attributes=_EVERYBODY, members=[("ann", "Bob", False)], schema_owners=["ann"] * 3, closed_to_owner=[False] * 3,
    database_owner="reader", things=[Thing(kind="TABLE", schema="Sales", owner="ann")],
    grants=[
        Grant(thing=0, on_schema=on_schema, choice=choice, grantee=grantee, with_option=True, passed_on_to="reader")
        for on_schema, choice in ((True, 1), (False, 0), (False, 3))
        for grantee in ("Bob", "ünï")
    ],
    later=[],
)  # fmt: skip

# The same by a member of somebody else who has the option.
PASSED_ON_BY_A_FRIEND = Layout(
    attributes=_EVERYBODY, members=[("Bob", "ann", False)], schema_owners=["ünï"] * 3, closed_to_owner=[True] * 3,
    database_owner="reader", things=[Thing(kind="TABLE", schema="Sales", owner="ünï")],
    grants=[
        Grant(thing=0, on_schema=False, choice=choice, grantee=grantee, with_option=True, passed_on_to="reader")
        for choice in (1, 2, 3)
        for grantee in ("ann", "Bob")
    ],
    later=[],
)  # fmt: skip

# The owner role's way into a schema had been passed on as well, so that it could not be given its object back.
PASSED_ON_WITH_THE_WAY_IN = Layout(
    attributes=_EVERYBODY, members=[("ann", "devops", True), ("reader", "Bob", False)], schema_owners=["ünï"] * 3,
    closed_to_owner=[True, True, False], database_owner="Bob",
    things=[Thing(kind="SEQUENCE", schema="Sales", owner="reader")],
    grants=[
        *(
            Grant(thing=0, on_schema=True, choice=choice, grantee=grantee, with_option=True, passed_on_to=passed_on_to)
            for choice, grantee, passed_on_to in (
                (2, "dr. 100%s", "PUBLIC"), (0, "devops", "ann"), (2, "ünï", "dr. 100%s"), (0, "Bob", "dr. 100%s"),
            )
        ),
        Grant(thing=0, on_schema=False, choice=1, grantee="devops", with_option=True, passed_on_to="dr. 100%s"),
        Grant(thing=0, on_schema=False, choice=0, grantee="devops", with_option=True, passed_on_to="ünï"),
    ],
    later=[],
)  # fmt: skip

# A strong owner's only object becomes the owner role's: the second run meets a strong role that owns nothing.
DEFINER_OF_A_STRONG_OWNER = Layout(
    attributes={**_EVERYBODY, 'quo"te': "LOGIN CREATEDB"}, members=[], schema_owners=["app"] * 3,
    closed_to_owner=[False] * 3, database_owner="app", things=[Thing(kind="DEFINER", schema="Sales", owner='quo"te')],
    grants=[], later=[Later(creator='quo"te', kind="SEQUENCES", schema=None, choice=0, grantee="app")],
)  # fmt: skip
# The same with one that loses what made it strong.
DEFINER_OF_A_WEAKENED_OWNER = replace(
    DEFINER_OF_A_STRONG_OWNER, attributes={**_EVERYBODY, 'quo"te': "LOGIN CREATEROLE"}
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
    derandomize=not DEEP,
    # A layout that is cut down to its smallest takes minutes: only the deep profile does.
    phases=tuple(Phase) if DEEP else (Phase.explicit, Phase.generate),
)
@given(layout=layouts)
@example(layout=PASSED_ON)
@example(layout=PASSED_ON_BY_A_MEMBER)
@example(layout=PASSED_ON_BY_A_FRIEND)
@example(layout=PASSED_ON_WITH_THE_WAY_IN)
@example(layout=DEFINER_OF_A_STRONG_OWNER)
@example(layout=DEFINER_OF_A_WEAKENED_OWNER)
def test_the_users_rights_are_their_profiles_and_a_second_run_changes_nothing(server: Restored, layout: Layout) -> None:
    remove(server)
    build(server, layout)
    first = server.set_up()
    assert wrong_rights(server, [DATABASE], USERS) == []
    assert who_can_log_in(server) == set(OURS)
    before = catalog(server, [DATABASE])
    assert server.set_up().proofs == first.proofs
    assert catalog(server, [DATABASE]) == before
