"""A judge of its own: what the users may do by PostgreSQL's has_*_privilege, asked by the superuser."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from local_cloud.aurora.postgres.bootstrap import ADMIN
from tests.unit.database.production import MASTER, Restored
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.roles.profiles import DatabaseUser, Profile

TABLE = {
    Profile.APPLICATION: {"SELECT", "INSERT", "UPDATE", "DELETE"},
    Profile.READONLY: {"SELECT"},
    Profile.DEVOPS: {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"},
}
SEQUENCE = {
    Profile.APPLICATION: {"SELECT", "USAGE", "UPDATE"},
    Profile.READONLY: {"SELECT"},
    Profile.DEVOPS: {"SELECT", "USAGE", "UPDATE"},
}
SCHEMA = {Profile.APPLICATION: {"USAGE"}, Profile.READONLY: {"USAGE"}, Profile.DEVOPS: {"USAGE", "CREATE"}}
OF_CUSTOMERS = (
    "nspname <> 'information_schema' AND nspname !~ '^pg_' "
    "AND nspowner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper)"
)
WRONG = """
    WITH customers AS (SELECT * FROM pg_namespace WHERE {of_customers}),
    relations AS (
        SELECT pg_class.* FROM pg_class JOIN customers ON customers.oid = relnamespace
        WHERE relowner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper)
    )
    SELECT 'table', relation::text, privilege, has_table_privilege('{user}', relation, privilege)
    FROM (SELECT oid::regclass AS relation, pg_get_userbyid(relowner) = ANY({weak}) AS is_weak FROM relations
            WHERE relkind IN ('r', 'p', 'v', 'm', 'f')) AS tables,
        unnest('{{{all_table}}}'::text[]) AS privilege
    WHERE has_table_privilege('{user}', relation, privilege) <> (privilege = ANY('{{{table}}}'::text[])
        AND (is_weak OR privilege <> ALL('{{MAINTAIN,REFERENCES,TRIGGER}}')))
    UNION ALL
    SELECT 'column', relation::text, privilege, true
    FROM (SELECT oid::regclass AS relation FROM relations WHERE relkind IN ('r', 'p', 'v', 'm', 'f')) AS tables,
        unnest('{{SELECT,INSERT,UPDATE,REFERENCES}}'::text[]) AS privilege
    WHERE has_any_column_privilege('{user}', relation, privilege) AND privilege <> ALL('{{{table}}}'::text[])
    UNION ALL
    SELECT 'sequence', oid::regclass::text, privilege, has_sequence_privilege('{user}', oid, privilege)
    FROM (SELECT oid FROM relations WHERE relkind = 'S' OFFSET 0) AS sequences,
        unnest('{{SELECT,USAGE,UPDATE}}'::text[]) AS privilege
    WHERE has_sequence_privilege('{user}', oid, privilege) <> (privilege = ANY('{{{sequence}}}'::text[]))
    UNION ALL
    SELECT 'schema', nspname, privilege, has_schema_privilege('{user}', oid, privilege)
    FROM customers, unnest('{{USAGE,CREATE}}'::text[]) AS privilege
    WHERE has_schema_privilege('{user}', oid, privilege) <> (privilege = ANY('{{{schema}}}'::text[]))
    UNION ALL
    SELECT 'routine', pg_proc.oid::regprocedure::text, 'EXECUTE',
        has_function_privilege('{user}', pg_proc.oid, 'EXECUTE')
    FROM pg_proc JOIN customers ON customers.oid = pronamespace
    WHERE proowner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper)
        AND has_function_privilege('{user}', pg_proc.oid, 'EXECUTE') <> (NOT prosecdef OR {runs_definers})
    UNION ALL
    SELECT 'database', datname, privilege, has_database_privilege('{user}', oid, privilege)
    FROM pg_database, unnest('{{CONNECT,TEMPORARY,CREATE}}'::text[]) AS privilege
    WHERE datname = current_database() AND has_database_privilege('{user}', oid, privilege) <> (privilege <> 'CREATE')
    UNION ALL
    SELECT 'member of', rolname, '', true FROM pg_roles
    WHERE rolname <> '{user}' AND rolname <> ALL('{{{memberships}}}'::text[]) AND pg_has_role('{user}', oid, 'MEMBER')
    UNION ALL
    SELECT 'owner', rolname, min(relations.oid::regclass::text), pg_has_role('{user}', relowner, 'USAGE')
    FROM relations JOIN pg_roles ON pg_roles.oid = relowner GROUP BY rolname, relowner
    ORDER BY 1, 2, 3
"""
# As devops must not be: by attributes, by name, or by what reaches further than a schema.
STRONG = """
    SELECT rolname FROM pg_roles WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
        OR rolname ~ '^(pg_|rds)' AND rolname <> 'rds_backdoor' OR rolname = ANY('{dba,app,reader,devops}')
        OR oid IN (SELECT datdba FROM pg_database)
        OR oid IN (SELECT grantee FROM pg_database, aclexplode(datacl) WHERE privilege_type = 'CREATE')
        OR oid IN (SELECT refobjid FROM pg_shdepend WHERE classid IN
            ('pg_foreign_server'::regclass, 'pg_foreign_data_wrapper'::regclass))
"""
MEMBERS = """
    SELECT member.rolname, role.rolname FROM pg_auth_members
    JOIN pg_roles AS role ON role.oid = roleid JOIN pg_roles AS member ON member.oid = pg_auth_members.member
