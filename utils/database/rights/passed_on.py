"""The end of rights that were passed on: the owner of each object stays as the only one who can grant it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier

from utils.database.rights.objects import FOUND, on_objects
from utils.database.rights.ownership import open_schemas
from utils.database.server.connection import postgres_call
from utils.database.server.statements import attempt, execute, rows, rows_of, run

# PostgreSQL lets any role with the grant option be the grantor for a member of it, as the master is: while somebody
# beside the owner has that option, nobody knows whose grant a GRANT or REVOKE of the master is.
_PASSABLE = f"""{FOUND}
    SELECT objects.kind, owner.rolname, grantee.rolname, array_agg(DISTINCT name ORDER BY name)
    FROM objects CROSS JOIN aclexplode(acl) AS entry JOIN pg_roles AS grantee ON grantee.oid = entry.grantee
    JOIN pg_roles AS owner ON owner.oid = owner
    WHERE entry.is_grantable AND entry.grantor = owner AND entry.grantee <> owner
        AND (pg_has_role(entry.grantee, 'USAGE') OR EXISTS (
            SELECT FROM entries WHERE entries.kind = objects.kind AND entries.id = objects.id AND is_indirect))
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - constants
# To PostgreSQL a member has the options of the roles that it is a member of, so that what it passed on is not revoked
# with its own option: for a member of the owner never, for a member of somebody else not while that one has the option.
_PASSED_ON = f"""{FOUND}
    SELECT kind, name, owner.rolname, ARRAY(
            SELECT DISTINCT grantee.rolname::text FROM aclexplode(acl) AS direct
            JOIN pg_roles AS grantee ON grantee.oid = direct.grantee
            WHERE direct.is_grantable AND direct.grantor = owner.oid AND direct.grantee <> owner.oid ORDER BY 1),
        member.rolname, privileges
    FROM objects JOIN pg_roles AS owner ON owner.oid = objects.owner CROSS JOIN LATERAL (
        SELECT grantor, array_agg(DISTINCT privilege_type ORDER BY privilege_type)
        FROM aclexplode(acl) WHERE grantor <> objects.owner GROUP BY grantor
    ) AS passed (grantor, privileges) JOIN pg_roles AS member ON member.oid = grantor
    WHERE pg_has_role(member.oid, owner.oid, 'USAGE') = %(by_members)s ORDER BY 1, 2, 5
"""  # noqa: S608 - constants
_REFUSALS = (postgres_errors.InsufficientPrivilege, postgres_errors.FeatureNotSupported)
_CLOSED_TO_OWNERS = """
    SELECT DISTINCT nspname, rolname FROM (
        SELECT relnamespace, relowner FROM pg_class UNION SELECT pronamespace, proowner FROM pg_proc
        UNION SELECT typnamespace, typowner FROM pg_type
    ) AS objects (schema, owner) JOIN pg_namespace ON pg_namespace.oid = schema JOIN pg_roles ON pg_roles.oid = owner
    WHERE rolname = ANY(%s) AND NOT has_schema_privilege(owner, schema, 'USAGE')
        AND has_schema_privilege(schema, 'USAGE')
        AND nspname NOT LIKE 'pg\\_%%' ORDER BY 1, 2
"""


class _Passable(NamedTuple):
    """Objects that somebody beside their owner may grant: `TABLE, shop_owner, analyst, {crm.customers,crm.notes}`."""

    kind: str
    owner: str
    grantee: str
    objects: list[str]


class _PassedOn(NamedTuple):
    """What `grantor` granted of an object that is another's; `direct` have the option from the owner."""

    kind: str
    name: str
    owner: str
    direct: list[str]
    grantor: str
    privileges: list[str]


def end_passing_on(connection: Connection) -> None:
    """Leave the owner of each object as the only one who can grant it; what others granted goes with their option."""
    asked = "look at what members of owners passed on"
    by_members = rows_of(_PassedOn, connection, asked, _PASSED_ON, {"by_members": True})
    for passed in [passed for passed in by_members if passed.kind == "SCHEMA"]:
        _take_from_member(connection, passed)
    # The owner role's way into a schema may have been passed on, too; to be given an object back takes CREATE there.
    open_schemas(connection)
    for passed in [passed for passed in by_members if passed.kind != "SCHEMA"]:
        _take_from_member(connection, passed)
    found = rows_of(_Passable, connection, "look at rights to pass on", _PASSABLE, {})
    _take_options(connection, [passable for passable in found if passable.kind == "SCHEMA"])
    _open_schemas(connection, {passable.owner for passable in found})
    _take_options(connection, [passable for passable in found if passable.kind != "SCHEMA"])
    left = rows_of(_PassedOn, connection, "look at what is still passed on", _PASSED_ON, {"by_members": False})
    _open_schemas(connection, {passed.owner for passed in left})
    for passed in left:
        statements = [
            SQL("SET LOCAL ROLE {}").format(Identifier(passed.owner)),
            *_again_and_away(passed),
            SQL("RESET ROLE"),
        ]
        run(connection, "end of rights that are still passed on", statements)


def _open_schemas(connection: Connection, owners: Collection[str]) -> None:
    # In its own role an owner names its objects only with USAGE on their schema.
    closed = rows(connection, "look at schemas of owners", _CLOSED_TO_OWNERS, (sorted(owners),))
    grant = SQL("GRANT USAGE ON SCHEMA {} TO {}")
    opened = [grant.format(Identifier(schema), Identifier(owner)) for schema, owner in closed]
    run(connection, "owners' way to what they own", opened)


def _take_from_member(connection: Connection, passed: _PassedOn) -> None:
    """End what a member of an object's owner passed on, while the master owns the object, whose member it is not.

    An object whose owner cannot change stays as it is, for the proof to judge.
    """
    kind = passed.kind.removeprefix("FOREIGN ")
    alter = SQL(" ").join([SQL(f"ALTER {kind}"), SQL(passed.name), SQL("OWNER TO ")])
    statements = [
        alter + SQL("CURRENT_USER"),
        *(_end_option("GRANT OPTION FOR ALL", passed, role) for role in passed.direct),
        *_again_and_away(passed),
        alter + Identifier(passed.owner),
    ]
    with postgres_call("end of rights that a member of an owner passed on"), attempt(connection, *_REFUSALS):
        for statement in statements:
            execute(connection, statement)


def _again_and_away(passed: _PassedOn) -> list[Composable]:
    # The grantor may have lost the option already, and what it passed on goes only with the option.
    rights, given = ", ".join(passed.privileges), SQL("TO {} WITH GRANT OPTION").format(Identifier(passed.grantor))
    again = on_objects(f"GRANT {rights}", passed.kind, [passed.name], given)
    return [again, _end_option(f"GRANT OPTION FOR {rights}", passed, passed.grantor)]


def _end_option(options: str, passed: _PassedOn, role: str) -> Composable:
    whom = SQL("FROM {} CASCADE").format(Identifier(role))
    return on_objects(f"REVOKE {options}", passed.kind, [passed.name], whom)


def _take_options(connection: Connection, found: Sequence[_Passable]) -> None:
    for passable in found:
        whom = SQL("FROM {} CASCADE").format(Identifier(passable.grantee))
        # Only in the role of the owner is the owner's own grant meant.
        statements = [
            SQL("SET LOCAL ROLE {}").format(Identifier(passable.owner)),
            on_objects("REVOKE GRANT OPTION FOR ALL", passable.kind, passable.objects, whom),
            SQL("RESET ROLE"),
        ]
        run(connection, "end of rights that were passed on", statements)
