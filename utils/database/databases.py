"""The databases of the cluster that people can use."""

from psycopg2.extensions import connection as Connection  # noqa: N812

from utils.database.server.statements import names

# The templates of PostgreSQL are AWS's; a template of production's own is a database like any other.
_CONNECTABLE = """
    SELECT datname FROM pg_database
    WHERE datallowconn AND datconnlimit NOT IN (-2, 0) AND datname NOT IN ('rdsadmin', 'template0', 'template1')
        AND has_database_privilege(oid, 'CONNECT')
    ORDER BY datname
"""


def connectable_databases(connection: Connection) -> list[str]:
    """Return the databases that accept connections of people."""
    return names(connection, "list of databases", _CONNECTABLE)
