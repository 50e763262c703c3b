"""The statements that users try, and the rights behind them."""

import secrets
from collections.abc import Sequence

from psycopg2.sql import SQL, Composable, Identifier, Literal

from utils.database.proof.relations import Relation
from utils.database.proof.trial import Attempt
from utils.database.roles.profiles import Profile


def reads(found: Sequence[Relation]) -> list[Attempt]:
    """Read, which every user may."""
    right = SQL(
        "pg_catalog.has_table_privilege({oid}, 'SELECT') AND (SELECT pg_catalog.has_schema_privilege(relnamespace, "
        "'USAGE') FROM pg_catalog.pg_class WHERE oid = {oid})"
    )
    return [
        Attempt(
            what="read",
            on=relation.title,
            statement=SQL("SELECT FROM {} LIMIT 1").format(relation.name),
            right=right.format(oid=_oid(relation)),
            allowed=True,
        )
        for relation in found
    ]


def writes(profile: Profile, found: Sequence[Relation]) -> list[Attempt]:
    """Delete nothing."""
    # EXPLAIN checks the rights and fires no trigger; a rule may make nothing of the statement, and of its rights.
    return [
        Attempt(
            what="write",
            on=relation.title,
            statement=SQL("EXPLAIN DELETE FROM {} WHERE false").format(relation.name),
            right=SQL(
                "pg_catalog.has_table_privilege({oid}, 'DELETE') AND (SELECT pg_catalog.has_schema_privilege("
                "relnamespace, 'USAGE') FROM pg_catalog.pg_class WHERE oid = {oid})"
            ).format(oid=_oid(relation)),
            allowed=profile is not Profile.READONLY,
        )
        for relation in found
        if not relation.has_rules
    ]


def alters(profile: Profile, found: Sequence[Relation]) -> list[Attempt]:
    """Change nothing of a table, but not of one that devops need not be able to change."""
    # A comment takes what every change of a table takes, its owner's rights, but no lock that reads or writes wait for.
    is_devops = profile is Profile.DEVOPS
    return [
        Attempt(
            what="alter",
            on=relation.title,
            statement=SQL("COMMENT ON TABLE {} IS NULL").format(relation.name),
            right=SQL(
                "(SELECT pg_catalog.pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class WHERE oid = {})"
            ).format(_oid(relation)),
            allowed=is_devops,
        )
        for relation in found
        if not (is_devops and relation.is_strong_owners)
    ]


def creates(profile: Profile) -> Attempt:
    """Create a table in the schema public."""
    name = f"aurora_restore_probe_{secrets.token_hex(4)}"
    return Attempt(
        what="create tables",
        on="public",
        statement=SQL("CREATE TABLE {} (n int)").format(Identifier("public", name)),
        right=SQL("pg_catalog.has_schema_privilege('public', 'CREATE')"),
        allowed=profile is Profile.DEVOPS,
    )


def _oid(relation: Relation) -> Composable:
    return Literal(relation.oid)
