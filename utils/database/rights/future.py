"""The rights on what will be created later, for every role that owns objects of this database or may create some."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier

from utils.database.rights.objects import RUNNING
from utils.database.roles.aws_roles import OF_AWS, SYSTEM_ROLE
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.roles.profiles import PRIVILEGES, DatabaseUser, Grantee, Profile
from utils.database.roles.wanted_role import PUT_ASIDE
from utils.database.server.statements import listed, names, rows, rows_of, run

_CREATORS = f"""
    WITH schemas AS (
        SELECT * FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%'
    ),
    creators (oid) AS (
        SELECT refobjid FROM pg_shdepend
        WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o'
            AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        UNION SELECT grantee FROM schemas, aclexplode(nspacl) WHERE privilege_type = 'CREATE'
        UNION SELECT grantee FROM pg_database, aclexplode(datacl)
            WHERE datname = current_database() AND privilege_type = 'CREATE'
        UNION SELECT oid FROM pg_roles WHERE rolname = current_user OR rolname = ANY(%(makers)s)
    )
    SELECT rolname FROM pg_roles JOIN creators USING (oid)
    WHERE NOT rolsuper AND NOT {SYSTEM_ROLE} AND NOT {PUT_ASIDE} AND rolname <> ALL(%(others)s) ORDER BY rolname
"""  # noqa: S608 - constants
_HELD = """
    SELECT creator.rolname, nspname, defaclobjtype::text, coalesce(grantee.rolname, 'public'), entry.grantee = 0,
        array_agg(DISTINCT entry.privilege_type ORDER BY entry.privilege_type), bool_or(entry.is_grantable)
    FROM pg_default_acl JOIN pg_roles AS creator ON creator.oid = defaclrole
    CROSS JOIN aclexplode(defaclacl) AS entry
    LEFT JOIN pg_namespace ON pg_namespace.oid = defaclnamespace
    LEFT JOIN pg_roles AS grantee ON grantee.oid = entry.grantee
    WHERE pg_has_role(defaclrole, 'USAGE') AND entry.grantee <> defaclrole
        AND (entry.grantee = 0 OR grantee.rolname = ANY(%s))
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4
"""
_EVERY = """
    SELECT letter, array_agg(privilege_type ORDER BY privilege_type)
    FROM unnest('{n,r,S,f,T}'::"char"[]) AS letter,
        aclexplode(acldefault(CASE letter WHEN 'S' THEN 's' ELSE letter END, 10)) WHERE grantee = 10 GROUP BY letter
"""
_WORDS = {letter: word for letter, word, _ in PRIVILEGES[Profile.DEVOPS].on_later_objects()}
# As in present.py: nothing that a read-only user has not.
_FOR_PUBLIC = {"n": {"USAGE"}, "r": {"SELECT"}, "S": {"SELECT"}, "f": {"EXECUTE"}, "T": {"USAGE"}}


class _Held(NamedTuple):
    """A default right: `shop_owner, None, r, reader, False, {SELECT}, False`; no schema is every schema."""

    creator: str
    schema: str | None
    letter: str
    grantee: str
    is_public: bool
    privileges: list[str]
    is_grantable: bool


# By creator, letter and grantee.
_HeldEverywhere = dict[tuple[str, str, str], _Held]


def creators(connection: Connection, users: Sequence[DatabaseUser]) -> list[str]:
    """Return the roles that own something here, or may create something."""
    makers = [OWNER_ROLE, *(user.name for user in users if user.profile is Profile.DEVOPS)]
    others = [user.name for user in users if user.profile is not Profile.DEVOPS]
    return names(connection, "look at owners", _CREATORS, {**OF_AWS, "makers": makers, "others": others})


def arrange_default_rights(
    connection: Connection, users: Sequence[Grantee], makers: Sequence[str], strong: Collection[str]
) -> None:
    """Give the users their rights on what `makers` will create, and take every other default right.

    strong: roles with more rights than any user may get.
    """
    every = dict(rows(connection, "look at kinds of rights", _EVERY))
    user_names = [user.name for user in users]
    statements: list[Composable] = []
    held: _HeldEverywhere = {}
    for right in rows_of(_Held, connection, "look at default rights", _HELD, (user_names,)):
        if right.is_public:
            excess = sorted(set(right.privileges) - _FOR_PUBLIC[right.letter])
            if excess:
                statements.append(_revoke(f"REVOKE {', '.join(excess)}", right, SQL("FROM PUBLIC")))
        elif right.schema is not None or right.creator not in makers:
            statements.append(_revoke("REVOKE ALL", right, SQL("FROM {}").format(Identifier(right.grantee))))
        else:
            held[right.creator, right.letter, right.grantee] = right
    for user in users:
        for letter, _, privileges in user.privileges.on_later_objects():
            wanted = every[letter] if privileges == ("every",) else sorted(privileges)
            weak = [maker for maker in makers if maker not in strong]
            statements += _differences(user, letter, wanted, weak, held)
            less = [right for right in wanted if letter != "r" or right not in RUNNING]
            statements += _differences(user, letter, less, [maker for maker in makers if maker in strong], held)
    run(connection, f"default privileges in database {connection.info.dbname}", statements)


def _differences(
    user: Grantee, letter: str, wanted: list[str], makers: Sequence[str], held: _HeldEverywhere
) -> list[Composable]:
    missing, wrong = [], []
    for creator in makers:
        has = held.get((creator, letter, user.name))
        is_right = has is not None and has.privileges == wanted and not has.is_grantable
        if creator != user.name and not is_right:
            missing.append(creator)
            if has is not None:
                wrong.append(creator)
    name = Identifier(user.name)
    taken = [_alter(wrong, None, "REVOKE ALL", letter, SQL("FROM {}").format(name))] if wrong else []
    given = [_alter(missing, None, f"GRANT {', '.join(wanted)}", letter, SQL("TO {}").format(name))] if missing else []
    return [*taken, *given]


def _revoke(what: str, right: _Held, whom: Composable) -> Composable:
    return _alter([right.creator], right.schema, what, right.letter, whom)


def _alter(makers: Sequence[str], schema: str | None, what: str, letter: str, whom: Composable) -> Composable:
    where = SQL("") if schema is None else SQL(" IN SCHEMA {}").format(Identifier(schema))
    return SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {}{} {} ON {} {}").format(
        listed(makers), where, SQL(what), SQL(_WORDS[letter]), whom
    )
