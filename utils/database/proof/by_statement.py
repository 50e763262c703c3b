"""The proof: log in as each user and try, with real statements, what it can and what it cannot do.

Every table, sequence and schema is judged by PostgreSQL's own has_*_privilege; statements are tried on some of them.
The sessions have the settings that anybody's session has, so that what is proven is what a fresh login can do.
"""

import itertools
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.sql import SQL, Identifier
from pydantic import SecretStr

from utils.database.proof import attempts
from utils.database.proof.by_privilege import check_rights
from utils.database.proof.relations import RELATIONS_OF_STRONG, Relation, Relations, relations
from utils.database.proof.sight import notes
from utils.database.proof.trial import Attempt, TimeForTrials, Trial, Verdict, asking, check
from utils.database.roles.profiles import DatabaseUser, Profile
from utils.database.server.connection import DatabaseServer, Master, logged_in
from utils.database.server.refusals import may_pass
from utils.database.server.statements import names, rows, run
from utils.errors import DatabaseUnavailable
from utils.shortened import first_of

OUT_OF_TIME = "out of time"
_LEFT_ALONE = """
    SELECT quote_ident(nspname) FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE rolsuper AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%%'
        AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE') ORDER BY 1
"""
# One schema stands for all: the rights on what comes later do not depend on it.
_CREATABLE = """
    SELECT nspname FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
    WHERE NOT rolsuper AND nspname NOT LIKE 'pg\\_%%' AND has_schema_privilege(pg_namespace.oid, 'CREATE')
        AND has_schema_privilege(pg_namespace.oid, 'USAGE')
    ORDER BY nspname <> 'public', nspname LIMIT 1
"""


def prove_later(
    master: Master, databases: Sequence[str], users: Sequence[DatabaseUser], time_for_trials: TimeForTrials
) -> dict[str, str]:
    """Create a table as the master and try it as each user, in a transaction that ends in nothing.

    A login of the user's own would not see the table before it is committed. Returns for each database why that could
    not be tried; raises `UsersNotProven`.
    """
    untried = {}
    for database in databases:
        with master.in_database(database) as connection:
            for schema in names(connection, "look for a schema to create in", _CREATABLE, {}):
                name = f"aurora_restore_probe_{secrets.token_hex(4)}"
                probe = Identifier(schema, name)
                try:
                    with connection.cursor() as cursor:
                        # With a key: a table without one that is published cannot be deleted from.
                        cursor.execute(SQL("CREATE TABLE {} (n int PRIMARY KEY)").format(probe))
                except psycopg2.Error as error:
                    # An event trigger may refuse what the master creates, and will refuse it every time.
                    if may_pass(error):
                        raise
                    untried[database] = f"{error.pgcode} {type(error).__name__}"
                    continue
                oid = rows(connection, "table of the proof", "SELECT %s::regclass::oid", (probe.as_string(connection),))
                table = Relation(oid=oid[0][0], name=probe, title=f"{schema}.{name}", is_strong_owners=True)
                for user in users:
                    if not _try_as(connection, database, user, table, time_for_trials):
                        untried[database] = OUT_OF_TIME
            connection.rollback()
    return untried


def prove(
    server: DatabaseServer,
    databases: Sequence[str],
    user: DatabaseUser,
    secret: SecretStr,
    strong_owners: Sequence[int],
    untried: Mapping[str, str] | None = None,
    time_for_trials: TimeForTrials | None = None,
) -> list[str]:
    """Return what was proven of the user, a line for each database; raises `UsersNotProven`.

    strong_owners: oids of the master and other owners with more rights than any user may get, for which none may act;
    untried: why `prove_later` could try nothing, by database; time_for_trials: what is left for all of them.
    """
    time_for_trials = time_for_trials or TimeForTrials()
    strong = {"strong": list(strong_owners)}
    proven = []
    for database in databases:
        line = _prove_on(server, database, user, secret, strong, time_for_trials)
        why = (untried or {}).get(database)
        proven.append(f"{line}; not tried: tables that are created later ({why})" if why else line)
    return proven


def _try_as(
    connection: Connection, database: str, user: DatabaseUser, table: Relation, time_for_trials: TimeForTrials
) -> bool:
    """Try the table as the user; return whether there was time for it."""
    run(connection, "proof", [SQL("SET LOCAL ROLE {}").format(Identifier(user.name))])
    tried = [attempts.reads([table]), attempts.writes(user.profile, [table]), attempts.alters(user.profile, [table])]
    trials = [check(connection, database, user, attempt, time_for_trials) for attempt in itertools.chain(*tried)]
    run(connection, "proof", [SQL("RESET ROLE")])
    return not _out_of_time(trials)


