"""What the users own from before goes to the master: an owner may do anything with what it owns."""

from collections.abc import Sequence

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Identifier

from utils.database.session import listed, names, run

_OWNERS_HERE = """
    SELECT DISTINCT rolname FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid
    WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND rolname = ANY(%s)
        AND classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)
        AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY rolname
"""


def take_over_objects(connection: Connection, users: Sequence[str]) -> None:
    """Make the master the owner of what the users own in this database, and of databases that they own."""
    owners = names(connection, "look at what users own", _OWNERS_HERE, (list(users),))
    if owners:
        statement = SQL("REASSIGN OWNED BY {} TO {}").format(listed(owners), Identifier(connection.info.user))
        run(connection, f"new owner for what {', '.join(owners)} owned", [statement])
