"""Who gets into the refreshed database, and what they can do there."""

from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2 import errors as postgres_errors
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from local_cloud.pipeline.deployment import Login
from tests.integration.stage.night import Night
from tests.integration.stage.production import LOGINS, MASTER, Production
from tests.integration.stage.world import OLD_MASTER, World


@pytest.fixture
def as_user(world: World, night: Night, request: pytest.FixtureRequest) -> Iterator[Cursor]:
    with world.login(getattr(world.deployment, request.param), night.new) as connection, connection.cursor() as cursor:
        yield cursor


@pytest.mark.parametrize("login", [MASTER, OLD_MASTER, *LOGINS.values()], ids=["master", "old-master", *LOGINS])
def test_no_password_of_production_or_of_the_old_target_opens_it(world: World, night: Night, login: Login) -> None:
    with pytest.raises(psycopg2.OperationalError, match=r"authentication failed|not permitted to log in"):
        world.login(login, night.new).__enter__()


@pytest.mark.usefixtures("night")
def test_production_still_has_its_logins(world: World, production: Production) -> None:
    for login in (MASTER, *LOGINS.values()):
        with world.login(login, production.cluster):
            pass


@pytest.mark.parametrize("as_user", ["application_user"], indirect=True)
def test_the_application_user_reads_and_writes(as_user: Cursor) -> None:
    as_user.execute("SELECT count(*) FROM shop.products")
    assert as_user.fetchone() == (200,)
    as_user.execute("UPDATE shop.products SET title = 'New' WHERE product_id = 1")
    as_user.execute(
        "INSERT INTO shop.orders (customer_id, placed_at) VALUES (1, now()) RETURNING order_number, order_id"
    )
    assert as_user.fetchone() is not None
    as_user.execute("DELETE FROM shop.orders WHERE order_id > 5000")
    assert as_user.rowcount == 1


@pytest.mark.parametrize("as_user", ["application_user", "readonly_user"], indirect=True)
def test_the_application_and_read_only_users_create_no_tables(as_user: Cursor) -> None:
    as_user.execute("SET default_transaction_read_only = off")
    for schema in ("public", "shop"):
        with pytest.raises(postgres_errors.InsufficientPrivilege):
            as_user.execute(f"CREATE TABLE {schema}.mine (n int)")


@pytest.mark.parametrize("as_user", ["readonly_user"], indirect=True)
def test_the_read_only_user_reads_and_is_refused_a_write(as_user: Cursor) -> None:
    as_user.execute("SELECT count(*) FROM crm.customers")
    assert as_user.fetchone() == (2000,)
    as_user.execute("SELECT count(*) FROM reporting.orders_per_customer")
    assert as_user.fetchone() == (2000,)
    with pytest.raises(postgres_errors.ReadOnlySqlTransaction):
        as_user.execute("DELETE FROM shop.payments")
    as_user.execute("SET default_transaction_read_only = off")
    with pytest.raises(postgres_errors.InsufficientPrivilege):
        as_user.execute("DELETE FROM shop.payments")


@pytest.mark.parametrize("as_user", ["devops_user"], indirect=True)
def test_a_table_that_devops_creates_is_open_to_the_others(world: World, night: Night, as_user: Cursor) -> None:
    as_user.execute("CREATE TABLE shop.of_devops (n int)")
    as_user.execute("ALTER TABLE shop.of_devops ADD COLUMN note text")
    with world.login(world.deployment.application_user, night.new) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop.of_devops VALUES (1, 'by the application')")
    with world.login(world.deployment.readonly_user, night.new) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT note FROM shop.of_devops")
        assert cursor.fetchall() == [("by the application",)]
        cursor.execute("SET default_transaction_read_only = off")
        with pytest.raises(postgres_errors.InsufficientPrivilege):
            cursor.execute("INSERT INTO shop.of_devops VALUES (2, 'by nobody')")
    as_user.execute("DROP TABLE shop.of_devops")
