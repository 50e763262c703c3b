"""The worked example does what it says: masked, proven, and refused when one script is left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.before_opening.world import World
from utils.errors import CheckFailed
from utils.request.model import RestoreRequest

SCRIPTS = Path("docs/examples/masking")
EXAMPLE: dict[str, Any] = json.loads(Path("statemachine/inputs/masked_refresh.json").read_text())
REVENUE = "SELECT sum(revenue) FROM reporting.orders_per_customer"


def named(world: World) -> list[dict[str, Any]]:
    """Put the example's scripts where its request says."""
    for wanted in EXAMPLE["post_restore_sql"]:
        key = wanted["s3_uri"].rpartition("/")[2]
        world.scripts[wanted["s3_uri"]] = (SCRIPTS / key).read_text()
    scripts: list[dict[str, Any]] = EXAMPLE["post_restore_sql"]
    return scripts


def test_the_example_is_a_request() -> None:
    request = EXAMPLE | {"source": EXAMPLE["source"] | {"region": "us-east-1"}}
    assert len(RestoreRequest.model_validate(request).checks) == 7


def test_unmasked_data_is_refused_and_a_half_masked_copy_too(furnished: World) -> None:
    world = World(furnished.master)
    world.run("ANALYZE crm.customers; ANALYZE shop.payments")
    with pytest.raises(CheckFailed) as failed:
        world.before_opening(checks=EXAMPLE["checks"])
    for name in ("no name", "no telephone", "no bank account", "no address of production in any table", "statistics"):
        assert name in str(failed.value)
    assert "@example.com" not in str(failed.value)

    orders = world.ask(REVENUE)
    masking, removing = named(world)
    with pytest.raises(
        CheckFailed, match="no value of production in the planner's statistics in database shop: a number"
    ):
        world.before_opening(masking, checks=EXAMPLE["checks"])

    outcome = world.before_opening(masking, removing, checks=EXAMPLE["checks"])
    assert [check.found for check in outcome.checks] == ["a number that fits", *["0"] * 6]
    assert world.ask(REVENUE) == orders, "what tests need stays as it was"
    assert world.ask("SELECT count(*) FROM crm.customers WHERE attributes ? 'segment'") == 2000


def test_no_replaced_value_is_left_in_the_files(furnished: World, volume: Volume) -> None:
    world = World(furnished.master)
    world.before_opening(*named(world), checks=EXAMPLE["checks"])
    for relation in ("crm.customers", "crm.customers_email_key", "crm.customers_by_name"):
        content = (volume.data / world.ask(f"SELECT pg_relation_filepath('{relation}')")).read_bytes()
        assert b"ustomer 7" in content or b"@example.invalid" in content
        assert b"@example.com" not in content
        assert b"Maier" not in content
        assert b"maier" not in content
