"""A production database as it comes out of a snapshot: on a real PostgreSQL, with Aurora's kind of master user."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Identifier, Literal
from pydantic import SecretStr

from local_cloud.aurora import AuroraSettings
from local_cloud.aurora.postgres.bootstrap import ADMIN
from local_cloud.aurora.postgres.bootstrap import Master as ProductionMaster
from local_cloud.aurora.postgres.farm import PostgresFarm
from local_cloud.aurora.postgres.server import PostgresServer
from local_cloud.aurora.postgres.volume import Volume
from tests.unit.database.versions import MAJOR, bin_dirs
from utils.database.roles.profiles import DatabaseUser, Profile
from utils.database.server.connection import DatabaseServer, Master
from utils.database.server.tls import Tls
from utils.database.setup import SetupOutcome, set_up_users
from utils.errors import DatabaseUnavailable

MASTER = "dba"
PASSWORDS = {
    MASTER: "New-master-Pa55",
    "app": "App-Pa55word",
    "reader": "Reader-Pa55word",
    "devops": "Devops-Pa55word",
    "shop_owner": "Prod-owner-Pa55",
    "analyst": "Prod-analyst-Pa55",
    "api": "Prod-api-Pa55word",
    "admin": "Prod-admin-Pa55",
    "service": "Prod-service-Pa55",
}
USERS = [
    DatabaseUser(profile=profile, name=name, password=SecretStr(PASSWORDS[name]))
    for profile, name in ((Profile.APPLICATION, "app"), (Profile.READONLY, "reader"), (Profile.DEVOPS, "devops"))
]
LOGINS = ("shop_owner", "analyst", "api")
LATIN1 = "CREATE DATABASE western TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
SHOP_OBJECTS = """
    CREATE TABLE customers (id serial PRIMARY KEY, name text);
    INSERT INTO customers (name) VALUES ('Ada'), ('Grace');
    CREATE SCHEMA sales;
    CREATE TABLE sales.orders (id int GENERATED ALWAYS AS IDENTITY, customer int) PARTITION BY RANGE (customer);
    CREATE TABLE sales.orders_1 PARTITION OF sales.orders FOR VALUES FROM (0) TO (1000);
    CREATE SEQUENCE sales.invoice;
    CREATE VIEW sales.names AS SELECT name FROM customers;
    CREATE MATERIALIZED VIEW sales.counts AS SELECT count(*) FROM customers;
    CREATE TYPE sales.mood AS ENUM ('good', 'bad');
    CREATE FUNCTION sales.total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM customers';
    REVOKE ALL ON FUNCTION sales.total() FROM PUBLIC;
    CREATE SCHEMA "Odd ""Own"" Schema";
    CREATE TABLE "Odd ""Own"" Schema"."Odd {Table} %s" (id int);
    CREATE AGGREGATE sales.longest(text) (sfunc = textcat, stype = text);
