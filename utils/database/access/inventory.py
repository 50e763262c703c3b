"""What gives somebody rights beyond objects: compared before and after code of others has run, so nothing new stays.

Each entry is known by identifiers, not by names, which may change; AWS's own roles come and go by themselves.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812

from utils.database.roles.aws_roles import AWS_ROLES, OF_AWS, SYSTEM_ROLE
from utils.database.roles.wanted_role import PUT_ASIDE
from utils.database.server.connection import FIRST_DATABASE, Master
from utils.database.server.statements import rows
from utils.errors import DatabaseChangeRefused, DatabaseUnavailable

# Whether it gives rights that the master has, or a way in; whose it is; what it is and its value; how people read it.
_OF_CLUSTER = f"""
    WITH those AS (SELECT * FROM pg_roles WHERE rolname <> ALL(%(aws)s) AND rolname <> ALL(%(but)s)),
    theirs AS (SELECT oid, rolname FROM those AS pg_roles WHERE NOT {PUT_ASIDE})
    SELECT true, oid, 'login', 'login ' || rolname FROM those WHERE rolcanlogin
    UNION ALL
    SELECT true, oid, attribute, 'attribute ' || attribute || ' of ' || rolname
    FROM theirs JOIN pg_roles USING (oid, rolname), LATERAL (VALUES ('SUPERUSER', rolsuper),
        ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb), ('REPLICATION', rolreplication),
        ('BYPASSRLS', rolbypassrls)) AS attributes (attribute, has) WHERE has
    UNION ALL
    SELECT true, theirs.oid, 'member ' || roleid || admin_option, theirs.rolname || ' as a member of ' || role.rolname
        || CASE WHEN admin_option THEN ' that may grant it' ELSE '' END
    FROM pg_auth_members JOIN theirs ON theirs.oid = member JOIN pg_roles AS role ON role.oid = roleid
    UNION ALL
    SELECT false, oid, 'role', 'role ' || rolname FROM theirs
    UNION ALL
    SELECT false, setrole, 'settings ' || setdatabase || md5(setconfig::text),
        'settings of ' || coalesce('role ' || rolname, 'all roles') || coalesce(' in database ' || datname, '')
    FROM pg_db_role_setting LEFT JOIN pg_roles ON pg_roles.oid = setrole
    LEFT JOIN pg_database ON pg_database.oid = setdatabase
    UNION ALL
    SELECT false, datdba, 'database ' || pg_database.oid || datname || datallowconn,
        'database ' || datname || ' of ' || rolname
    FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba
"""  # noqa: S608 - constants
# It came with PostgreSQL 15.
_PARAMETERS = """
    SELECT true, grantee, 'parameter ' || parname || privilege_type,
        privilege_type || ' of parameter ' || parname || ' for ' || coalesce(rolname, 'everybody')
    FROM pg_parameter_acl CROSS JOIN aclexplode(paracl) AS entry LEFT JOIN pg_roles ON pg_roles.oid = grantee
"""
_OF_DATABASE = f"""
    WITH strong AS (
        SELECT oid, rolname FROM pg_roles WHERE NOT rolsuper AND (rolname = current_user OR rolcreaterole
            OR {SYSTEM_ROLE} AND rolname <> 'pg_database_owner')
    )
    SELECT true, evtowner, 'event trigger ' || pg_event_trigger.oid || evtfoid, 'event trigger ' || evtname
    FROM pg_event_trigger WHERE evtenabled <> 'D'
    UNION ALL
    SELECT true, proowner, 'routine ' || pg_proc.oid,
        'routine ' || pg_proc.oid::regprocedure::text || ', SECURITY DEFINER of ' || rolname
    FROM pg_proc JOIN strong ON strong.oid = proowner WHERE prosecdef
    UNION ALL
    SELECT false, defaclrole, 'default rights ' || defaclnamespace || defaclobjtype::text || md5(defaclacl::text),
        'default rights on what ' || rolname || ' creates'
    FROM pg_default_acl JOIN strong ON strong.oid = defaclrole
    UNION ALL
    SELECT false, strong.oid, 'object ' || classid || ' ' || objid,
        coalesce(pg_describe_object(classid, objid, 0), 'an object') || ' of ' || rolname
    FROM pg_shdepend JOIN strong ON strong.oid = refobjid
    WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND classid <> 'pg_default_acl'::regclass
        AND rolname = current_user
        AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 - constants


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that gives rights; `is_power`: those of the master's kind, or a way in."""

    database: str | None
    is_power: bool
    key: str
    line: str

    def __str__(self) -> str:
        """Name it as a person reads it."""
        return self.line if self.database is None else f"{self.database}: {self.line}"


Inventory = dict[tuple[str | None, str], Entry]


def of_cluster(connection: Connection, but: Collection[str] = ()) -> Inventory:
    """Return what concerns roles and databases; nothing that `but` are and have."""
    values = {"aws": list(AWS_ROLES), "but": list(but)}
    found = rows(connection, "look at roles", _OF_CLUSTER, values)
    if connection.server_version >= 150000:
        found += rows(connection, "look at rights on parameters", _PARAMETERS)
    return _inventory(None, found)


def of_database(connection: Connection) -> Inventory:
    """Return what is in this database."""
    return _inventory(connection.info.dbname, rows(connection, "look at strong owners", _OF_DATABASE, OF_AWS))


def take_inventory(master: Master, databases: Sequence[str], but: Collection[str] = ()) -> Inventory:
    """Return what there is in the cluster and in these databases."""
    with master.in_database(FIRST_DATABASE) as connection:
        found = of_cluster(connection, but)
    for database in databases:
        with master.in_database(database) as connection:
            found |= of_database(connection)
    return found


def refuse_what_is_new(before: Inventory, after: Inventory, *, since: str, powers_only: bool = False) -> None:
    """Raise `DatabaseChangeRefused` for every entry that was not there before; `since` says what ran in between."""
    new = [entry for key, entry in after.items() if key not in before and (entry.is_power or not powers_only)]
    if new:
        raise DatabaseChangeRefused(
            f"what was not there before {since}: {'; '.join(sorted(map(str, new))[:20])}",
            expected="no login, right or setting beyond objects that neither the snapshot had nor the pipeline made",
            action="find out what made it (code that was set off, or a script itself: only one with as_master may make "
            "roles and settings, and none may make a way in), then start a new run from a new snapshot; "
            "nobody has been let in",
        )


@contextmanager
def nothing_new(look: Callable[[], Inventory], *, since: str, powers_only: bool = False) -> Iterator[None]:
    """Compare before and after what is done, also if that fails: an error that is tried again must not hide it."""
    before = look()
    done = False
    try:
        yield
        done = True
    finally:
        try:
            refuse_what_is_new(before, look(), since=since, powers_only=powers_only)
        except DatabaseUnavailable:
            if done:
                raise


def _inventory(database: str | None, found: Sequence[tuple[Any, ...]]) -> Inventory:
    entries = [
        Entry(database=database, is_power=is_power, key=f"{role} {key}", line=line)
        for is_power, role, key, line in found
    ]
    return {(database, entry.key): entry for entry in entries}
