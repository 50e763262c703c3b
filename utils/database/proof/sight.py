"""What a user with every right of its profile still does not see, or could do beside it, by the catalog's word."""

from psycopg2.extensions import connection as Connection  # noqa: N812

from utils.database.proof.by_privilege import RELATIONS
from utils.database.roles.profiles import DatabaseUser, Profile
from utils.database.server.statements import names, rows
from utils.shortened import first_of

_NAME = "quote_ident(nspname) || '.' || quote_ident(relname)"
_APPLIES = (
    "('0'::oid = ANY(polroles) OR EXISTS (SELECT FROM unnest(polroles) AS r WHERE r <> 0 AND pg_has_role(r, 'USAGE')))"
)
_POLICIES = f"""
    SELECT {_NAME},
        NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polpermissive AND polcmd IN ('r', '*')
            AND {_APPLIES}) AS sees_none,
        NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polpermissive AND polcmd IN ('a', '*')
            AND {_APPLIES}) AS adds_none
    {RELATIONS} AND relrowsecurity AND row_security_active(pg_class.oid) ORDER BY 1
"""  # noqa: S608 - constants
# PostgreSQL checks the right to run a function of a view, or of a policy, for whoever asks, not for the view's owner.
# A routine without a list of rights is everybody's to run: to ask for each would read thousands into a new session.
_CALLED = """
    closed AS MATERIALIZED (
        SELECT oid FROM pg_proc WHERE proacl IS NOT NULL AND NOT has_function_privilege(oid, 'EXECUTE')
    ),
    called AS MATERIALIZED (
        SELECT classid, objid, closed.oid AS routine FROM closed
        JOIN pg_depend ON refclassid = 'pg_proc'::regclass AND refobjid = closed.oid
        UNION ALL
        SELECT classid, objid, closed.oid FROM closed JOIN pg_operator ON oprcode = closed.oid
        JOIN pg_depend ON refclassid = 'pg_operator'::regclass AND refobjid = pg_operator.oid
    )
"""
_CLOSED_BENEATH = f"""
    WITH RECURSIVE {_CALLED},
    views (oid, routine) AS (
        SELECT ev_class, routine FROM called JOIN pg_rewrite ON pg_rewrite.oid = objid
        JOIN pg_class ON pg_class.oid = ev_class
        WHERE classid = 'pg_rewrite'::regclass AND relkind = 'v'
        UNION
        SELECT ev_class, routine FROM views
        JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = views.oid
            AND classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite ON pg_rewrite.oid = objid JOIN pg_class ON pg_class.oid = ev_class
        WHERE relkind = 'v' AND ev_class <> views.oid
    ),
    beneath (id, routine) AS (
        SELECT oid, routine FROM views
        UNION SELECT polrelid, routine FROM called JOIN pg_policy ON pg_policy.oid = objid
        WHERE classid = 'pg_policy'::regclass AND row_security_active(polrelid)
            AND polcmd = ANY(%(commands)s::"char"[]) AND {_APPLIES}
    )
    SELECT {_NAME} || ' (calls ' || min(routine::regprocedure::text) || ')'
    {RELATIONS.replace("WHERE", "JOIN beneath ON id = pg_class.oid WHERE", 1)} GROUP BY nspname, relname ORDER BY 1
"""  # noqa: S608 - constants
# So it does for what a table calls when rows are written; a trigger's function alone is everybody's to set off.
_CLOSED_AT_WRITING = f"""
    WITH {_CALLED},
    written (id, routine) AS (
        SELECT adrelid, routine FROM called JOIN pg_attrdef ON pg_attrdef.oid = objid
        WHERE classid = 'pg_attrdef'::regclass
        UNION ALL
        SELECT coalesce(attrelid, conrelid), routine FROM called JOIN pg_constraint ON pg_constraint.oid = objid
        LEFT JOIN pg_attribute ON contypid <> 0 AND atttypid = contypid WHERE classid = 'pg_constraint'::regclass
        UNION ALL
        SELECT coalesce(indrelid, objid), routine FROM called LEFT JOIN pg_index ON indexrelid = objid
        WHERE classid = 'pg_class'::regclass
        UNION ALL
        SELECT tgrelid, routine FROM called JOIN pg_trigger ON pg_trigger.oid = objid
        WHERE classid = 'pg_trigger'::regclass AND tgfoid <> routine
        UNION ALL
        SELECT ev_class, routine FROM called JOIN pg_rewrite ON pg_rewrite.oid = objid
        WHERE classid = 'pg_rewrite'::regclass AND ev_type <> '1'
    )
    SELECT {_NAME} || ' (calls ' || min(routine::regprocedure::text) || ')'
    {RELATIONS.replace("WHERE", "JOIN written ON id = pg_class.oid WHERE", 1)} AND relkind IN ('r', 'p', 'v')
    GROUP BY nspname, relname ORDER BY 1
"""  # noqa: S608 - constants
# A view reads with its owner's rights, which it may have lost, or had from a role that it is no member of any more; and
# where policies apply to the owner, they decide what everybody sees through it.
_OF_VIEWS = f"""
    WITH RECURSIVE reads AS MATERIALIZED (
        SELECT DISTINCT ev_class, refobjid, as_invoker, CASE WHEN as_invoker
            THEN (SELECT oid FROM pg_roles WHERE rolname = current_user) ELSE relowner END AS reader
        FROM pg_rewrite JOIN pg_class AS above ON above.oid = ev_class AND above.relkind = 'v'
        CROSS JOIN LATERAL (
            SELECT coalesce(reloptions::text ~* 'security_invoker=(t|on|1|y)', false)
        ) AS how (as_invoker)
        JOIN pg_depend ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
            AND refclassid = 'pg_class'::regclass AND refobjid <> ev_class
        WHERE ev_type = '1'
    ),
    found (id, is_lost, beneath) AS (
        SELECT ev_class, true, refobjid FROM reads JOIN pg_class ON pg_class.oid = refobjid
        WHERE NOT as_invoker AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT (
            has_table_privilege(reader, refobjid, 'SELECT') OR has_any_column_privilege(reader, refobjid, 'SELECT'))
        UNION
        SELECT ev_class, false, refobjid FROM reads JOIN pg_class ON pg_class.oid = refobjid
        JOIN pg_roles AS role ON role.oid = reader
        WHERE relrowsecurity AND NOT rolsuper AND NOT rolbypassrls
            AND (relforcerowsecurity OR NOT pg_has_role(reader, relowner, 'USAGE'))
            AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = refobjid AND polpermissive AND polcmd IN ('r', '*')
                AND ('0'::oid = ANY(polroles) OR EXISTS (
                    SELECT FROM unnest(polroles) AS r WHERE r <> 0 AND pg_has_role(reader, r, 'USAGE'))))
    ),
    above (id, is_lost, beneath) AS (
        SELECT * FROM found UNION SELECT ev_class, is_lost, beneath FROM above JOIN reads ON refobjid = above.id
    )
    SELECT {_NAME} || ' (reads ' || min(beneath::regclass::text) || ')', is_lost
    {RELATIONS.replace("WHERE", "JOIN above ON id = pg_class.oid WHERE", 1)}
    GROUP BY nspname, relname, is_lost ORDER BY 1
"""  # noqa: S608 - constants
# What ends statements or sessions of everybody's, in every database or in this one, but for what the user has itself.
_LIMITS = """
    SELECT DISTINCT entry FROM pg_db_role_setting AS setting, unnest(setconfig) AS entry
    WHERE setrole = 0 AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND split_part(entry, '=', 1) IN ('statement_timeout', 'lock_timeout', 'transaction_timeout',
            'idle_session_timeout', 'idle_in_transaction_session_timeout', 'exit_on_error', 'temp_file_limit')
        AND CASE WHEN entry LIKE 'temp_file_limit=%%' THEN entry <> 'temp_file_limit=-1'
            ELSE split_part(entry, '=', 2) NOT IN ('0', 'off') END
        AND NOT EXISTS (SELECT FROM pg_db_role_setting, unnest(setconfig) AS own
            WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = current_user)
                AND split_part(own, '=', 1) = split_part(entry, '=', 1))
    ORDER BY 1
"""
_WRAPPERS = (
    "SELECT fdwname FROM pg_foreign_data_wrapper WHERE has_foreign_data_wrapper_privilege(oid, 'USAGE') ORDER BY 1"
)
# With it, PostgreSQL asks nobody for a right to a large object.
_OPEN_LARGE_OBJECTS = """
    SELECT count(*)::text FROM pg_largeobject_metadata
    WHERE current_setting('lo_compat_privileges')::boolean HAVING count(*) > 0
"""
_PARAMETERS = """
    SELECT parname || CASE WHEN bool_or(privilege_type = 'ALTER SYSTEM') THEN ' (ALTER SYSTEM)' ELSE '' END
    FROM pg_parameter_acl, aclexplode(paracl) AS entry WHERE entry.grantee = 0 GROUP BY parname ORDER BY 1
"""
_READS = ["r", "*"]
_READS_AND_WRITES = ["r", "a", "w", "d", "*"]


