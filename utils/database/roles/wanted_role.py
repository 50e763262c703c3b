"""A role of ours: attributes, memberships, members and settings, whatever a role of its name was before."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composed, Identifier, Literal

from utils.database.roles.aws_roles import MAY_ALTER
from utils.database.roles.memberships import revocation, version
from utils.database.server.connection import postgres_call
from utils.database.server.statements import attempt, execute, rows, run
from utils.errors import DatabaseChangeRefused

# SQL: whether the role of this row of pg_roles was put aside by a set-up.
PUT_ASIDE = "(pg_roles.rolname = 'of_production_' || pg_roles.oid)"
_ROLE = f"SELECT oid, rolsuper, {MAY_ALTER} FROM pg_roles WHERE rolname = %s"  # noqa: S608 - constants
# Up to PostgreSQL 15 a membership has no options: what a role's own INHERIT says, and SET ROLE always.
_MEMBERSHIPS = """
    SELECT role.rolname, grantor.rolname, admin_option,
        coalesce((to_jsonb(held) ->> 'inherit_option')::boolean, true), (to_jsonb(held) ->> 'set_option')::boolean
    FROM pg_auth_members AS held
    JOIN pg_roles AS role ON role.oid = held.roleid JOIN pg_roles AS grantor ON grantor.oid = held.grantor
    JOIN pg_roles AS member ON member.oid = held.member
    WHERE member.rolname = %s ORDER BY 1, 2
"""
_MEMBERS = """
    SELECT member.rolname, grantor.rolname FROM pg_auth_members AS held
    JOIN pg_roles AS role ON role.oid = held.roleid JOIN pg_roles AS grantor ON grantor.oid = held.grantor
    JOIN pg_roles AS member ON member.oid = held.member
    WHERE role.rolname = %s AND member.rolname <> current_user AND NOT member.rolsuper AND member.rolname <> ALL(%s)
    ORDER BY 1, 2
"""
# Compared by the server: a value is in the encoding of the database that it was set in, and may be no text in UTF-8.
_SETTINGS = """
    SELECT datname, setconfig @> %s::text[] AND setconfig <@ %s::text[]
    FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole
    LEFT JOIN pg_database ON pg_database.oid = setdatabase
    WHERE rolname = %s ORDER BY datname NULLS FIRST
"""
# A superuser's parameters and wrappers are granted by superusers: what they gave the master cannot take.
_ATTRIBUTES = """
    SELECT rolinherit AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
        AND NOT EXISTS (SELECT FROM pg_shdepend JOIN pg_class ON pg_class.oid = classid
            WHERE refclassid = 'pg_authid'::regclass AND refobjid = pg_roles.oid AND deptype = 'a'
                AND relname IN ('pg_parameter_acl', 'pg_foreign_data_wrapper'))
    FROM pg_roles WHERE rolname = %s