def _prove_on(
    server: DatabaseServer,
    database: str,
    user: DatabaseUser,
    secret: SecretStr,
    strong: dict[str, list[int]],
    time_for_trials: TimeForTrials,
) -> str:
    """Prove, and begin again in another session after a statement that has ended its own."""
    ended: Counter[str] = Counter()
    while True:
        before = ended.total()
        try:
            with logged_in(server, database, user.name, secret) as connection:
                return _prove_in(connection, database, user, strong, time_for_trials, ended)
        except DatabaseUnavailable:
            if ended.total() == before:
                raise


def _prove_in(
    connection: Connection,
    database: str,
    user: DatabaseUser,
    strong: dict[str, list[int]],
    time_for_trials: TimeForTrials,
    ended: Counter[str],
) -> str:
    def tried(several: Sequence[Attempt]) -> list[Trial]:
        return [check(connection, database, user, attempt, time_for_trials, ended) for attempt in several]

    with asking(connection):
        found = relations(connection, strong["strong"])
        begins_read_only = rows(connection, "look at the session", "SHOW transaction_read_only") == [("on",)]
        has_public = _has_public(connection)
    trials = tried(attempts.reads([*found.tables, *found.views]))
    # That a transaction begins read-only is no right: anybody can begin another.
    connection.rollback()
    connection.set_session(readonly=False)
    writing = [*attempts.writes(user.profile, found.tables), *attempts.alters(user.profile, found.tables)]
    if has_public:
        writing.append(attempts.creates(user.profile))
    trials += tried(writing)
    with asking(connection):
        check_rights(connection, database, user, strong)
        seen = notes(connection, user)
        stronger = names(connection, "look at strong owners", RELATIONS_OF_STRONG, strong)
        left_alone = names(connection, "look at AWS's schemas", _LEFT_ALONE, {})
    told = [*_out_of_time(trials), *_told_of(trials), *found.note(), *seen]
    if begins_read_only and user.profile is not Profile.READONLY:
        told.append("transactions begin read-only, by a setting that is not the user's own")
    if left_alone:
        told.insert(0, f"schemas of AWS left alone: {first_of(left_alone)}")
    if user.profile is Profile.DEVOPS and stronger:
        told.append(f"cannot alter what {first_of(stronger)} owns, which has more rights than devops may get")
    done = [trial for trial in trials if trial.verdict is not Verdict.OUT_OF_TIME]
    return "; ".join([f"{database}: {', '.join(['logs in', *_done(done)])} ({_counted(found, done)})", *told])


def _done(trials: Sequence[Trial]) -> list[str]:
    tried = [trial.attempt for trial in trials]
    return list(dict.fromkeys(f"{'can' if a.allowed else 'cannot'} {a.what}" for a in tried))


def _counted(found: Relations, done: Sequence[Trial]) -> str:
    titles = {trial.attempt.on for trial in done}
    number = sum(table.title in titles for table in found.tables)
    return f"{found.count} tables{f', {number} of them tried' if number < found.count else ''}"


def _out_of_time(trials: Sequence[Trial]) -> list[str]:
    late = [f"{t.attempt.what} {t.attempt.on}" for t in trials if t.verdict is Verdict.OUT_OF_TIME]
    return [f"not tried, {OUT_OF_TIME}, but by the word of the catalog: {first_of(late)}"] if late else []


def _told_of(trials: Sequence[Trial]) -> list[str]:
    """Say where the user has the right, and PostgreSQL refused or failed all the same."""
    beneath = [trial for trial in trials if trial.verdict is Verdict.FAILED or _is_refused_beneath(trial)]
    by_what: dict[str, list[str]] = {}
    for trial in beneath:
        what = f"cannot {trial.attempt.what}" if _is_refused_beneath(trial) else f"to {trial.attempt.what} is not tried"
        by_what.setdefault(what, []).append(f"{trial.attempt.on} ({trial.why})")
    return [f"{what}: {first_of(found)}" for what, found in by_what.items()]


def _is_refused_beneath(trial: Trial) -> bool:
    return trial.attempt.allowed and trial.verdict is Verdict.REFUSED


def _has_public(connection: Connection) -> bool:
    query = (
        "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'public' "
        "AND pg_catalog.has_schema_privilege(oid, 'USAGE')"
    )
    return bool(rows(connection, "look at the schema public", query))
