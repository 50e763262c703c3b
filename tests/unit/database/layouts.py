"""Generated layouts of roles, schemas, objects and rights, as a production may have them."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from hypothesis import strategies as st
from psycopg2 import errors
from psycopg2.sql import SQL, Composable, Identifier

from local_cloud.aurora.postgres.bootstrap import ADMIN
from tests.unit.database.production import MASTER, Restored

DATABASE = "layout"
OURS = ["app", "reader", "devops"]
ROLES = ["ann", "Bob", 'quo"te', "dr. 100%s", "ünï"]
EVERYBODY = [*OURS, *ROLES]
SCHEMAS = ["public", "Sales", "dot.dot"]
KINDS = ["TABLE", "VIEW", "SEQUENCE", "FUNCTION", "DEFINER"]
RIGHTS = {
    "TABLE": ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "ALL"],
    "SEQUENCE": ["USAGE", "SELECT", "UPDATE", "ALL"],
    "FUNCTION": ["EXECUTE"],
    "SCHEMA": ["USAGE", "CREATE", "ALL"],
}
LATER = {"TABLES": "TABLE", "SEQUENCES": "SEQUENCE", "FUNCTIONS": "FUNCTION", "SCHEMAS": "SCHEMA"}

_role = st.sampled_from(EVERYBODY)
_grantee = st.sampled_from([*EVERYBODY, "PUBLIC"])


@dataclass(frozen=True)
class Thing:
    """An object and its owner."""

    kind: str
    schema: str
    owner: str


@dataclass(frozen=True)
class Grant:
    """A right that was given: on which thing (by number), or on its schema; perhaps passed on to a second role."""

    thing: int
    on_schema: bool
    choice: int
    grantee: str
    with_option: bool
    passed_on_to: str


@dataclass(frozen=True)
class Later:
    """A default privilege."""

    creator: str
    kind: str
    schema: str | None
    choice: int
    grantee: str


@dataclass(frozen=True)
class Layout:
    """All of it."""

    attributes: dict[str, str]
    members: list[tuple[str, str, bool]]
    schema_owners: list[str]
    closed_to_owner: list[bool]
    database_owner: str
    things: list[Thing]
    grants: list[Grant]
    later: list[Later]


_ATTRIBUTES = ["LOGIN", "NOLOGIN CREATEDB", "LOGIN CREATEROLE", "LOGIN NOINHERIT", "LOGIN CONNECTION LIMIT 0"]
layouts = st.builds(
    Layout,
    attributes=st.fixed_dictionaries({name: st.sampled_from(_ATTRIBUTES) for name in EVERYBODY}),
    members=st.lists(
        st.tuples(st.sampled_from([*EVERYBODY, "rds_superuser", "pg_monitor"]), _role, st.booleans()), max_size=6
    ),
    schema_owners=st.lists(_role, min_size=len(SCHEMAS), max_size=len(SCHEMAS)),
    closed_to_owner=st.lists(st.booleans(), min_size=len(SCHEMAS), max_size=len(SCHEMAS)),
    database_owner=_role,
    things=st.lists(
        st.builds(Thing, kind=st.sampled_from(KINDS), schema=st.sampled_from(SCHEMAS), owner=_role),
        min_size=1,
        max_size=8,
    ),
    grants=st.lists(
        st.builds(
            Grant,
            thing=st.integers(0, 7),
            on_schema=st.booleans(),
            choice=st.integers(0, 6),
            grantee=_grantee,
            with_option=st.booleans(),
            passed_on_to=_grantee,
        ),
        max_size=10,
    ),
    later=st.lists(
        st.builds(
            Later,
            creator=_role,
            kind=st.sampled_from(sorted(LATER)),
            schema=st.one_of(st.none(), st.sampled_from(SCHEMAS)),
            choice=st.integers(0, 6),
            grantee=_grantee,
        ),
        max_size=6,
    ),
)


def build(server: Restored, layout: Layout) -> None:
    """Make the layout real; what PostgreSQL refuses (a circle of memberships, for one) is left out."""
    roles = [
        SQL(f"CREATE ROLE {{}} {attributes}").format(Identifier(name)) for name, attributes in layout.attributes.items()
    ]
    roles.append(SQL("CREATE DATABASE {}").format(Identifier(DATABASE)))
    for role, member, with_admin in layout.members:
        option = SQL(" WITH ADMIN OPTION") if with_admin else SQL("")
        roles.append(SQL("GRANT {} TO {}").format(Identifier(role), Identifier(member)) + option)
    _run(server, MASTER, "postgres", roles)
    owner = SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(DATABASE), Identifier(layout.database_owner))
    statements: list[Composable] = [owner]
    for schema, name in zip(SCHEMAS, layout.schema_owners, strict=True):
        if schema != "public":
            statements.append(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
        statements.append(SQL("ALTER SCHEMA {} OWNER TO {}").format(Identifier(schema), Identifier(name)))
    for number, thing in enumerate(layout.things):
        statements += _create(thing, number)
    for grant in layout.grants:
        statements += _grant(layout, grant)
    for schema, name, closed in zip(SCHEMAS, layout.schema_owners, layout.closed_to_owner, strict=True):
        if closed:
            statements.append(
                SQL("REVOKE ALL ON SCHEMA {} FROM {}, PUBLIC").format(Identifier(schema), Identifier(name))
            )
    for later in layout.later:
        statements.append(_later(later))
    _run(server, ADMIN, DATABASE, statements)


def remove(server: Restored) -> None:
    """Make room for the next layout."""
    _run(server, ADMIN, "postgres", [SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(DATABASE))])
    left = server.run(
        ADMIN, "postgres", "SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> 'dba'"
    )
    for database in ("crm", "postgres"):
        _run(server, ADMIN, database, [SQL("DROP OWNED BY {} CASCADE").format(Identifier(name)) for (name,) in left])
    _run(server, ADMIN, "postgres", [SQL("DROP ROLE {}").format(Identifier(name)) for (name,) in left])


def _create(thing: Thing, number: int) -> list[Composable]:
    name, owner = Identifier(thing.schema, f"Thing {number}"), Identifier(thing.owner)
    body = "LANGUAGE sql AS 'SELECT 1'"
    text = {
        "TABLE": "CREATE TABLE {} (id int, n int)",
        "VIEW": "CREATE VIEW {} AS SELECT 1 AS n",
        "SEQUENCE": "CREATE SEQUENCE {}",
        "FUNCTION": f"CREATE FUNCTION {{}}() RETURNS int {body}",
        "DEFINER": f"CREATE FUNCTION {{}}() RETURNS int SECURITY DEFINER {body}",
    }[thing.kind]
    kind = {"DEFINER": "FUNCTION"}.get(thing.kind, thing.kind)
    return [SQL(text).format(name), SQL(f"ALTER {kind} {{}} OWNER TO {{}}").format(name, owner)]


def _grant(layout: Layout, grant: Grant) -> list[Composable]:
    number = grant.thing % len(layout.things)
    thing = layout.things[number]
    kind = "SCHEMA" if grant.on_schema else {"DEFINER": "FUNCTION", "VIEW": "TABLE"}.get(thing.kind, thing.kind)
    name = Identifier(thing.schema) if grant.on_schema else Identifier(thing.schema, f"Thing {number}")
    right = RIGHTS[kind][grant.choice % len(RIGHTS[kind])]
    on = SQL(f"GRANT {right} ON {kind} {{}} TO ").format(name)
    option = SQL(" WITH GRANT OPTION") if grant.with_option and grant.grantee != "PUBLIC" else SQL("")
    statements: list[Composable] = [on + _whom(grant.grantee) + option]
    if grant.with_option and grant.grantee != "PUBLIC":
        statements.append(SQL("SET ROLE {}").format(Identifier(grant.grantee)))
        statements += [on + _whom(grant.passed_on_to), SQL("RESET ROLE")]
    return statements


def _later(later: Later) -> Composable:
    rights = RIGHTS[LATER[later.kind]]
    schema = None if later.kind == "SCHEMAS" else later.schema
    where = SQL("") if schema is None else SQL(" IN SCHEMA {}").format(Identifier(schema))
    return SQL(f"ALTER DEFAULT PRIVILEGES FOR ROLE {{}}{{}} GRANT {rights[later.choice % len(rights)]} "
               f"ON {later.kind} TO {{}}").format(Identifier(later.creator), where, _whom(later.grantee))  # fmt: skip


def _whom(grantee: str) -> Composable:
    return SQL("PUBLIC") if grantee == "PUBLIC" else Identifier(grantee)


def _run(server: Restored, user: str, database: str, statements: Sequence[Composable]) -> None:
    refused = (errors.InvalidGrantOperation, errors.InsufficientPrivilege)
    with closing(server.connect(user, database)) as connection, connection.cursor() as cursor:
        for statement in statements:
            try:
                cursor.execute(statement)
            except refused:
                cursor.execute("RESET ROLE")
