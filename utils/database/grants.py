"""Rights inside one database, on what is there and on what will be created."""

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composed, Identifier

from utils.database.connection import postgres_call
from utils.database.profiles import PRIVILEGES, DatabaseUser
from utils.database.roles import join_role

_SCHEMAS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
        AND has_schema_privilege(oid, 'USAGE WITH GRANT OPTION')
    ORDER BY nspname
"""
# What a superuser owns is AWS's: extensions mostly, on which the master has nothing to grant.
_OBJECTS = """
    WITH objects (kind, name, owner, schema) AS (
        SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass::text, relowner, relnamespace
        FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL SELECT 'ROUTINE', oid::regprocedure::text, proowner, pronamespace
        FROM pg_proc
    )
    SELECT kind, array_agg(name ORDER BY name)
    FROM objects JOIN pg_namespace ON pg_namespace.oid = schema JOIN pg_roles ON pg_roles.oid = owner
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%' AND NOT rolsuper
    GROUP BY kind ORDER BY kind
"""
_DATABASE_OWNERS = """
    SELECT DISTINCT rolname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba
    WHERE NOT rolsuper AND rolname NOT LIKE 'pg\\_%' AND rolname NOT LIKE 'rds%'
    ORDER BY rolname
"""
_OWNERS = """
    WITH owned (owner, schema) AS (
        SELECT relowner, relnamespace FROM pg_class
        UNION ALL SELECT proowner, pronamespace FROM pg_proc
        UNION ALL SELECT typowner, typnamespace FROM pg_type
        UNION ALL SELECT nspowner, oid FROM pg_namespace
    ),
    owners (oid) AS (
        SELECT owner FROM owned JOIN pg_namespace ON pg_namespace.oid = owned.schema
        WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
        UNION SELECT datdba FROM pg_database WHERE datname = current_database()
    )
    SELECT rolname FROM pg_roles JOIN owners USING (oid)
    WHERE NOT rolsuper AND rolname NOT LIKE 'pg\\_%' AND rolname NOT LIKE 'rds%'
    ORDER BY rolname
"""


def connectable_databases(connection: Connection) -> list[str]:
    """Return the databases people can use; AWS's own and the templates are none."""
    with postgres_call("list of databases"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'rdsadmin' "
            "ORDER BY datname"
        )
        return [name for (name,) in cursor.fetchall()]


def join_database_owners(connection: Connection, master: str) -> None:
    """Let the master into databases that are closed to everybody but their owner."""
    for owner in _names(connection, _DATABASE_OWNERS):
        join_role(connection, owner, master)


def join_owners(connection: Connection, master: str) -> None:
    """Let the master act for every role that owns something in this database."""
    for owner in _names(connection, _OWNERS):
        join_role(connection, owner, master)


def grant_in_database(connection: Connection, database: str, users: list[DatabaseUser], master: str) -> None:
    """Give the users their rights in every schema of one database; one transaction."""
    creators = _names(connection, _OWNERS)
    creators += [name for name in [master, *(user.name for user in users)] if name not in creators]
    for creator in creators:
        join_role(connection, creator, master)
    statements = [
        SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        SQL("GRANT CONNECT ON DATABASE {} TO {}").format(Identifier(database), Identifier(master)),
        SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(database)),
    ]
    schemas = _names(connection, _SCHEMAS)
    if "public" not in schemas:
        del statements[0]
    objects = _objects(connection)
    for user in users:
        statements += _grants(user, database, schemas, objects)
        statements += [statement for creator in creators for statement in _default_privileges(user, creator)]
    with postgres_call(f"grants in database {database}"), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _names(connection: Connection, query: str) -> list[str]:
    with postgres_call("look at schemas and owners"), connection.cursor() as cursor:
        cursor.execute(query)
        return [name for (name,) in cursor.fetchall()]


def _objects(connection: Connection) -> dict[str, SQL]:
    with postgres_call("look at objects"), connection.cursor() as cursor:
        cursor.execute(_OBJECTS)
        # PostgreSQL has quoted these names itself, with the schema and the types of arguments.
        return {kind: SQL(", ".join(names)) for kind, names in cursor.fetchall()}


def _grants(user: DatabaseUser, database: str, schemas: list[str], objects: dict[str, SQL]) -> list[Composed]:
    name, rights = Identifier(user.name), PRIVILEGES[user.profile]
    granted = {"TABLE": rights.tables, "SEQUENCE": rights.sequences, "ROUTINE": rights.routines}
    return [
        SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(Identifier(database), name),
        *(SQL(f"GRANT {rights.schemas} ON SCHEMA {{}} TO {{}}").format(Identifier(each), name) for each in schemas),
        *(SQL(f"GRANT {granted[kind]} ON {kind} {{}} TO {{}}").format(names, name) for kind, names in objects.items()),
    ]


def _default_privileges(user: DatabaseUser, creator: str) -> list[Composed]:
    rights = PRIVILEGES[user.profile]
    kinds = {
        "SCHEMAS": rights.schemas,
        "TABLES": rights.tables,
        "SEQUENCES": rights.sequences,
        "ROUTINES": rights.routines,
        "TYPES": rights.types,
    }
    return [
        SQL(f"ALTER DEFAULT PRIVILEGES FOR ROLE {{}} GRANT {granted} ON {kind} TO {{}}").format(
            Identifier(creator), Identifier(user.name)
        )
        for kind, granted in kinds.items()
    ]
