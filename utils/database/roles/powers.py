"""The powers of production's owners, who log in no more: whatever waits in what they own would have them for ever.

A trigger behind a foreign key, a view, an index expression when PostgreSQL's own autovacuum looks at the table: each
runs with the rights of the owner, whoever touches it, or nobody.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from psycopg2 import errors as postgres_errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Composable, Identifier

from utils.database.health.finding import finding
from utils.database.roles.aws_roles import OF_AWS, SYSTEM_ROLE
from utils.database.roles.memberships import revocation
from utils.database.roles.owner_role import OWNER_ROLE
from utils.database.server.connection import postgres_call
from utils.database.server.statements import attempt, execute, rows, rows_of
from utils.operation.model import HealthRecord, Verdict

# To see rows and to look at the server makes no role and no login; views of the owner's may need it.
HARMLESS = [
    "pg_database_owner", "pg_monitor", "pg_read_all_data", "pg_read_all_settings", "pg_read_all_stats",
    "pg_stat_scan_tables", "pg_write_all_data", "pg_maintain",
]  # fmt: skip
# What the users have themselves, and what decides how somebody logs in, which is looked at with the logins.
_OF_USERS = ["pg_signal_backend", "rds_iam"]
# What an owner may have through rds_superuser, and its views may read with.
_KEPT_THROUGH_OTHERS = ["pg_read_all_data", "pg_write_all_data"]
# Roles that an owner is a member of count as the owner does: it acts as them.
_POWERS = f"""
    WITH owners AS (
        SELECT DISTINCT pg_roles.oid FROM pg_roles JOIN pg_shdepend ON refobjid = pg_roles.oid
        WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND classid <> 'pg_default_acl'::regclass
            AND NOT rolsuper AND rolname <> current_user AND rolname <> %(owner)s AND NOT {SYSTEM_ROLE}
    ),
    reached AS (
        SELECT oid, rolname, rolcreaterole, EXISTS (
            SELECT FROM unnest(%(kept)s::name[]) AS kept JOIN pg_roles AS login ON login.rolname = kept
            WHERE pg_has_role(login.oid, pg_roles.oid, 'MEMBER')) AS stays
        FROM pg_roles WHERE NOT rolsuper AND rolname <> current_user AND rolname <> %(owner)s AND NOT {SYSTEM_ROLE}
            AND EXISTS (SELECT FROM owners WHERE pg_has_role(owners.oid, pg_roles.oid, 'MEMBER'))
    )
    SELECT rolname, stays, NULL AS held, NULL AS grantor FROM reached WHERE rolcreaterole
    UNION ALL
    SELECT reached.rolname, stays, pg_roles.rolname, grantor.rolname
    FROM reached JOIN pg_auth_members ON member = reached.oid JOIN pg_roles ON pg_roles.oid = roleid
    JOIN pg_roles AS grantor ON grantor.oid = pg_auth_members.grantor
    WHERE {SYSTEM_ROLE} AND pg_roles.rolname <> ALL(%(harmless)s)
        AND NOT (reached.rolname = ANY(%(users)s) AND pg_roles.rolname = ANY(%(of_users)s))
    ORDER BY 1, 3 NULLS FIRST, 4
"""  # noqa: S608 - constants
_HAS = "SELECT name FROM unnest(%s::name[]) AS name WHERE pg_has_role(%s, name, 'USAGE')"
_REFUSALS = (postgres_errors.InsufficientPrivilege, postgres_errors.InvalidGrantOperation)


class _Power(NamedTuple):
    """That a role may make roles, or is a member of `held` by a grant of `grantor`'s; `stays`: a kept login has it."""

    role: str
    stays: bool
    held: str | None
    grantor: str

    def __str__(self) -> str:
        """Name it as a person reads it."""
        return f"role {self.role}, {'CREATEROLE' if self.held is None else f'member of {self.held}'}"


def take_powers(
    connection: Connection, users: Collection[str], kept: Collection[str], tell: Callable[[list[str]], None]
) -> tuple[list[str], list[HealthRecord]]:
    """Take from owners what makes roles and logins, but from none that a login of `kept` is or is a member of.

    Production's roles of the users' names are owners like others, until they are put right after the scripts.
    Returns what was taken, and what was not. `tell` gets the list before anything is changed.
    """
    values = {
        **OF_AWS, "harmless": HARMLESS, "owner": OWNER_ROLE, "users": list(users), "of_users": _OF_USERS,
        "kept": list(kept),
    }  # fmt: skip

    def look() -> list[_Power]:
        return rows_of(_Power, connection, "look at the powers of owners", _POWERS, values)

    powers = look()
    takeable = [power for power in powers if not power.stays]
    if takeable:
        tell(_lines(takeable))
    through_others = {power.role: _harmless_ones(connection, power.role) for power in takeable}
    for power in takeable:
        _try(connection, f"end of a power: {power}", _end(connection, power))
    for role, had in through_others.items():
        has = _harmless_ones(connection, role)
        for name in [name for name in had if name not in has]:
            _try(connection, f"what {role} reads", SQL("GRANT {} TO {}").format(Identifier(name), Identifier(role)))
    left = [power for power in look() if not power.stays] if takeable else []
    return [line for line in _lines(takeable) if line not in _lines(left)], [
        *finding(
            Verdict.FOR_A_PERSON, "powers that the master may not take; code in what they own has them", _lines(left)
        ),
        *finding(
            Verdict.FOR_A_PERSON,
            "powers that keep_logins keeps; code in what they own has them",
            _lines([power for power in powers if power.stays]),
        ),
    ]


def _end(connection: Connection, power: _Power) -> Composable:
    if power.held is None:
        return SQL("ALTER ROLE {} NOCREATEROLE").format(Identifier(power.role))
    return revocation(connection, power.held, power.role, power.grantor)


def _harmless_ones(connection: Connection, role: str) -> list[str]:
    return [str(name) for (name,) in rows(connection, "look at a role", _HAS, (_KEPT_THROUGH_OTHERS, role))]


def _lines(powers: Sequence[_Power]) -> list[str]:
    return list(dict.fromkeys(map(str, powers)))


def _try(connection: Connection, what: str, statement: Composable) -> None:
    with postgres_call(what), attempt(connection, *_REFUSALS):
        execute(connection, statement)