"""


@dataclass(frozen=True, kw_only=True)
class WantedRole:
    """What a role shall be; `title` names it in errors, `if_stuck` says what to do about one that cannot be put right.

    memberships: each role it shall be a member of, and whether it may SET ROLE to it, as far as the master may grant
    it; members: who beside the master may be a member of it, None for anybody.
    """

    name: str
    title: str
    if_stuck: str
    is_login: bool = True
    connection_limit: int = -1
    memberships: Callable[[Connection], Mapping[str, bool]] = field(default=lambda _: {})
    members: Collection[str] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def set_up_role(connection: Connection, wanted: WantedRole) -> None:
    """Create the role or take it over, without login; raises `DatabaseChangeRefused` if it cannot be put right."""
    found = rows(connection, f"look at {wanted.title}", _ROLE, (wanted.name,))
    if found:
        oid, is_superuser, may_alter = found[0]
        if is_superuser or not may_alter:
            raise DatabaseChangeRefused(
                f"a role {wanted.name} that came with the snapshot, "
                f"{'a superuser' if is_superuser else 'on which the master has no ADMIN OPTION'}",
                expected="one that the master may put right",
                action=wanted.if_stuck,
            )
        _put_right(connection, wanted)
        if not _is_right(connection, wanted):
            _put_aside(connection, wanted, oid)
            found = []
    if not found:
        run(connection, f"creation of {wanted.title}", [SQL("CREATE ROLE {}").format(Identifier(wanted.name))])
        _put_right(connection, wanted)
    if not _is_right(connection, wanted):
        raise DatabaseChangeRefused(
            f"{wanted.title}, which the master cannot give the attributes, memberships and settings that it shall have",
            expected="a master with ADMIN OPTION on the roles to be granted, and with the right to the settings",
            action=f"see memberships and settings of {wanted.name} as the master user",
        )


def _put_right(connection: Connection, wanted: WantedRole) -> None:
    attributes = SQL("ALTER ROLE {} INHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT {} VALID UNTIL 'infinity'").format(
        Identifier(wanted.name), Literal(wanted.connection_limit)
    )
    if not wanted.is_login:
        attributes += SQL(" NOLOGIN PASSWORD NULL")
    run(connection, f"attributes of {wanted.title}", [attributes])
    for member, grantor in _odd_members(connection, wanted):
        _try(connection, revocation(connection, wanted.name, member, grantor))
    memberships = wanted.memberships(connection)
    for role, grantor, *options in _memberships(connection, wanted):
        if not _fits(memberships, role, options):
            _try(connection, revocation(connection, role, wanted.name, grantor))
    held = {role for role, *_ in _memberships(connection, wanted)}
    for role, may_set in memberships.items():
        if role not in held:
            _try(connection, _membership(connection, role, wanted.name, may_set=may_set))
    for statement in _settings_statements(connection, wanted):
        _try(connection, statement)


def _membership(connection: Connection, role: str, member: str, *, may_set: bool) -> Composed:
    statement = SQL("GRANT {} TO {}").format(Identifier(role), Identifier(member))
    if version(connection) >= 160000:
        statement += SQL(" WITH INHERIT TRUE, SET TRUE" if may_set else " WITH INHERIT TRUE, SET FALSE")
    return statement


def _memberships(connection: Connection, wanted: WantedRole) -> list[tuple[str, str, bool, bool, bool | None]]:
    return [
        (role, grantor, has_admin, inherits, may_set)
        for role, grantor, has_admin, inherits, may_set in rows(
            connection, f"memberships of {wanted.title}", _MEMBERSHIPS, (wanted.name,)
        )
    ]


def _fits(memberships: Mapping[str, bool], role: str, options: list[bool | None]) -> bool:
    has_admin, inherits, may_set = options
    return role in memberships and not has_admin and bool(inherits) and may_set in {None, memberships[role]}


def _odd_members(connection: Connection, wanted: WantedRole) -> list[tuple[str, str]]:
    if wanted.members is None:
        return []
    found = rows(connection, f"members of {wanted.title}", _MEMBERS, (wanted.name, list(wanted.members)))
    return [(member, grantor) for member, grantor in found]


def _settings_statements(connection: Connection, wanted: WantedRole) -> list[Composed]:
    name = Identifier(wanted.name)
    found = _settings(connection, wanted)
    statements = [
        SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(name, Identifier(database))
        for database, _ in found
        if database is not None
    ]
    if [setting for setting in found if setting[0] is None] != _expected(wanted):
        statements.append(SQL("ALTER ROLE {} RESET ALL").format(name))
        statements += [
            SQL("ALTER ROLE {} SET {} = {}").format(name, Identifier(parameter), Literal(value))
            for parameter, value in wanted.settings.items()
        ]
    return statements


def _is_right(connection: Connection, wanted: WantedRole) -> bool:
    attributes = rows(connection, f"attributes of {wanted.title}", _ATTRIBUTES, (wanted.name,))
    wanted_memberships, held = wanted.memberships(connection), _memberships(connection, wanted)
    return (
        attributes == [(True,)]
        and {role for role, *_ in held} == set(wanted_memberships)
        and all(_fits(wanted_memberships, role, options) for role, _, *options in held)
        and not _odd_members(connection, wanted)
        and _settings(connection, wanted) == _expected(wanted)
    )


def _put_aside(connection: Connection, wanted: WantedRole, oid: int) -> None:
    # What the master cannot take stays with the old role, which nobody can log in as; what it can is for the new one.
    for role, grantor, *_ in _memberships(connection, wanted):
        _try(connection, revocation(connection, role, wanted.name, grantor))
    aside = f"of_production_{oid}"
    statement = SQL("ALTER ROLE {} RENAME TO {}").format(Identifier(wanted.name), Identifier(aside))
    run(connection, f"putting aside of {wanted.title} that came along", [statement])


def _try(connection: Connection, statement: Composed) -> None:
    refusals = (postgres_errors.InsufficientPrivilege, postgres_errors.InvalidGrantOperation)
    with postgres_call("memberships and settings of a role"), attempt(connection, *refusals):
        execute(connection, statement)


def _settings(connection: Connection, wanted: WantedRole) -> list[tuple[str | None, bool]]:
    """Return for each database, and for None all of them, whether the role's settings are those that are wanted."""
    texts = [f"{parameter}={value}" for parameter, value in wanted.settings.items()]
    found = rows(connection, f"settings of {wanted.title}", _SETTINGS, (texts, texts, wanted.name))
    return [(database, fits) for database, fits in found]


def _expected(wanted: WantedRole) -> list[tuple[str | None, bool]]:
    return [(None, True)] if wanted.settings else []