"""


@dataclass
class Restored:
    """The restored database server and whoever may connect to it."""

    farm: PostgresFarm
    server: PostgresServer
    log: Path

    @property
    def address(self) -> DatabaseServer:
        return DatabaseServer(host="127.0.0.1", port=self.server.port, tls=Tls(ca_file=self.farm.ca_path))

    @property
    def master(self) -> Master:
        return Master(server=self.address, name=MASTER, password=SecretStr(PASSWORDS[MASTER]))

    def set_up(self) -> SetupOutcome:
        """Do what step 8 does."""
        return set_up_users(self.master, USERS)

    def set_up_with_retries(self, seconds: float = 20.0) -> SetupOutcome:
        """Set the users up as Step Functions has it done: what may pass by itself is tried again, after a moment."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(DatabaseUnavailable):
                return self.set_up()
            time.sleep(0.2)  # PostgreSQL takes leave of a session after its client has gone
        return self.set_up()

    def connect(self, user: str, database: str, password: str | None = None) -> Connection:
        """Log in, with autocommit."""
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.server.port,
            dbname=database,
            user=user,
            password=password or self._password(user),
            sslmode="require",
        )
        connection.autocommit = True
        return connection

    @contextmanager
    def changed(self, change: str, back: str) -> Iterator[None]:
        """Change a right in the shop for a while."""
        self.run(MASTER, "shop", change)
        try:
            yield
        finally:
            self.run(MASTER, "shop", back)

    def run(self, user: str, database: str, statement: str) -> list[tuple[Any, ...]]:
        """Run statements as a user and return the rows of the last one."""
        with closing(self.connect(user, database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def allow_prepared_transactions(self) -> None:
        """Start the server anew as one that takes them."""
        self.run(ADMIN, "postgres", "ALTER SYSTEM SET max_prepared_transactions = 5")
        self.server.restart(MASTER)

    def is_allowed(self, user: str, database: str, statement: str) -> bool:
        """Tell whether a user may run a statement, in a session that may write."""
        with closing(self.connect(user, database)) as connection, connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            try:
                cursor.execute(statement)
            except errors.InsufficientPrivilege:
                return False
            return True

    def can_log_in(self, user: str, database: str, password: str | None = None) -> bool:
        """Tell whether a user gets in."""
        try:
            self.connect(user, database, password).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _password(self, user: str) -> str:
        return self.farm._admin.password if user == ADMIN else PASSWORDS[user]


def start_farm(folder: Path) -> PostgresFarm:
    """Start the maker of PostgreSQL servers."""
    threading.settrace(None)  # its doors are no product: whoever counts covered lines need not follow their threads
    return PostgresFarm(AuroraSettings(run_dir=folder, postgres_bin_dirs=bin_dirs()))


def make_production(farm: PostgresFarm, major: int = MAJOR, name: str = "production") -> Volume:
    """Make the data of production: two databases beside `postgres`, logins of its own, objects of several owners."""
    volume = farm.new_volume(name)
    server = farm.new_server(volume, major, name, None)
    server.initialise(farm.empty_database(major), ProductionMaster(MASTER, PASSWORDS[MASTER], "crm"))
    server.start(MASTER)
    production = Restored(farm, server, Path())
    production.run(ADMIN, "postgres", "ALTER SYSTEM SET log_statement = 'all'")
    for login in LOGINS:
        create_login(production, login)
    options = " WITH SET TRUE, INHERIT FALSE" if major >= 16 else ""
    production.run(MASTER, "postgres", f"GRANT shop_owner TO dba{options}")
    production.run(MASTER, "postgres", "CREATE DATABASE shop OWNER shop_owner")
    for database in ("postgres", "shop", "crm") if major < 15 else ():
        # The master of RDS can revoke CREATE on public in PostgreSQL 14, too.
        production.run(ADMIN, database, "ALTER SCHEMA public OWNER TO dba")
    production.run("shop_owner", "shop", SHOP_OBJECTS)
    production.run("shop_owner", "shop", "CREATE SCHEMA hr; GRANT ALL ON SCHEMA hr TO analyst")
    production.run("analyst", "shop", "CREATE TABLE hr.salaries (id int)")
    production.run(MASTER, "crm", "CREATE TABLE leads (id int)")
    server.stop()
    return volume


def create_login(production: Restored, name: str, options: str = "", *, by: str = MASTER) -> None:
    """Let production have a login, its password made into a verifier as a careful DBA does."""
    with closing(production.connect(by, "postgres")) as connection, connection.cursor() as cursor:
        verifier = encrypt_password(PASSWORDS[name], name, scope=connection, algorithm="scram-sha-256")
        statement = SQL(f"CREATE ROLE {{}} LOGIN {options} PASSWORD {{}}")
        cursor.execute(statement.format(Identifier(name), Literal(verifier)))


def add_western(restored: Restored) -> None:
    """Add a database in LATIN1."""
    restored.run(MASTER, "postgres", LATIN1)
    # As above: up to PostgreSQL 14 it is the superuser's here, the master's on RDS.
    restored.run(ADMIN, "western", "ALTER SCHEMA public OWNER TO dba")


def restore(farm: PostgresFarm, production: Volume, name: str, major: int = MAJOR) -> Iterator[Restored]:
    """Start a server on a copy of production, and remove it afterwards."""
    volume = farm.new_volume(name)
    volume.copy_from(production)
    server = farm.new_server(volume, major, name, None)
    server.start(MASTER)
    yield Restored(farm, server, farm._log_dir / f"{name}.log")
    farm.remove_server(server)
