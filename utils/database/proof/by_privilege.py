"""What PostgreSQL's own has_*_privilege must say of a user's rights on every object."""

from psycopg2.extensions import connection as Connection  # noqa: N812

from utils.database.rights.objects import AGGREGATE_PARTS
from utils.database.roles.profiles import DatabaseUser, Profile
from utils.database.server.statements import names
from utils.errors import UsersNotProven

# What a superuser owns is AWS's, and so is what lies in a schema of his that he keeps to himself.
RELATIONS = """
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%'
        AND relowner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper)
        AND (has_schema_privilege(relnamespace, 'USAGE') OR nspowner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper))
"""
# What a user may do that its profile does not say, or may not do that it says.
_NAME = "quote_ident(nspname) || '.' || quote_ident(relname)"
_UNREADABLE = f"""
    SELECT {_NAME} {RELATIONS} AND relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT (has_table_privilege(pg_class.oid, 'SELECT') AND has_schema_privilege(relnamespace, 'USAGE'))
    ORDER BY 1 LIMIT 1
"""
_UNWRITABLE = f"""
    SELECT {_NAME} {RELATIONS} AND relkind IN ('r', 'p')
        AND NOT (has_table_privilege(pg_class.oid, 'INSERT') AND has_table_privilege(pg_class.oid, 'UPDATE')
            AND has_table_privilege(pg_class.oid, 'DELETE'))
    ORDER BY 1 LIMIT 1
"""
# The privileges of a list are alternatives.
_WRITABLE = f"""
    SELECT {_NAME} {RELATIONS} AND has_schema_privilege(relnamespace, 'USAGE') AND (
        relkind IN ('r', 'p', 'v', 'f') AND (has_any_column_privilege(pg_class.oid, 'INSERT, UPDATE')
            OR has_table_privilege(pg_class.oid, 'DELETE, TRUNCATE'))
        OR CASE WHEN relkind = 'S' THEN has_sequence_privilege(pg_class.oid, 'USAGE, UPDATE') END)
    ORDER BY 1 LIMIT 1
"""
_TRUNCATABLE = f"""
    SELECT {_NAME} {RELATIONS} AND relkind IN ('r', 'p') AND has_table_privilege(pg_class.oid, 'TRUNCATE, TRIGGER')
    ORDER BY 1 LIMIT 1
"""
# It could put a trigger there, a foreign key, or an expression that is made anew: what then runs does so as the owner.
_RUNNABLE = f"""
    SELECT {_NAME} {RELATIONS} AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relowner = ANY(%(strong)s::oid[])
        AND (has_table_privilege(pg_class.oid, 'TRIGGER') OR has_any_column_privilege(pg_class.oid, 'REFERENCES'))
    ORDER BY 1 LIMIT 1
"""
_OPEN_SCHEMAS = """
    SELECT quote_ident(nspname) FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%' AND has_schema_privilege(oid, 'CREATE')
    ORDER BY 1 LIMIT 1
"""
_ALTERABLE = f"SELECT {_NAME} {RELATIONS} AND pg_has_role(relowner, 'MEMBER') ORDER BY 1 LIMIT 1"
_UNALTERABLE = f"""
    SELECT {_NAME} {RELATIONS} AND relowner <> ALL(%(strong)s::oid[]) AND NOT pg_has_role(relowner, 'USAGE')
    ORDER BY 1 LIMIT 1
"""
_ACTED_FOR = "SELECT rolname FROM pg_roles WHERE oid = ANY(%(strong)s::oid[]) AND pg_has_role(oid, 'MEMBER') LIMIT 1"
_NEW_SCHEMAS = "SELECT current_database() WHERE has_database_privilege(current_database(), 'CREATE')"
# An aggregate's functions run without anybody's right to run them, each with the rights that it runs with.
_DEFINING_AGGREGATES = f"""
    SELECT pg_proc.oid::regprocedure::text FROM pg_aggregate JOIN pg_proc ON pg_proc.oid = aggfnoid
    JOIN pg_proc AS part ON part.oid IN {AGGREGATE_PARTS}
    WHERE part.prosecdef AND part.proowner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper)
        AND has_function_privilege(pg_proc.oid, 'EXECUTE') AND has_schema_privilege(pg_proc.pronamespace, 'USAGE')
    ORDER BY 1 LIMIT 1
"""  # noqa: S608 - constants
# Nor have those of a range type.
_DEFINING_RANGES = """
    SELECT pg_proc.oid::regprocedure::text FROM pg_proc JOIN pg_range ON pg_proc.oid IN (rngcanonical, rngsubdiff)
    WHERE prosecdef AND proowner NOT IN (SELECT oid FROM pg_roles WHERE rolsuper) ORDER BY 1 LIMIT 1
"""
# pg_parameter_acl came with PostgreSQL 15. What everybody may set is told, and no right of the user's.
_PARAMETERS = """
    SELECT parname FROM pg_parameter_acl, aclexplode(paracl) AS entry
    WHERE entry.grantee <> 0 AND pg_has_role(entry.grantee, 'USAGE') ORDER BY 1 LIMIT 1
"""
_OWNED = """
    SELECT objid::text FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o'
        AND classid <> 'pg_default_acl'::regclass
        AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = current_user) LIMIT 1
"""


def check_rights(connection: Connection, database: str, user: DatabaseUser, strong: dict[str, list[int]]) -> None:
    """Raise `UsersNotProven` for a right too much or too little; `strong`: owners, by oid, that no user acts for."""
    # A statement for each way to write to each kind of object cannot be written: ask for the rights behind them.
    checks = [("cannot read", _UNREADABLE), ("can create schemas in", _NEW_SCHEMAS)]
    checks.append(("can have code of its own run as the strong owner of", _RUNNABLE))
    if user.profile is Profile.READONLY:
        checks += [
            ("can write", _WRITABLE),
            ("can run with its owner's rights, by an aggregate,", _DEFINING_AGGREGATES),
            ("can run with its owner's rights, by a range type,", _DEFINING_RANGES),
        ]
    else:
        checks.append(("cannot write", _UNWRITABLE))
    if user.profile is Profile.APPLICATION:
        checks.append(("can truncate or put triggers on", _TRUNCATABLE))
    if user.profile is Profile.DEVOPS:
        checks += [("cannot alter", _UNALTERABLE), ("can act for", _ACTED_FOR)]
    else:
        checks += [
            ("can create objects in schema", _OPEN_SCHEMAS),
            ("owns the object", _OWNED),
            ("can alter", _ALTERABLE),
        ]
    if connection.server_version >= 150_000:
        checks.append(("can set, by a right of its own,", _PARAMETERS))
    for what, query in checks:
        found = names(connection, f"proof of user {user.name}", query, strong)
        if found:
            raise UsersNotProven(
                f"user {user.name} in database {database} that {what} {found[0]}",
                expected=f"one with the rights of profile {user.profile.value}, no more and no less",
                action="see who granted or owns that object, as the master user; a right that only a superuser can "
                "take stays with the name: give the user another one in app-credentials; then start the run again",
            )
