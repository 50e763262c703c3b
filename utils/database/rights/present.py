"""The rights on what is there in one database: what is wrong is found in one query, and put right in bulk.

Objects of a superuser are AWS's (extensions mostly), and the master has nothing to grant or to take there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier

from utils.database.rights.objects import FOUND, RUNNING, on_objects
from utils.database.rights.passed_on import end_passing_on
from utils.database.roles.profiles import Grantee
from utils.database.server.statements import names, rows, rows_of, run
from utils.errors import DatabaseChangeRefused

# `every` in a profile stands for all that an owner has, `before` for EXECUTE where the user or everybody had it.
_USERS = f"""{FOUND},
    wanted AS (
        SELECT profile, kind, runs_as_owner,
            CASE privileges WHEN '{{every}}' THEN every ELSE privileges END AS privileges
        FROM unnest(%(profiles)s::text[], %(kinds)s::text[], %(runs)s::boolean[], %(privileges)s::text[])
            AS wanted (profile, kind, runs_as_owner, texts), LATERAL (SELECT texts::text[] AS privileges) AS list,
            LATERAL (SELECT array_agg(DISTINCT privilege_type ORDER BY privilege_type) AS every
                FROM aclexplode(acldefault(CASE kind WHEN 'TABLE' THEN 'r' WHEN 'SEQUENCE' THEN 's' WHEN 'ROUTINE' THEN
                    'f' WHEN 'TYPE' THEN 'T' WHEN 'SCHEMA' THEN 'n' WHEN 'DATABASE' THEN 'd' WHEN 'LARGE OBJECT' THEN
                    'L' ELSE 'S' END::"char", 10)) AS entry WHERE grantee = 10) AS all_of_it
    ),
    users AS (SELECT * FROM unnest(%(users)s::oid[], %(of_profile)s::text[]) AS users (oid, profile)),
    held AS MATERIALIZED (
        SELECT kind, id, grantee, array_agg(DISTINCT privilege ORDER BY privilege) AS privileges, bool_or(is_odd) AS odd
        FROM entries WHERE grantee = ANY(%(users)s::oid[]) GROUP BY kind, id, grantee
    )
    SELECT objects.kind, rolname, due.privileges, held.id IS NOT NULL, array_agg(name ORDER BY name)
    FROM objects JOIN wanted USING (kind, runs_as_owner) JOIN users USING (profile) JOIN pg_roles USING (oid)
    LEFT JOIN held ON held.kind = objects.kind AND held.id = objects.id AND held.grantee = users.oid
    CROSS JOIN LATERAL (SELECT CASE
        WHEN objects.kind = 'TABLE' AND objects.owner = ANY(%(strong)s::oid[])
            THEN ARRAY(SELECT name FROM unnest(wanted.privileges) AS name WHERE name <> ALL(%(running)s) ORDER BY 1)
        WHEN wanted.privileges <> '{{before}}' THEN wanted.privileges
        WHEN held.id IS NOT NULL OR objects.id IN (
            SELECT id FROM entries WHERE kind = 'ROUTINE' AND grantee = 0) THEN '{{EXECUTE}}'::text[]
        ELSE '{{}}'::text[] END AS privileges) AS due
    WHERE objects.owner <> users.oid AND (coalesce(held.privileges, '{{}}') <> due.privileges OR held.odd)
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""  # noqa: S608 - constants
_PUBLIC = f"""{FOUND},
    allowed AS (
        SELECT * FROM unnest(%(kinds)s::text[], %(runs)s::boolean[], %(privileges)s::text[])
            AS allowed (kind, runs_as_owner, texts)
    ),
    excess AS (
        SELECT objects.kind, name, array_agg(DISTINCT privilege ORDER BY privilege) AS privileges
        FROM objects JOIN allowed USING (kind, runs_as_owner)
        JOIN entries ON entries.kind = objects.kind AND entries.id = objects.id
        WHERE grantee = 0 AND privilege <> ALL(texts::text[]) GROUP BY objects.kind, name
    )
    SELECT kind, privileges, array_agg(name ORDER BY name) FROM excess GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - constants
_CAN_CONNECT = """
    SELECT pg_roles.oid FROM pg_roles JOIN pg_database ON datname = current_database()
    WHERE pg_roles.oid = ANY(%s::oid[]) AND NOT rolsuper
        AND has_database_privilege(pg_roles.oid, pg_database.oid, 'CONNECT') AND pg_roles.oid <> datdba
        AND pg_has_role(datdba, 'USAGE')
"""
_HAS_NO_CONNECT = """
    SELECT rolname FROM pg_roles JOIN pg_database ON datname = current_database()
    WHERE pg_roles.oid = ANY(%s::oid[]) AND NOT EXISTS (
        SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) AS entry
        WHERE grantee = pg_roles.oid AND privilege_type = 'CONNECT')
    ORDER BY rolname
