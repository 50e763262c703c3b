"""What the three users may do in the restored database, on what came with it and on what comes later."""

import pytest

from tests.unit.database.production import LOGINS, MASTER, Restored

READ = "SELECT * FROM customers"
WRITE = "INSERT INTO customers (name) VALUES ('Edsger')"
OF_THE_APPLICATION = [
    READ,
    WRITE,
    "UPDATE customers SET name = name",
    "DELETE FROM customers WHERE false",
    "SELECT * FROM sales.orders",
    "INSERT INTO sales.orders (customer) VALUES (1)",
    "SELECT nextval('sales.invoice')",
    "SELECT * FROM sales.names",
    "SELECT * FROM sales.counts",
    "SELECT sales.total()",
    "SELECT 'good'::sales.mood",
    'DELETE FROM "Odd ""Own"" Schema"."Odd {Table} %s"',
    "SELECT sales.longest(name) FROM customers",
    "UPDATE hr.salaries SET id = 1",
    "CREATE TEMPORARY TABLE mine (id int)",
]
OF_THE_READER = [
    READ,
    "SELECT * FROM sales.orders",
    "SELECT * FROM sales.orders_1",
    "SELECT * FROM sales.names",
    "SELECT * FROM sales.counts",
    "SELECT * FROM sales.invoice",
    "SELECT sales.total()",
    'SELECT * FROM "Odd ""Own"" Schema"."Odd {Table} %s"',
    "SELECT * FROM hr.salaries",
]
NOT_OF_THE_READER = [
    WRITE,
    "UPDATE customers SET name = name",
    "DELETE FROM customers WHERE false",
    "TRUNCATE hr.salaries",
    "SELECT nextval('sales.invoice')",
    "SELECT setval('sales.invoice', 7)",
    "CREATE TABLE mine (id int)",
    "CREATE TABLE sales.mine (id int)",
    "REFRESH MATERIALIZED VIEW sales.counts",
]
NOT_OF_THE_APPLICATION = [
    "CREATE TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "TRUNCATE hr.salaries",
    "DROP TABLE customers",
    "ALTER TABLE customers ADD COLUMN x int",
    "CREATE ROLE friend",
    "GRANT dba TO app",
    "SET ROLE shop_owner",
]
OF_DEVOPS = [
    "TRUNCATE hr.salaries",
    "CREATE TABLE by_devops (id int)",
    "CREATE TABLE sales.by_devops (id int)",
    "SELECT setval('sales.invoice', 7)",
    "SELECT * FROM pg_stat_activity",
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'app'",
]
NOT_OF_DEVOPS = [
    "CREATE ROLE friend",
    "CREATE DATABASE mine",
    "GRANT dba TO devops",
    "GRANT rds_superuser TO devops",
    "SET ROLE dba",
    "ALTER SYSTEM SET work_mem = '1MB'",
]


@pytest.mark.parametrize("statement", OF_THE_APPLICATION)
def test_the_application_can(done: Restored, statement: str) -> None:
    assert done.is_allowed("app", "shop", statement)


@pytest.mark.parametrize("statement", NOT_OF_THE_APPLICATION)
def test_the_application_cannot(done: Restored, statement: str) -> None:
    assert not done.is_allowed("app", "shop", statement)


@pytest.mark.parametrize("statement", OF_THE_READER)
def test_the_reader_can(done: Restored, statement: str) -> None:
    assert done.is_allowed("reader", "shop", statement)


@pytest.mark.parametrize("statement", NOT_OF_THE_READER)
def test_the_reader_cannot_whatever_its_session_says(done: Restored, statement: str) -> None:
    assert not done.is_allowed("reader", "shop", statement)


def test_a_readers_session_is_read_only_from_the_start(done: Restored) -> None:
    assert done.run("reader", "shop", "SHOW transaction_read_only") == [("on",)]


@pytest.mark.parametrize("statement", [*OF_DEVOPS, WRITE, READ])
def test_devops_can(done: Restored, statement: str) -> None:
    assert done.is_allowed("devops", "shop", statement)


@pytest.mark.parametrize("statement", NOT_OF_DEVOPS)
def test_devops_cannot(done: Restored, statement: str) -> None:
    assert not done.is_allowed("devops", "shop", statement)


@pytest.mark.parametrize("user", ["app", "reader", "devops", MASTER])
@pytest.mark.parametrize("database", ["shop", "crm", "postgres"])
def test_the_users_and_the_master_get_into_every_database(done: Restored, user: str, database: str) -> None:
    assert done.can_log_in(user, database)


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("database", ["shop", "crm", "postgres"])
def test_productions_logins_get_into_none(done: Restored, login: str, database: str) -> None:
    assert not done.can_log_in(login, database)


def test_productions_passwords_are_forgotten(done: Restored) -> None:
    verifiers = done.run(
        "rdsadmin", "postgres", "SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL ORDER BY 1"
    )
    assert [name for (name,) in verifiers] == ["app", MASTER, "devops", "rdsadmin", "reader"]


@pytest.mark.parametrize(
    ("creator", "schema"),
    [
        ("dba", "public"),
        ("dba", "hr"),
        ("devops", "public"),
        ("devops", "hr"),
        ("shop_owner", "sales"),
        ("analyst", "hr"),
    ],
)
def test_what_anybody_creates_later_is_open_to_the_users(done: Restored, creator: str, schema: str) -> None:
    table = f"{schema}.later_by_{creator}"
    who = "devops" if creator == "devops" else MASTER
    done.run(who, "shop", f"SET ROLE {creator}; CREATE TABLE {table} (id serial)")

    assert done.is_allowed("app", "shop", f"INSERT INTO {table} DEFAULT VALUES")
    assert done.is_allowed("reader", "shop", f"SELECT * FROM {table}")
    assert not done.is_allowed("reader", "shop", f"INSERT INTO {table} DEFAULT VALUES")
    assert done.is_allowed("devops", "shop", f"TRUNCATE {table}")


def test_a_schema_that_comes_later_is_open_to_the_users(done: Restored) -> None:
    done.run(MASTER, "crm", "CREATE SCHEMA later; CREATE TABLE later.deals (id int)")
    assert done.is_allowed("app", "crm", "DELETE FROM later.deals")
    assert done.is_allowed("reader", "crm", "SELECT * FROM later.deals")
    assert done.is_allowed("devops", "crm", "CREATE TABLE later.more (id int)")
    assert not done.is_allowed("app", "crm", "CREATE TABLE later.mine (id int)")