def notes(connection: Connection, user: DatabaseUser) -> list[str]:
    """Return a line for each kind of thing that there is to say; asked as the user itself."""
    found = rows(connection, "look at row-level security", _POLICIES, {})
    told = [
        _of("sees no rows through row-level security of", [name for name, sees_none, _ in found if sees_none]),
        _of("sees what row-level security lets through of", [name for name, sees_none, _ in found if not sees_none]),
    ]
    commands = _READS
    if user.profile is not Profile.READONLY:
        commands = _READS_AND_WRITES
        told.append(_of("adds no rows through row-level security to", [name for name, _, none in found if none]))
    closed = names(connection, "look at what views and policies call", _CLOSED_BENEATH, {"commands": commands})
    what = "not readable" if user.profile is Profile.READONLY else "not readable or not writable"
    told.append(_of(f"{what}, as it calls what is not the user's to run:", closed))
    if user.profile is not Profile.READONLY:
        calling = names(connection, "look at what tables call", _CLOSED_AT_WRITING, {})
        told.append(_of("cannot write where that calls what is not the user's to run:", calling))
    views = rows(connection, "look at what views read", _OF_VIEWS, {})
    lost, hidden = ([name for name, is_lost in views if is_lost is kind] for kind in (True, False))
    told.append(_of("not readable, as its owner may not read what it shows:", lost))
    told.append(_of("shows no rows, through row-level security for its owner:", hidden))
    limits = names(connection, "look at limits of sessions", _LIMITS, {})
    told.append(_of("sessions have limits that are not the user's own:", limits))
    told.append(_of("makes foreign servers with", names(connection, "look at foreign data wrappers", _WRAPPERS)))
    opened = names(connection, "look at large objects", _OPEN_LARGE_OBJECTS, {})
    told.append(_of("reads and writes every large object, as lo_compat_privileges is on, in number:", opened))
    if connection.server_version >= 150_000:
        told.append(_of("sets, as everybody, also", names(connection, "look at parameters", _PARAMETERS)))
    return [line for line in told if line]


def _of(words: str, found: list[str]) -> str:
    return f"{words} {first_of(found)}" if found else ""