"""
OWNERS = """
    SELECT rolname FROM pg_roles JOIN pg_shdepend ON refobjid = pg_roles.oid WHERE deptype = 'o' AND classid IN
        ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass, 'pg_type'::regclass)
"""


def wrong_rights(restored: Restored, databases: Sequence[str], users: Sequence[DatabaseUser]) -> list[Any]:
    """Return every right that a user has and should not have, or has not and should."""
    wrong = []
    weak = {OWNER_ROLE, *weak_owners(restored)}
    come_along = reached(restored, weak)
    for database in databases:
        with closing(restored.connect(ADMIN, database)) as connection, connection.cursor() as cursor:
            every = TABLE[Profile.DEVOPS] - ({"MAINTAIN"} if connection.server_version < 170000 else set())
            for user in users:
                cursor.execute(_wrong_rights_of(user, every, weak))
                for kind, name, privilege, has in cursor.fetchall():
                    is_devops = user.profile is Profile.DEVOPS
                    acts_rightly = kind == "owner" and has is (is_devops and name in weak) and name != MASTER
                    joins_rightly = kind == "member of" and is_devops and name in come_along
                    if not (acts_rightly or joins_rightly):
                        wrong.append((database, user.name, kind, name, privilege, has))
    return wrong


def weak_owners(restored: Restored) -> set[str]:
    """Return production's owners that devops must be able to act for."""
    strong = {name for (name,) in restored.run(ADMIN, "postgres", STRONG)}
    owners = {name for (name,) in restored.run(ADMIN, "postgres", OWNERS)}
    return {owner for owner in owners if not reached(restored, {owner}) & strong}


def reached(restored: Restored, names: set[str]) -> set[str]:
    """Return the roles, and all that they are members of."""
    members, found = restored.run(ADMIN, "postgres", MEMBERS), set(names)
    while more := {role for member, role in members if member in found} - found:
        found |= more
    return found


def _wrong_rights_of(user: DatabaseUser, every: set[str], weak: set[str]) -> str:
    quoted = ", ".join("'" + owner.replace("'", "''") + "'" for owner in sorted(weak))
    return WRONG.format(
        weak=f"ARRAY[{quoted}]::name[]",
        of_customers=OF_CUSTOMERS,
        user=user.name,
        all_table=",".join(every),
        table=",".join(TABLE[user.profile] & every),
        sequence=",".join(SEQUENCE[user.profile]),
        schema=",".join(SCHEMA[user.profile]),
        runs_definers=user.profile is not Profile.READONLY,
        memberships="pg_monitor,pg_signal_backend,pg_read_all_settings,pg_read_all_stats,pg_stat_scan_tables"
        if user.profile is Profile.DEVOPS
        else "",
    )


def who_can_log_in(restored: Restored) -> set[str]:
    """Return every role that can log in, but the superuser that is AWS's."""
    names = restored.run(ADMIN, "postgres", f"SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> '{ADMIN}'")
    return {name for (name,) in names} - {MASTER}


def nothing_was_gained(restored: Restored) -> None:
    """Make sure that no login was planted, and that the users are the only ones beside the master."""
    roles = "SELECT rolname FROM pg_roles WHERE rolname IN ('backdoor', 'by_app')"
    assert restored.run(ADMIN, "postgres", roles) == []
    assert who_can_log_in(restored) == {"app", "reader", "devops"}


def version(restored: Restored) -> int:
    """Return the server's version, as 160004."""
    return int(restored.run(ADMIN, "postgres", "SHOW server_version_num")[0][0])


CATALOG = [
    "SELECT oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, "
    "rolbypassrls, rolconnlimit, rolvaliduntil FROM pg_roles",
    "SELECT * FROM pg_auth_members",
    "SELECT * FROM pg_db_role_setting",
    "SELECT oid, datname, datdba, datallowconn, datconnlimit, datacl FROM pg_database",
    "SELECT oid, relname, relowner, relacl FROM pg_class WHERE relkind NOT IN ('t', 'i')",
    "SELECT attrelid, attnum, attacl FROM pg_attribute WHERE attacl IS NOT NULL",
    "SELECT oid, proname, proowner, proacl FROM pg_proc",
    "SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'",
    "SELECT oid, typname, typowner, typacl FROM pg_type",
    "SELECT oid, defaclrole, defaclnamespace, defaclobjtype, defaclacl FROM pg_default_acl",
    "SELECT oid, lomowner, lomacl FROM pg_largeobject_metadata",
    "SELECT oid, polname, polrelid, polroles::text FROM pg_policy",
    "SELECT oid, evtname, evtowner, evtenabled FROM pg_event_trigger",
    "SELECT oid, subname, subowner, subenabled FROM pg_subscription",
    "SELECT oid, srvname, srvowner, srvacl FROM pg_foreign_server",
    "SELECT umid, srvname, usename FROM pg_user_mappings",
    "SELECT oid, extname, extowner FROM pg_extension",
]


def catalog(restored: Restored, databases: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """Dump what the catalog says of roles, owners and rights."""
    dump = {}
    for database in databases:
        with closing(restored.connect(ADMIN, database)) as connection, connection.cursor() as cursor:
            for query in CATALOG:
                cursor.execute(query)
                dump[database, query] = sorted(map(str, cursor.fetchall()))
    return dump