"""


class _Excess(NamedTuple):
    """What everybody may do and should not: `TABLE, {DELETE,INSERT}, {crm.customers,crm.notes}`."""

    kind: str
    privileges: list[str]
    objects: list[str]


class _WrongRights(NamedTuple):
    """Objects on which a user has not the rights that it should; `holds` if it has any, or from somebody else."""

    kind: str
    user: str
    privileges: list[str]
    holds: bool
    objects: list[str]


@dataclass(frozen=True, kw_only=True)
class _Rule:
    kind: str
    runs_as_owner: bool
    privileges: tuple[str, ...]

    @property
    def text(self) -> str:
        return "{" + ",".join(self.privileges) + "}"


# What everybody may have: nothing that a read-only user has not; who really needs more is granted it.
_FOR_PUBLIC = [
    _Rule(kind="TABLE", runs_as_owner=False, privileges=("SELECT",)),
    _Rule(kind="SEQUENCE", runs_as_owner=False, privileges=("SELECT",)),
    _Rule(kind="ROUTINE", runs_as_owner=False, privileges=("EXECUTE",)),
    _Rule(kind="ROUTINE", runs_as_owner=True, privileges=()),
    _Rule(kind="TYPE", runs_as_owner=False, privileges=("USAGE",)),
    _Rule(kind="SCHEMA", runs_as_owner=False, privileges=("USAGE",)),
    _Rule(kind="DATABASE", runs_as_owner=False, privileges=()),
    _Rule(kind="LARGE OBJECT", runs_as_owner=False, privileges=("SELECT",)),
    _Rule(kind="FOREIGN SERVER", runs_as_owner=False, privileges=()),
]


def arrange_rights(
    connection: Connection, users: Sequence[Grantee], *, connecting: Sequence[int], strong: Sequence[int]
) -> None:
    """Leave the users with exactly their rights, and everybody with no more than harmless ones.

    `connecting` are roles (the master, kept logins), by oid, that must not lose a database with everybody's rights;
    `strong` are owners, by oid, with more rights than any user may get.
    """
    oids = dict(rows(connection, "look at users", "SELECT rolname, oid FROM pg_roles"))
    unread = [user.name for user in users if user.name not in oids]
    if unread:
        raise DatabaseChangeRefused(
            f"no user {', '.join(unread)} as database {connection.info.dbname} reads names in its encoding",
            expected="names of users that every database of the cluster reads alike",
            action="give these users names of ASCII letters in app-credentials, then start the run again; "
            "nobody has been let in",
        )
    users_oids = [oids[user.name] for user in users]
    values = {"users": users_oids, "strong": list(strong), "running": list(RUNNING), **_wanted(users)}
    can_connect = [oid for (oid,) in rows(connection, "look at connections", _CAN_CONNECT, (list(connecting),))]
    end_passing_on(connection)
    database = Identifier(connection.info.dbname)
    statements: list[Composable] = [
        SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, Identifier(name))
        for name in names(connection, "look at connections", _HAS_NO_CONNECT, (can_connect,))
    ]
    for excess in rows_of(_Excess, connection, "look at everybody's rights", _PUBLIC, _public()):
        revoke = f"REVOKE {', '.join(excess.privileges)}"
        statements.append(on_objects(revoke, excess.kind, excess.objects, SQL("FROM PUBLIC CASCADE")))
    for wrong in rows_of(_WrongRights, connection, "look at users' rights", _USERS, values):
        user = Identifier(wrong.user)
        if wrong.holds:
            whom = SQL("FROM {} CASCADE").format(user)
            statements.append(on_objects("REVOKE ALL", wrong.kind, wrong.objects, whom))
        if wrong.privileges:
            grant = f"GRANT {', '.join(wrong.privileges)}"
            statements.append(on_objects(grant, wrong.kind, wrong.objects, SQL("TO {}").format(user)))
    run(connection, f"grants in database {connection.info.dbname}", statements)


def _wanted(users: Sequence[Grantee]) -> dict[str, list[object]]:
    profiles = list(dict.fromkeys(user.privileges for user in users))
    rules = [(str(number), rule) for number, profile in enumerate(profiles) for rule in profile.on_objects()]
    return {
        "of_profile": [str(profiles.index(user.privileges)) for user in users],
        "profiles": [number for number, _ in rules],
        "kinds": [kind for _, (kind, _, _) in rules],
        "runs": [runs_as_owner for _, (_, runs_as_owner, _) in rules],
        "privileges": ["{" + ",".join(sorted(privileges)) + "}" for _, (_, _, privileges) in rules],
    }


def _public() -> dict[str, list[object]]:
    return {
        "kinds": [rule.kind for rule in _FOR_PUBLIC],
        "runs": [rule.runs_as_owner for rule in _FOR_PUBLIC],
        "privileges": [rule.text for rule in _FOR_PUBLIC],
    }
